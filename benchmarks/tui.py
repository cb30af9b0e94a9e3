"""What a person in front of the terminal reviewer waits for: the first screen, a long file, the paint after a key.

Run from the repository's root as `python -m benchmarks.tui`; Linux only. No model takes part: what a fix takes is
in `benchmarks/editor.py`.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import asdict, astuple, fields
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import typer

from benchmarks.editor import Wait
from benchmarks.machine import describe_machine
from benchmarks.report import print_facts, print_table, write_json
from benchmarks.tui_terminal import COLUMNS, ROWS, terminal
from editflow.commands.fix_options import Mode, Options
from editflow.document import Document
from editflow.patch import patch_bytes
from editflow.proposal import Proposal
from editflow.resident.place import EngineChoice
from editflow_tui.app import Reviewer
from editflow_tui.keymap import resolve
from editflow_tui.personal import Personal
from editflow_tui.review import open_review
from editflow_tui.runner import Runner, RunnerEvent

STARTS = 9
OPENINGS = 9
PRESSES = 240
SHORT, LONG = 100, 100_000  # lines
HUNKS = {SHORT: 3, LONG: 300}
KEYS = ("j", "j", "k", "y", "u", " ", "\x1b[B", "\x1b[6~", "\x1b[5~", "1", "2", "w")
"""Next, previous, accept, undo, toggle, a line, a page down and up, split, unified, wrap."""
BARS = {"first screen": "p50 < 400 ms", "long file": "p50 < 300 ms", "key to paint": "p95 < 50 ms"}


def tui(
    output: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all results.")] = None,
) -> None:
    """Time the terminal reviewer."""
    with tempfile.TemporaryDirectory() as folder:
        for lines in (SHORT, LONG):
            _prepare(Path(folder), lines)
        waits = _measure(Path(folder))
    bars = {f"bar: {what}": bar for what, bar in BARS.items()}
    facts = {"columns": COLUMNS, "rows": ROWS, **bars, **describe_machine()}
    print_facts(facts)
    print_table([field.name for field in fields(Wait)], [astuple(wait) for wait in waits])
    if output is not None:
        write_json(output, {**facts, "waits": [asdict(wait) for wait in waits]})


def _measure(folder: Path) -> list[Wait]:
    short, long = _starts(folder, SHORT), _starts(folder, LONG)
    later = [seconds - median(short) for seconds in long]
    return [
        Wait.of(f"first screen, {SHORT} lines", short),
        Wait.of(f"first screen, {LONG} lines", long),
        Wait.of("long file: what it adds to a short one's start", later),
        Wait.of("long file: in place of a short one", asyncio.run(_turns(folder))),
        Wait.of(f"key to paint, {SHORT} lines", _presses(folder, SHORT)),
        Wait.of(f"key to paint, {LONG} lines", _presses(folder, LONG)),
    ]


def _starts(folder: Path, lines: int) -> list[float]:
    """Seconds from the start of the process until its first hunk is counted on the screen."""
    seconds = []
    for _ in range(1 + STARTS):
        with terminal("--patch", f"{lines}.patch", folder=folder) as opened:
            seconds.append(opened.painted(f"1/{HUNKS[lines]} "))
            assert not opened.has_torch
    return seconds[1:]  # the first one compiles


def _presses(folder: Path, lines: int) -> list[float]:
    """Seconds from a key to the last byte that it paints."""
    with terminal("--patch", f"{lines}.patch", folder=folder) as opened:
        opened.painted(f"1/{HUNKS[lines]} ")
        opened.settle()
        times = [opened.press(key) for key in islice(cycle(KEYS), PRESSES)]
    return [seconds for seconds in times if seconds is not None]


async def _turns(folder: Path) -> list[float]:
    """Seconds until a long file is painted in place of a short one, in a reviewer that is new each time."""
    seconds = []
    for _ in range(OPENINGS):
        named = [(f"{lines}.py", _proposal(folder / f"{lines}.py")) for lines in (SHORT, LONG)]
        app = Reviewer(open_review(named), _options(), Personal(resolve({})), _engine, fixes=False)
        async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
            await pilot.pause()
            begun = perf_counter()
            await pilot.press("tab")
            seconds.append(perf_counter() - begun)
    return seconds


def _prepare(folder: Path, lines: int) -> None:
    """A file of so many lines, and a patch that changes some of them."""
    path = folder / f"{lines}.py"
    path.write_text("".join(f"x = f(a, {at})\n" for at in range(lines)), "utf-8")
    proposal = _proposal(path)
    patch = patch_bytes(proposal.document, proposal.text, Path(path.name))
    (folder / f"{lines}.patch").write_bytes(patch)


def _proposal(path: Path) -> Proposal:
    """One argument renamed in lines that are evenly spread."""
    document = Document.read(path)
    lines = int(path.stem)
    changed = range(0, lines, lines // HUNKS[lines])[: HUNKS[lines]]
    starts = [document.text.index(f"(a, {at})") + 1 for at in changed]
    edits = [(start, start + 1, "b", 0.9) for start in starts]
    return Proposal.from_edits(document, edits)


def _options() -> Options:
    return Options(Mode.DIFF, device="cpu")


def _engine(post: Callable[[RunnerEvent], None]) -> Runner:
    """Nobody asks for it here."""
    return Runner(EngineChoice("default", "cpu"), post)


if __name__ == "__main__":
    typer.run(tui)

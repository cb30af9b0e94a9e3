"""What an editor waits for: the first step, the proposal, code actions, a cancellation; and what its windows cost.

Run from the repository's root as `python -m benchmarks.editor`; Linux only, for the memory. The first painted step of
VS Code is measured by its end-to-end test (`tests/e2e/vscode`).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, astuple, dataclass, fields
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated

import typer

from benchmarks.editor_window import Fix, Window, memory_mb
from benchmarks.function_fix import FUNCTIONS, TOKENS
from benchmarks.machine import describe_machine
from benchmarks.report import print_facts, print_table, write_json
from benchmarks.samples import files_without_colon
from editflow.checkpoint import Checkpoint
from editflow.resident.control import ask_all
from editflow.resident.report import Report

STARTS = 7
ACTIONS = 300
CANCELS = 20
WINDOWS = 5
FILE_LINES = (100, 2_000, 10_000)
STATEMENT = "value = compute(first, second)\n"


@dataclass(frozen=True, slots=True)
class Wait:
    """Milliseconds that somebody waits for something."""

    what: str
    runs: int
    p50_ms: float
    p95_ms: float
    max_ms: float

    @classmethod
    def of(cls, what: str, seconds: Sequence[float]) -> Wait:
        """Of several runs."""
        times = [1000 * s for s in seconds]
        p95 = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
        return cls(what, len(times), round(median(times), 1), round(p95, 1), round(max(times), 1))


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes of a process: resident, and its share where pages are shared."""

    process: str
    windows: int
    rss_mb: float
    pss_mb: float


def editor(
    output: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all results.")] = None,
) -> None:
    """Measure the language server and its engine, as a window sees them."""
    with tempfile.TemporaryDirectory() as folder:  # an engine of its own, not the user's
        os.environ["XDG_RUNTIME_DIR"] = folder
        waits, memory = asyncio.run(_measure())
    facts = {**describe_machine()}
    print_facts(facts)
    for rows in (waits, memory):
        print_table([f.name for f in fields(rows[0])], [astuple(row) for row in rows])
    if output is not None:
        write_json(
            output, {**facts, "waits": [asdict(w) for w in waits], "memory": [asdict(m) for m in memory]}
        )


async def _measure() -> tuple[list[Wait], list[Memory]]:
    try:
        starts = [await _start_once() for _ in range(STARTS)]
        async with _window() as window:
            cold = await window.fix(window.open(_cases()[0]))
            waits = [Wait.of("initialize", starts), Wait.of("first fix, engine started for it", [cold.end])]
            waits += await _actions(window)
            waits += await _fixes(window)
            waits.append(await _cancels(window))
            memory = await _memory([window])
            async with AsyncExitStack() as stack:
                others = [await stack.enter_async_context(_window()) for _ in range(WINDOWS - 1)]
                for other in others:
                    await other.fix(other.open(_cases()[0]))
                memory += await _memory([window, *others])
        return waits, memory
    finally:
        await ask_all(stop=True)


async def _start_once() -> float:
    window = Window()
    seconds = await window.start()
    await window.stop()
    return seconds


@asynccontextmanager
async def _window() -> AsyncIterator[Window]:
    window = Window()
    await window.start()
    try:
        yield window
    finally:
        await window.stop()


async def _actions(window: Window) -> list[Wait]:
    """Code actions by size of the document, while the model is loaded but idle."""
    waits = []
    for lines in FILE_LINES:
        uri = window.open(STATEMENT * lines)
        times = [await window.actions(uri, at % lines) for at in range(ACTIONS)]
        waits.append(Wait.of(f"code actions, {lines} lines", times))
    return waits


async def _fixes(window: Window) -> list[Wait]:
    """Functions of 200 to 256 tokens that lack a colon."""
    fixes: list[Fix] = [await window.fix(window.open(text)) for text in _cases()]
    return [
        Wait.of("fix: first step", [fix.steps[0] for fix in fixes]),
        Wait.of("fix: proposal", [fix.end for fix in fixes]),
    ]


async def _cancels(window: Window) -> Wait:
    """Cancelled after the first step: until the model has stopped."""
    cases = _cases()
    fixes = [await window.fix(window.open(cases[at % len(cases)]), cancel_after=1) for at in range(CANCELS)]
    return Wait.of("cancel", [fix.cancel_ms / 1000 for fix in fixes if fix.cancel_ms is not None])


async def _memory(windows: Sequence[Window]) -> list[Memory]:
    (engine,) = await ask_all()
    assert isinstance(engine, Report), engine
    servers = [memory_mb(window.pid) for window in windows]
    rss, pss = (round(sum(size) / len(servers), 1) for size in zip(*servers, strict=True))
    return [
        Memory("language server, each", len(windows), rss, pss),
        Memory("engine", len(windows), *memory_mb(engine.pid)),
    ]


@cache
def _cases() -> list[str]:
    tokenizer = Checkpoint.open("default").tokenizer()
    return [case.request.document.text for case in files_without_colon(tokenizer, TOKENS, FUNCTIONS)]


if __name__ == "__main__":
    typer.run(editor)

"""What `editflow fix` does with the files that it could read: fix, and print or write, file by file."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import IO, TYPE_CHECKING

from editflow.commands.engines import Engines
from editflow.commands.fix_options import FAILED, PROPOSED, Mode, Options
from editflow.commands.read_files import complain, read_all
from editflow.document import Document, shown
from editflow.errors import EditFlowError
from editflow.patch import patch_bytes, visible
from editflow.proposal import Proposal
from editflow.render import is_rich, terminal
from editflow.render.diff import coloured_diff
from editflow.render.flow import blocks, count, play
from editflow.render.heatmap import coloured_heatmap, plain_heatmap
from editflow.render.progress import Waiting
from editflow.report import FileReport
from editflow.step import Step
from editflow.writeback import write

if TYPE_CHECKING:
    from editflow.engine import Engine


@dataclass(frozen=True, slots=True)
class Result:
    """What the engine said about one file, pass by pass."""

    name: str
    document: Document
    steps: Sequence[Step]
    seconds: float

    @property
    def last(self) -> Step:
        """The step that is offered."""
        return self.steps[-1]


def fix_files(names: Sequence[str], options: Options) -> int:
    """Fix all that can be read and report the rest; the exit code."""
    documents, failed = read_all(names, options)
    if not documents:
        return FAILED if failed else 0
    waiting = Waiting(terminal(sys.stderr))
    engines = Engines(options, waiting)
    proposed = False
    for name, document in documents.items():
        try:
            engine = engines.of(document)
            result = _run(name, document, engine, options, waiting)
            _show(result, engine, options)
            _deliver(result, engine, options.mode)
        except EditFlowError as error:
            complain(error)
            failed = True
        else:
            proposed |= bool(result.last.proposal.hunks)
    if failed:
        return FAILED
    return PROPOSED if proposed and options.mode is Mode.CHECK else 0


def _run(name: str, document: Document, engine: "Engine", options: Options, waiting: Waiting) -> Result:
    start = perf_counter()
    steps = []
    with waiting.on(shown(document.path)) as update:
        for step in engine.fix(options.request(document)):
            steps.append(step)
            update(step.index, step.total)
    return Result(name, document, steps, perf_counter() - start)


def _show(result: Result, engine: "Engine", options: Options) -> None:
    """The views that were asked for: on standard error if standard output is not a terminal."""
    screen = terminal(sys.stdout if sys.stdout.isatty() else sys.stderr)
    name = shown(result.document.path)
    if options.heatmap:
        spans = engine.suspicion(result.document, options.lines)
        if is_rich(screen):
            screen.print(name, style="bold")
            screen.print(coloured_heatmap(result.document, spans), soft_wrap=True, end="")
        else:
            _print_lines(screen.file, name, plain_heatmap(result.document, spans))
    if options.show_flow and is_rich(screen):
        play(result.steps, screen, name)
    elif options.show_flow:
        _print_lines(screen.file, name, blocks(result.steps))


def _print_lines(stream: IO[str], name: str, lines: Iterator[str]) -> None:
    print(f"{name}:", *lines, sep="\n", file=stream, flush=True)


def _deliver(result: Result, engine: "Engine", mode: Mode) -> None:
    """Print or write the proposal as the mode says."""
    proposal, name = result.last.proposal, shown(result.document.path)
    if mode is Mode.JSON:
        model, device = engine.name, str(engine.device)
        print(
            FileReport.of(result.name, result.last, model=model, device=device, seconds=result.seconds).line()
        )
    elif mode is Mode.TEXT:
        _print_text(result.document, proposal.text)
    elif proposal.hunks and mode is Mode.DIFF:
        print_diff(proposal)
    elif proposal.hunks and mode is Mode.WRITE:
        write(result.document, proposal.text)
        print(f"fixed {name}: {count(proposal.hunks)}")
    elif proposal.hunks:
        print(f"{name}: {count(proposal.hunks)}")
    if not proposal.hunks and mode is not Mode.JSON and sys.stderr.isatty():
        terminal(sys.stderr).print(f"{name}: nothing to fix", style="dim")


def _print_text(document: Document, text: str) -> None:
    if sys.stdout.isatty():
        terminal(sys.stdout).out(visible(text), end="")
    else:
        _print_bytes(document.encode(text))


def print_diff(proposal: Proposal) -> None:
    """Print the patch that a proposal makes: in colour where standard output is a terminal."""
    path = _path_in_patch(proposal.document.path)
    if sys.stdout.isatty():
        terminal(sys.stdout).print(coloured_diff(proposal, path or "stdin"), soft_wrap=True, end="")
    else:
        _print_bytes(patch_bytes(proposal.document, proposal.text, path))


def _print_bytes(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _path_in_patch(path: Path | None) -> Path | None:
    """As git names it: from the top of the working tree around the current folder, else from that folder."""
    if path is None:
        return None
    here, target = Path.cwd(), path.resolve()  # git patches the file, never a link to it
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    return target.relative_to(top) if target.is_relative_to(top) else target

"""What `editflow fix` does once its options are known: read, fix, and print or write, file by file."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import IO, TYPE_CHECKING

from editflow.commands.fix_options import STDIN, Mode, Options, UsageError
from editflow.document import MAX_BYTES, Document, check_line_lengths, shown, split_lines
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

PROPOSED, FAILED = 1, 2  # exit codes


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
    engine = _load(options, waiting)
    proposed = False
    for name, document in documents.items():
        try:
            result = _run(name, document, engine, options, waiting)
            _show(result, engine, options)
            _deliver(result, engine, options.mode)
        except EditFlowError as error:
            _complain(error)
            failed = True
        else:
            proposed |= bool(result.last.proposal.hunks)
    if failed:
        return FAILED
    return PROPOSED if proposed and options.mode is Mode.CHECK else 0


def read_all(names: Sequence[str], options: Options) -> tuple[dict[str, Document], bool]:
    """Documents by name, less those that their repository leaves out, and whether any could not be read."""
    documents: dict[str, Document] = {}
    failed = False
    said: set[str] = set()
    for name in dict.fromkeys(names):
        try:
            document = _read(name, options.lines)
        except EditFlowError as error:
            _complain(error)
            failed = True
            continue
        refusal = _refusal(document, options, said)
        if refusal is None:
            documents[name] = document
        else:
            _say(f"{shown(document.path)}: skipped, {refusal}")
    return documents, failed


def _refusal(document: Document, options: Options, said: set[str]) -> str | None:
    """Why the repository leaves a document out; what is wrong with its configuration is `said` once."""
    configuration = options.configuration(document)
    for problem in configuration.problems:
        if problem not in said:
            _say(problem)
            said.add(problem)
    return configuration.refusal(document.path, len(split_lines(document.text)))


def _read(name: str, lines: tuple[int, int] | None) -> Document:
    document = _read_stdin() if name == STDIN else Document.read(name)
    _check_lines(document, lines)
    return document


def _read_stdin() -> Document:
    return Document.from_bytes(sys.stdin.buffer.read(MAX_BYTES + 1))


def _check_lines(document: Document, asked: tuple[int, int] | None) -> None:
    check_line_lengths(document)
    last = max(1, len(split_lines(document.text)))
    if asked is not None and asked[1] > last:
        raise UsageError(f"{shown(document.path)}: --range {asked[0]}:{asked[1]} is outside lines 1:{last}")


def _load(options: Options, waiting: Waiting) -> "Engine":
    with waiting.on("loading the model"):
        from editflow.engine import Engine

        return Engine.load(options.model, options.device)


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


def _complain(error: EditFlowError) -> None:
    _say(str(error))


def _say(text: str) -> None:
    print(f"editflow: {visible(text)}", file=sys.stderr)

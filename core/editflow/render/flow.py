"""The passes of a fix, one after the other: frames on a terminal, one plain block a pass anywhere else."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.live import Live
from rich.text import Text

from editflow.document import Document
from editflow.patch import visible
from editflow.proposal import Hunk, Proposal
from editflow.render.lines import Piece, excerpt, numbered_lines
from editflow.step import Step

PAUSE = 0.35  # seconds a frame stays
CONTEXT = 2  # lines shown around an edit
PENDING = "▒"  # stands where a later pass still writes

_INSERTED, _SUBSTITUTED, _DELETED, _PENDING = "green", "yellow", "red strike", "magenta"


def play(steps: Sequence[Step], console: Console, name: str) -> None:
    """Show the passes that change something in place; the last frame, with the edits that are offered, stays."""
    wanted = _lines_to_show(steps)
    with Live(console=console, auto_refresh=False, vertical_overflow="ellipsis") as live:
        for same in _alike(steps):
            live.update(frame(same[-1], steps[-1].proposal, name, wanted), refresh=True)
            if not same[-1].done:
                time.sleep(PAUSE)


def frame(step: Step, last: Proposal, name: str, wanted: frozenset[int]) -> Text:
    """The source lines in `wanted` with the edits of one pass in them; `last` tells what is still to come."""
    head = Text.assemble((f"{visible(name)}  {_title(step)}  {count(step.proposal.hunks)}", "bold"), "\n")
    pending = [] if step.done else [hunk for hunk in last.hunks if hunk not in step.proposal.hunks]
    pieces = _pieces(step.proposal, pending)
    return head.append_text(excerpt(numbered_lines(pieces), wanted))


def blocks(steps: Sequence[Step]) -> Iterator[str]:
    """One block of lines a pass: `pass 1: line 3: -foo +bar`, and at the end what is offered.

    Passes that leave everything as it was share a line.
    """
    for first, *others in _alike(steps):
        edits = [described(hunk, first.proposal.document) for hunk in first.proposal.hunks] or ["no edits"]
        yield "\n".join(f"{_title(first)}: {edit}" for edit in edits)
        if others:
            last = others[-1].index
            yield (
                f"passes {others[0].index} to {last}: as before" if others[1:] else f"pass {last}: as before"
            )


def _alike(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Runs of passes with one proposal; the result is a run of its own."""
    for _, run in groupby(steps, key=lambda step: (step.done, step.proposal)):
        yield list(run)


def count(hunks: Sequence[Hunk]) -> str:
    """How many hunks, in words."""
    return f"{len(hunks)} hunk" + "s" * (len(hunks) != 1)


def described(hunk: Hunk, document: Document) -> str:
    """A hunk on one line: `line 3: -foo +bar`."""
    sides = ((sign + _quoted(text)) if text else "" for sign, text in (("-", hunk.old), ("+", hunk.new)))
    return f"line {document.line_of(hunk.start) + 1}: " + " ".join(filter(None, sides))


def _title(step: Step) -> str:
    return "result" if step.done else f"pass {step.index}"


def _quoted(text: str) -> str:
    """On one line, and in quotes where space at an end would not be seen."""
    shown = visible(text).replace("\n", "\\n").replace("\t", "\\t")
    return shown if shown == shown.strip() else f"'{shown}'"


def _pieces(proposal: Proposal, pending: Iterable[Hunk]) -> Iterator[Piece]:
    """The document in order: what is kept, old and new text of each hunk, a mark at each pending place."""
    text = proposal.document.text
    places = {_place_of(hunk, proposal.hunks) for hunk in pending}
    marks: list[tuple[int, int, Hunk | None]] = [(hunk.start, hunk.end, hunk) for hunk in proposal.hunks]
    marks += [(place, place, None) for place in places]
    at = 0
    for start, end, hunk in sorted(marks, key=lambda mark: (mark[1], mark[0], mark[2] is None)):
        yield text[at:start], "", True
        if hunk is None:
            yield PENDING, _PENDING, False
        else:
            yield hunk.old, _DELETED, True
            yield hunk.new, _SUBSTITUTED if hunk.old else _INSERTED, False
        at = end
    yield text[at:], "", True


def _place_of(pending: Hunk, hunks: Iterable[Hunk]) -> int:
    """Where the mark of a pending hunk stands: at its end, or after the hunk that is there already."""
    return next((hunk.end for hunk in hunks if hunk.start <= pending.end <= hunk.end), pending.end)


def _lines_to_show(steps: Iterable[Step]) -> frozenset[int]:
    """1-based source lines that any pass edits, and those around them."""
    wanted: set[int] = set()
    for step in steps:
        for hunk in step.proposal.hunks:
            first, last = (step.proposal.document.line_of(place) + 1 for place in (hunk.start, hunk.end))
            wanted.update(range(first - CONTEXT, last + CONTEXT + 1))
    return frozenset(wanted)

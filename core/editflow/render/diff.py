"""A proposal as a coloured unified diff, the changed words of each line standing out."""

import re
from collections.abc import Iterable, Iterator
from os import PathLike

from rich.text import Text

from editflow.document import split_lines
from editflow.patch import unified_diff, visible
from editflow.proposal import Hunk, Proposal

Range = tuple[int, int]  # characters of the old or the new text

_AT = re.compile(r"@@ -(\d+)\S* \+(\d+)")
_STYLES = {"-": "red", "+": "green", "@": "cyan", "\\": "dim"}
_CHANGED = "reverse"


def coloured_diff(proposal: Proposal, path: str | PathLike[str]) -> Text:
    """The patch that `unified_diff` writes, for a terminal."""
    patch = unified_diff(proposal.document.text, proposal.text, path)
    head, at, body = patch.partition("@@")
    view = Text().append(visible(head), "bold")
    for line in _lines(at + body, proposal):
        view.append_text(line)
    return view


def _lines(body: str, proposal: Proposal) -> Iterator[Text]:
    """Each line of the patch, with a cursor on both texts to find the changed characters."""
    texts = {"-": proposal.document.text, "+": proposal.text}
    ranges = {
        "-": [(hunk.start, hunk.end) for hunk in proposal.hunks],
        "+": list(_new_ranges(proposal.hunks)),
    }
    starts = {sign: _line_starts(text) for sign, text in texts.items()}
    at = {"-": 0, "+": 0}
    for line in split_lines(body):
        sign = line[0]
        if found := _AT.match(line):
            at = {side: max(int(number) - 1, 0) for side, number in zip("-+", found.groups(), strict=True)}
        view = Text(visible(line), style=_STYLES.get(sign, ""))
        if sign in texts:
            _emphasise(view, starts[sign][at[sign]] - 1, ranges[sign])
        for side in "-+" if sign == " " else sign:
            if side in at:
                at[side] += 1
        yield view


def _emphasise(view: Text, offset: int, ranges: Iterable[Range]) -> None:
    """Mark the ranges in a line that starts at `offset`, unless they are all of it."""
    first, last = 1, len(view.plain.rstrip("\n"))
    for start, end in ranges:
        start, end = max(start - offset, first), min(end - offset, last)
        if start < end and (start, end) != (first, last):
            view.stylize(_CHANGED, start, end)


def _new_ranges(hunks: Iterable[Hunk]) -> Iterator[Range]:
    """Where each hunk's replacement lies in the new text."""
    moved = 0
    for hunk in hunks:
        yield hunk.start + moved, hunk.start + moved + len(hunk.new)
        moved += len(hunk.new) - len(hunk.old)


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\n", text))]

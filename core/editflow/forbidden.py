"""Edits that must not be made: where they are in a text that was edited since, and what of a set of edits makes them.

The model may make one in several parts, or as a part of a larger set, so that what counts is the text that results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from editflow.pieces import Pieces, TextEdit

if TYPE_CHECKING:
    from editflow.request import Replacement

MOST = 16
"""Edits that make a forbidden one together, at most."""
FAR = 1000
"""Characters that an edit may slide, at most."""


def permitted(pieces: Pieces, edits: Iterable[TextEdit], forbidden: Sequence[Replacement]) -> list[TextEdit]:
    """The edits of the current text that are left when none of the forbidden ones, of the original, is made.

    Edits must not overlap. Those that together make a forbidden edit are all left out.
    """
    if not forbidden:
        return list(edits)
    text, left = pieces.text, sorted(edits, key=lambda edit: edit[:2])
    moved = [each for replacement in forbidden for each in _in_current(pieces, replacement)]
    while made := next((run for each in moved for run in _makers(text, left, each)), None):
        left = [edit for edit in left if edit not in made]
    return left


def reach(text: str, start: int, end: int, new: str) -> tuple[int, int]:
    """The first end and the last start that edits can have which make the same text as this one.

    For most they are its own; a bracket beside its like can be inserted on either side, and has both.
    """
    from rapidfuzz.distance import Postfix, Prefix  # 20 ms that the reviewer's first screen need not wait for

    ahead = Prefix.similarity(text[start : start + FAR], new + text[end : end + FAR])
    behind = Postfix.similarity(text[max(0, end - FAR) : end], text[max(0, start - FAR) : start] + new)
    return end - int(behind), start + int(ahead)


def _in_current(pieces: Pieces, replacement: Replacement) -> Iterator[Replacement]:
    """A replacement of the original in the current text; in several ways where it touches new text."""
    start, end, new = replacement
    for first in _places(pieces, start):
        for last in _places(pieces, end):
            if first <= last:
                yield first, last, new


def _places(pieces: Pieces, offset: int) -> set[int]:
    """Where the current text has an offset of the original: before and after each new text that touches it."""
    places: set[int] = set()
    at = 0
    for piece in pieces.pieces:
        size = piece.end - piece.start if piece.text is None else len(piece.text)
        if piece.start <= offset <= piece.end:
            places |= {at + offset - piece.start} if piece.text is None else {at, at + size}
        at += size
    return places


def _makers(text: str, edits: Sequence[TextEdit], replacement: Replacement) -> Iterator[list[TextEdit]]:
    """Neighbouring edits that make the same text as the replacement does, wherever they are."""
    start, end, _ = replacement
    first_end, last_start = reach(text, *replacement)
    for first, (low, _, _, _) in enumerate(edits):
        for run in (edits[first:last] for last in range(first + 1, min(first + MOST, len(edits)) + 1)):
            high = run[-1][1]
            if low > last_start or high < first_end:
                continue
            hull = min(start, low), max(end, high)
            if _spliced(text, *hull, run) == _spliced(text, *hull, [replacement]):
                yield list(run)


def _spliced(text: str, low: int, high: int, edits: Sequence[TextEdit | Replacement]) -> str:
    """The characters `low:high` of a text with edits, in order, applied to them."""
    parts: list[str] = []
    for start, end, new, *_ in edits:
        parts += [text[low:start], new]
        low = end
    return "".join(parts) + text[low:high]

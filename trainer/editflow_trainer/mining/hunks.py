"""Differences between two texts by lines, each with a few equal lines around, as in a unified diff."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

CONTEXT = 3  # equal lines on either side
MOST_COMPARED = 25_000_000  # pairs of lines; beyond it the whole difference is one hunk
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that replace others; both with their newlines."""

    start: int  # 0-based line in the old text
    before: tuple[str, ...]
    after: tuple[str, ...]


def lines_of(text: str) -> list[str]:
    """The lines of a text, each with its "\\n"; joined they are the text."""
    return _LINE.findall(text)


def hunks(old: Sequence[str], new: Sequence[str], context: int = CONTEXT) -> Iterator[Hunk]:
    """Yields the hunks from one sequence of lines to the other, in order and apart from each other."""
    group: list[tuple[int, int, int, int]] = []
    for change in _changes(old, new):
        if group and change[0] - group[-1][1] > 2 * context:
            yield _hunk(group, old, new, context)
            group = []
        group.append(change)
    if group:
        yield _hunk(group, old, new, context)


def apply(lines: Sequence[str], changes: Iterable[Hunk]) -> list[str]:
    """The lines after all hunks.

    Raises:
        ValueError: a hunk is not of these lines, or touches the one before it.
    """
    result: list[str] = []
    at = 0
    for hunk in changes:
        end = hunk.start + len(hunk.before)
        if hunk.start < at or tuple(lines[hunk.start : end]) != hunk.before:
            raise ValueError(f"the hunk at line {hunk.start} does not apply")
        result += [*lines[at : hunk.start], *hunk.after]
        at = end
    return [*result, *lines[at:]]


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """The differing ranges (old from, to, new from, to), with equal lines between them."""
    first, last = _common_ends(old, new)
    middle, other = old[first : len(old) - last], new[first : len(new) - last]
    if not middle or not other or len(middle) * len(other) > MOST_COMPARED:
        if middle or other:
            yield first, first + len(middle), first, first + len(other)
        return
    at, new_at = 0, 0
    for op in LCSseq.opcodes(middle, other):
        if op.tag == "equal":
            if op.src_start > at or op.dest_start > new_at:
                yield at + first, op.src_start + first, new_at + first, op.dest_start + first
            at, new_at = op.src_end, op.dest_end
    if at < len(middle) or new_at < len(other):
        yield at + first, len(middle) + first, new_at + first, len(other) + first


def _common_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    shorter = min(len(old), len(new))
    first = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    rest = shorter - first
    return first, next((i for i in range(rest) if old[-1 - i] != new[-1 - i]), rest)


def _hunk(
    group: list[tuple[int, int, int, int]], old: Sequence[str], new: Sequence[str], context: int
) -> Hunk:
    above = min(context, group[0][0])
    below = min(context, len(old) - group[-1][1])
    start, end = group[0][0] - above, group[-1][1] + below
    return Hunk(start, tuple(old[start:end]), tuple(new[group[0][2] - above : group[-1][3] + below]))

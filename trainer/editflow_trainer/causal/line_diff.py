"""Differences between two token sequences by whole lines, and the one strict way to apply them.

A hunk is applied where it says and only if the lines that it removes are the ones there, token by token; nothing is
searched for nearby.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain

from editflow_trainer.causal.refusal import Reason, Refused

Line = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LineHunk:
    """Replace the removed lines, the first of which has this number, by the added ones."""

    number: int
    """Counts from 1; a hunk that removes nothing inserts before the line of this number."""
    removed: tuple[Line, ...]
    added: tuple[Line, ...]


def split_lines(tokens: Iterable[int], line_ends: Collection[int]) -> list[Line]:
    """Lines, each with the token that ends it; the last may lack one."""
    # editflow.alignment cuts the same way, but brings rapidfuzz, which a training machine may lack
    lines: list[Line] = []
    line: list[int] = []
    for token in tokens:
        line.append(token)
        if token in line_ends:
            lines.append(tuple(line))
            line = []
    return [*lines, tuple(line)] if line else lines


def line_hunks(source: Sequence[Line], target: Sequence[Line]) -> list[LineHunk]:
    """The hunks that turn one into the other, in order."""
    matcher = SequenceMatcher(None, source, target, autojunk=False)
    return [
        LineHunk(i1 + 1, tuple(source[i1:i2]), tuple(target[j1:j2]))
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def apply_hunks(hunks: Iterable[LineHunk], source: Sequence[Line], line_ends: Collection[int]) -> list[int]:
    """The tokens that the hunks make of the source.

    Raises:
        Refused: hunks are out of order, beyond the end, or remove lines that are not there; or added lines would
            run into the one that follows.
    """
    out: list[Line] = []
    at = 0
    for hunk in hunks:
        first, last = hunk.number - 1, hunk.number - 1 + len(hunk.removed)
        if first < at:
            raise Refused(Reason.out_of_order)
        if last > len(source):
            raise Refused(Reason.no_such_line)
        if tuple(source[first:last]) != hunk.removed:
            raise Refused(Reason.other_lines)
        out += [*source[at:first], *hunk.added]
        at = last
    out += source[at:]
    if any(line[-1] not in line_ends for line in out[:-1]):
        raise Refused(Reason.malformed)
    return list(chain.from_iterable(out))

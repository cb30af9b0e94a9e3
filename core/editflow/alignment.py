"""Minimum-edit alignment of two token sequences, inside line hunks, with canonical tie-breaks.

Alignments are computed once, offline, and stored; the loss never computes one. Lines that are equal on both
sides anchor the alignment; inside a changed block the edit script is the minimal one of
`rapidfuzz.distance.Levenshtein`. Among equal choices, insertions and deletions are pushed right, past the start of
the next line where it begins alike, so that the same edit always has the same slots.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from rapidfuzz.distance import Indel, Levenshtein

BLANK = -1
Slots = tuple[list[int], list[int]]
Lines = list[tuple[int, ...]]


def align(source: Sequence[int], target: Sequence[int], line_ends: Collection[int]) -> Slots:
    """Aligned slots (z0, z1), each a list of ids with BLANK for "no token" (arXiv 2506.09018, section 3.1).

    `line_ends` are the token ids that end a line.
    """
    old, new = _lines(source, line_ends), _lines(target, line_ends)
    z0: list[int] = []
    z1: list[int] = []
    for same, a, b in _blocks(old, new):
        left, right = (a, b) if same else _align_tokens(a, b)
        z0 += left
        z1 += right
    return _push_right(z0, z1)


def _blocks(old: Lines, new: Lines) -> Iterator[tuple[bool, list[int], list[int]]]:
    """Runs of equal lines, and the blocks between them, as flat tokens."""
    for same, group in groupby(Indel.opcodes(old, new), lambda block: block.tag == "equal"):
        blocks = list(group)
        a = old[blocks[0].src_start : blocks[-1].src_end]
        b = new[blocks[0].dest_start : blocks[-1].dest_end]
        yield same, [t for line in a for t in line], [t for line in b for t in line]


def _lines(tokens: Sequence[int], line_ends: Collection[int]) -> Lines:
    lines: Lines = []
    start = 0
    for i, token in enumerate(tokens):
        if token in line_ends:
            lines.append(tuple(tokens[start : i + 1]))
            start = i + 1
    if start < len(tokens):
        lines.append(tuple(tokens[start:]))
    return lines


def _align_tokens(a: list[int], b: list[int]) -> Slots:
    z0: list[int] = []
    z1: list[int] = []
    for op in Levenshtein.opcodes(a, b):
        left, right = a[op.src_start : op.src_end], b[op.dest_start : op.dest_end]
        width = max(len(left), len(right))
        z0 += left + [BLANK] * (width - len(left))
        z1 += right + [BLANK] * (width - len(right))
    return z0, z1


def _push_right(z0: list[int], z1: list[int]) -> Slots:
    """Slide each run of insertions, then of deletions, right while that leaves both sides unchanged."""
    _slide(z0, z1)
    _slide(z1, z0)
    return z0, z1


def _slide(blank: list[int], full: list[int]) -> None:
    i = len(blank) - 1
    while i >= 0:
        if blank[i] != BLANK:
            i -= 1
            continue
        end = i + 1
        while i > 0 and blank[i - 1] == BLANK:
            i -= 1
        start = i
        while end < len(blank) and blank[end] == full[end] == full[start]:
            blank[start], blank[end] = blank[end], BLANK
            start, end = start + 1, end + 1
        i -= 1

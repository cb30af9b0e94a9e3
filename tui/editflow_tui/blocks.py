"""Hunks that share lines as one block of rows: old lines, the new ones with what was not rejected, rejected ones.

A hunk is a range of characters, so several may share a line; a block is the least run of whole lines that none
of its hunks reaches out of. Line numbers of the new side and hunks count from the start of the block, so that a
block stays the same value when something above it changes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from itertools import zip_longest

from editflow.document import Document, split_lines
from editflow.proposal import Hunk, HunkState

Mark = tuple[int, int, int]  # characters start:end of a line, and the hunk that they belong to
Opcode = tuple[str, int, int, int, int]

_MOST_LINES = 400  # difflib is quadratic: past this a block only loses its equal ends


class Kind(StrEnum):
    """What a line of the picture is."""

    context = "context"
    old = "old"
    new = "new"
    rejected = "rejected"
    stale = "stale"


@dataclass(frozen=True, slots=True)
class Cell:
    """One line on one side."""

    kind: Kind
    text: str  # with its line end, if it has one
    old: int | None = None  # 0-based line of the document
    new: int | None = None  # 0-based line of the text with the hunks that are not rejected
    pair: str | None = None  # the line on the other side that it is compared with
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One cell, or two side by side (None: nothing there); `heads` are the hunks whose first row it is."""

    cells: tuple[Cell | None, ...]
    heads: tuple[int, ...] = ()

    @property
    def hunks(self) -> tuple[int, ...]:
        """Every hunk with a part in this row, in order."""
        marked = {hunk for cell in self.cells if cell is not None for *_, hunk in cell.marks}
        return tuple(sorted(marked.union(self.heads)))


@dataclass(frozen=True, slots=True)
class Block:
    """Rows for the lines `first:last` of the document; `new_lines` is how many the new side has."""

    first: int
    last: int
    unified: tuple[Row, ...]
    split: tuple[Row, ...]
    new_lines: int
    new_text: str


Group = tuple[int, int, range]  # lines first:last, hunks


def groups_of(document: Document, hunks: Sequence[Hunk], count: int) -> Iterator[Group]:
    """Runs of hunks that share lines, with those lines; `count` is the number of lines of the document."""
    first, last, start = 0, -1, 0
    for index, hunk in enumerate(hunks):
        low, high = _lines_touched(document, hunk)
        if index == start or low >= last:
            if index > start:
                yield min(first, count), min(last, count), range(start, index)
            first, last, start = low, high, index
        last = max(last, high)
    if hunks:
        yield min(first, count), min(last, count), range(start, len(hunks))


def _lines_touched(document: Document, hunk: Hunk) -> tuple[int, int]:
    """Lines that the hunk changes, adds to or joins; none for whole lines put between two others."""
    first, last = document.line_of(hunk.start), document.line_of(hunk.end)
    starts = document.line_starts
    whole = starts[first] == hunk.start and hunk.start < hunk.end
    closed = hunk.new.endswith("\n") or (whole and not hunk.new)
    return first, last if closed and starts[last] == hunk.end else last + 1


@lru_cache(maxsize=4096)
def make_block(old: str, start: int, first: int, hunks: tuple[Hunk, ...]) -> Block:
    """The block of hunks over the lines `old`, which start at character `start` and line `first`."""
    numbered = list(enumerate(hunks))
    live = [(i, hunk) for i, hunk in numbered if hunk.state is not HunkState.REJECTED]
    dropped = [(i, hunk) for i, hunk in numbered if hunk.state is HunkState.REJECTED]
    old_lines = split_lines(old)
    old_marks = _by_line(old_lines, [(hunk.start - start, hunk.end - start, i) for i, hunk in numbered])
    new_lines, new_marks = _applied(old, start, live)
    ghosts, kept = _ghosts(old, start, old_lines, dropped, old_marks)
    cells: list[Cell] = []
    pairs: list[tuple[Cell | None, Cell | None]] = []
    for tag, i1, i2, j1, j2 in _opcodes(old_lines, new_lines):
        olds = [Cell(Kind.old, old_lines[i], first + i, marks=old_marks[i]) for i in range(i1, i2)]
        news = [Cell(Kind.new, new_lines[j], new=j, marks=new_marks[j]) for j in range(j1, j2)]
        if tag == "equal":
            both = zip(range(i1, i2), range(j1, j2), strict=True)
            olds = [Cell(Kind.context, old_lines[i], first + i, j, marks=kept.get(i, ())) for i, j in both]
            cells += olds
            pairs += zip(olds, olds, strict=True)
        else:
            olds, news = _paired(olds, news)
            cells += olds + news
            pairs += zip_longest(olds, news)
    unified = _headed([*((cell,) for cell in cells), *((ghost,) for ghost in ghosts)], len(hunks))
    split = _headed([*pairs, *((None, ghost) for ghost in ghosts)], len(hunks))
    return Block(first, first + len(old_lines), unified, split, len(new_lines), "".join(new_lines))


def _applied(
    old: str, start: int, hunks: Iterable[tuple[int, Hunk]]
) -> tuple[list[str], list[tuple[Mark, ...]]]:
    """The lines with these hunks applied, and the marks of each."""
    pieces: list[str] = []
    marks: list[Mark] = []
    at = size = 0
    for index, hunk in hunks:
        kept = old[at : hunk.start - start]
        pieces += (kept, hunk.new)
        size += len(kept) + len(hunk.new)
        marks.append((size - len(hunk.new), size, index))
        at = hunk.end - start
    lines = split_lines("".join(pieces) + old[at:])
    return lines, _by_line(lines, marks)


def _ghosts(
    old: str,
    start: int,
    old_lines: list[str],
    dropped: Sequence[tuple[int, Hunk]],
    marked: Sequence[tuple[Mark, ...]],
) -> tuple[list[Cell], dict[int, tuple[Mark, ...]]]:
    """Lines as the rejected hunks would have made them, and the marks of those old lines they leave alone."""
    if not dropped:
        return [], {}
    indices = {index for index, _ in dropped}
    lines, marks = _applied(old, start, dropped)
    ghosts: list[Cell] = []
    kept: dict[int, tuple[Mark, ...]] = {}
    for tag, i1, i2, j1, j2 in _opcodes(old_lines, lines):
        if tag != "equal":
            ghosts += (Cell(Kind.rejected, lines[j], marks=marks[j]) for j in range(j1, j2))
            kept |= {i: tuple(mark for mark in marked[i] if mark[2] in indices) for i in range(i1, i2)}
    return ghosts, kept


def _by_line(lines: Sequence[str], marks: Sequence[Mark]) -> list[tuple[Mark, ...]]:
    """The marks of a text cut at the ends of its lines, in characters of each line."""
    cut: list[tuple[Mark, ...]] = []
    at = 0
    for number, line in enumerate(lines):
        end = at + len(line)
        is_last = number == len(lines) - 1
        cut.append(
            tuple(
                (max(start, at) - at, min(stop, end) - at, hunk)
                for start, stop, hunk in marks
                if (start < end or (is_last and start == end)) and (stop > at or start == stop == at)
            )
        )
        at = end
    return cut


def _opcodes(old: Sequence[str], new: Sequence[str]) -> list[Opcode]:
    if max(len(old), len(new)) <= _MOST_LINES:
        return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())
    most = min(len(old), len(new))
    head = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - head) if old[-1 - i] != new[-1 - i]), most - head)
    i, j = len(old) - tail, len(new) - tail
    ends = ("equal", 0, head, 0, head), ("equal", i, len(old), j, len(new))
    return [ends[0], ("replace", head, i, head, j), ends[1]]


def _paired(olds: list[Cell], news: list[Cell]) -> tuple[list[Cell], list[Cell]]:
    """Old and new lines that take each other's place know each other's text."""
    both = list(zip(olds, news, strict=False))
    paired_olds = [replace(old, pair=new.text) for old, new in both]
    paired_news = [replace(new, pair=old.text) for old, new in both]
    return paired_olds + olds[len(both) :], paired_news + news[len(both) :]


def _headed(rows: Iterable[tuple[Cell | None, ...]], hunks: int) -> tuple[Row, ...]:
    """Rows that know which hunks start in them; a hunk without a row of its own starts in the first."""
    made = [Row(cells) for cells in rows]
    heads: dict[int, list[int]] = {}
    for hunk in range(hunks if made else 0):
        at = next((at for at, row in enumerate(made) if hunk in row.hunks), 0)
        heads.setdefault(at, []).append(hunk)
    return tuple(replace(row, heads=tuple(heads.get(at, ()))) for at, row in enumerate(made))

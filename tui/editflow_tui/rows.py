"""The rows of a picture, made when asked for: unchanged lines, folds over most of them, blocks of hunks, notes.

A hundred thousand lines are a handful of pieces here; only `Rows[i]` makes a row.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

from editflow.document import Document, split_lines
from editflow.proposal import Hunk, Proposal
from editflow_tui.blocks import Block, Cell, Kind, Row, groups_of, make_block
from editflow_tui.view import View
from editflow_tui.visible import is_plain, show, without_end


@dataclass(frozen=True, slots=True)
class Lines:
    """Unchanged lines; the new side is `shift` lines further down."""

    first: int
    last: int
    shift: int

    def __len__(self) -> int:
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class Fold:
    """One row that stands for unchanged lines, or above them while it is open."""

    first: int
    last: int
    is_open: bool

    def __len__(self) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class Changed:
    """The rows of a block."""

    block: Block
    shift: int
    hunk: int  # the block's first
    is_split: bool

    @property
    def first(self) -> int:
        return self.block.first

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.block.split if self.is_split else self.block.unified

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Note:
    """What a stale hunk would have replaced by what, on one row near where it was."""

    first: int
    text: str
    is_split: bool

    @property
    def rows(self) -> tuple[Row, ...]:
        cell = Cell(Kind.stale, self.text)
        return (Row((cell, None) if self.is_split else (cell,)),)

    def __len__(self) -> int:
        return 1


Piece = Lines | Fold | Changed | Note


class Rows:
    """A sequence of rows, and the ways between rows, lines of the document and hunks."""

    def __init__(self, proposal: Proposal, view: View, stale: tuple[Hunk, ...] = (), *, split: bool) -> None:
        self.document = proposal.document
        self.is_split = split
        self.count = line_count(self.document)
        self.pieces = list(self._pieces(proposal.hunks, view, stale))
        self._starts = list(accumulate(map(len, self.pieces), initial=0))
        self._lines = [piece.first for piece in self.pieces]
        changed = [(i, piece) for i, piece in enumerate(self.pieces) if isinstance(piece, Changed)]
        self._changed = [i for i, _ in changed]
        self._hunks = [piece.hunk for _, piece in changed]
        self.new_count = self.count + (changed[-1][1].shift if changed else 0) + self._growth(changed)

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Row | Fold:
        """Row `index`, its lines and hunks counted from the start of the document."""
        at, piece = self._piece_at(index)
        within = index - self._starts[at]
        match piece:
            case Lines():
                line = piece.first + within
                text = line_text(self.document, line)
                cell = Cell(Kind.context, text, line, line + piece.shift)
                return Row((cell,) * (1 + self.is_split))
            case Changed():
                return _moved(piece.rows[within], piece.first + piece.shift, piece.hunk)
            case Note():
                return piece.rows[within]
            case Fold():
                return piece

    def row_of_line(self, line: int) -> int:
        """The row that shows a 0-based line of the document, or the closed fold that hides it."""
        line = max(0, min(line, self.count - 1))
        at = bisect_right(self._lines, line) - 1
        if at < 0:
            return 0
        piece, start = self.pieces[at], self._starts[at]
        if isinstance(piece, Lines):
            return start + min(line - piece.first, len(piece) - 1)
        if isinstance(piece, Changed):
            rows = enumerate(piece.rows, start)
            return next((i for i, row in rows if row.cells[0] and row.cells[0].old == line), start)
        return start

    def line_of_row(self, index: int) -> int:
        """The 0-based line of the document that a row shows, or the one above it."""
        at, piece = self._piece_at(index)
        within = index - self._starts[at]
        if isinstance(piece, Lines):
            return piece.first + within
        if isinstance(piece, Changed):
            olds = (cell.old for row in piece.rows[within::-1] if (cell := row.cells[0]))
            return next((old for old in olds if old is not None), piece.first)
        return min(piece.first, max(0, self.count - 1))

    def rows_of_hunk(self, index: int) -> range:
        """From the first to the last row with a part of a hunk; empty if it has none."""
        at = bisect_right(self._hunks, index) - 1
        if at < 0:
            return range(0)
        piece, start = self.pieces[self._changed[at]], self._starts[self._changed[at]]
        assert isinstance(piece, Changed)
        wanted = index - piece.hunk
        rows = [start + i for i, row in enumerate(piece.rows) if wanted in row.hunks]
        return range(rows[0], rows[-1] + 1) if rows else range(0)

    def block_at(self, index: int) -> tuple[Block, int] | None:
        """The block that a row belongs to, and how far its new side is moved."""
        piece = self._piece_at(index)[1]
        return (piece.block, piece.shift) if isinstance(piece, Changed) else None

    def folds(self) -> tuple[int, ...]:
        """First hidden line of every fold, open or closed."""
        return tuple(piece.first for piece in self.pieces if isinstance(piece, Fold))

    def fold_over(self, line: int) -> Fold | None:
        """The fold, open or closed, over a 0-based line."""
        folds = (piece for piece in self.pieces if isinstance(piece, Fold))
        return next((fold for fold in folds if fold.first <= line < fold.last), None)

    def _piece_at(self, index: int) -> tuple[int, Piece]:
        if not 0 <= index < len(self):
            raise IndexError(f"no row {index} among {len(self)}")
        at = bisect_right(self._starts, index) - 1
        return at, self.pieces[at]

    def _growth(self, changed: Sequence[tuple[int, Changed]]) -> int:
        if not changed:
            return 0
        block = changed[-1][1].block
        return block.new_lines - (block.last - block.first)

    def _pieces(self, hunks: tuple[Hunk, ...], view: View, stale: tuple[Hunk, ...]) -> Iterator[Piece]:
        """Blocks and notes in the order of their lines, and what is unchanged between them."""
        marks: list[Changed | Note] = [*self._blocks(hunks), *self._notes(stale)]
        marks.sort(key=lambda piece: piece.first)
        context = view.context if marks else None
        at = shift = 0
        for mark in marks:
            last = mark.block.last if isinstance(mark, Changed) else mark.first
            if mark.first > at:
                yield from self._gap(at, mark.first, shift, context, view)
            if isinstance(mark, Changed):
                yield replace(mark, shift=shift)
                shift += mark.block.new_lines - (last - mark.first)
            else:
                yield mark
            at = max(at, last)
        yield from self._gap(at, self.count, shift, context, view)

    def _blocks(self, hunks: tuple[Hunk, ...]) -> Iterator[Changed]:
        starts = (*self.document.line_starts, len(self.document.text))
        for first, last, indices in groups_of(self.document, hunks, self.count):
            old = self.document.text[starts[first] : starts[last]]
            block = make_block(old, starts[first], first, hunks[indices.start : indices.stop])
            yield Changed(block, 0, indices.start, self.is_split)

    def _notes(self, stale: Iterable[Hunk]) -> Iterator[Note]:
        for hunk in stale:
            line = self.document.line_of(min(hunk.start, len(self.document.text)))
            text = f"{hunk.old.strip()} → {hunk.new.strip()}".replace("\n", " ⏎ ").strip()
            yield Note(min(line, self.count), text + "\n", self.is_split)

    def _gap(self, first: int, last: int, shift: int, context: int | None, view: View) -> Iterator[Piece]:
        """Unchanged lines, folded between the context of what is before and after them."""
        if context is None:
            low = high = last
        else:
            low = min(last, first + context if first else 0)
            high = max(low, last - context if last < self.count else last)
        hidden = high - low
        if hidden < 2:  # a fold takes a row itself
            low = high = last
        if first < low:
            yield Lines(first, low, shift)
        if low < high:
            is_open = low in view.open_folds
            yield Fold(low, high, is_open)
            if is_open:
                yield Lines(low, high, shift)
        if high < last:
            yield Lines(high, last, shift)


def line_count(document: Document) -> int:
    """Lines of a document; a final newline ends the last one and starts none."""
    return len(document.line_starts) - (not document.text or document.text.endswith("\n"))


def line_text(document: Document, line: int) -> str:
    """A 0-based line with its line end."""
    starts = document.line_starts
    end = starts[line + 1] if line + 1 < len(starts) else len(document.text)
    return document.text[starts[line] : end]


def ends_in_crlf(document: Document) -> bool:
    """Whether the document's lines end in "\\r\\n", as its first does."""
    return line_text(document, 0).endswith("\r\n")


@lru_cache(maxsize=8)
def line_widths(document: Document) -> tuple[int, ...]:
    """Cells that each line of a document takes."""
    crlf = ends_in_crlf(document)
    lines = (without_end(line, crlf) for line in split_lines(document.text))
    return tuple(len(line) if is_plain(line) else show(line).width for line in lines)


def _moved(row: Row, new: int, hunk: int) -> Row:
    """A row of a block whose new side starts at line `new` and whose hunks start at `hunk`."""
    moved: dict[int, Cell | None] = {}
    for cell in row.cells:
        if cell is not None and id(cell) not in moved:
            marks = tuple((start, end, index + hunk) for start, end, index in cell.marks)
            line = None if cell.new is None else cell.new + new
            moved[id(cell)] = replace(cell, new=line, marks=marks)
    cells = tuple(None if cell is None else moved[id(cell)] for cell in row.cells)
    return Row(cells, tuple(index + hunk for index in row.heads))

"""One line of the screen as a Strip: gutter, text under its layers of style, fill, cropped to what is visible."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from editflow_tui.blocks import Cell, Kind, Row
from editflow_tui.rows import Fold
from editflow_tui.style import Palette
from editflow_tui.syntax import Colours
from editflow_tui.visible import NO_NEWLINE, show
from editflow_tui.words import changed_words
from editflow_tui.wrapping import displayed

Layer = tuple[int, int, str]  # characters start:end of a line, the name of a style

_SIGNS = {Kind.context: " ", Kind.old: "-", Kind.new: "+", Kind.rejected: "✗", Kind.stale: "!"}
_SIGN_STYLES = {Kind.rejected: "dropped", Kind.stale: "lost"}
_MARKED = {Kind.rejected, Kind.stale}  # what has no side: struck, in no syntax colours
_NOTED = 32  # columns: a narrower pane has no confidence in its gutter
_NUMBERED = 50  # columns: a narrower pane has no line numbers


@dataclass(frozen=True, slots=True)
class Pane:
    """Where things are on a line of the screen `width` cells wide."""

    width: int
    digits: int  # of the largest line number
    is_split: bool

    @property
    def _number(self) -> int:
        return self.digits + 1 if self.width >= _NUMBERED else 0

    @property
    def gutters(self) -> tuple[int, ...]:
        """Cells before the text of each column: bar, state, confidence, numbers, sign."""
        first = 2 + (5 if self.width >= _NOTED else 0)
        if self.is_split:
            return first + self._number + 2, self._number + 3
        return (first + 2 * self._number + 2,)

    @property
    def texts(self) -> tuple[int, ...]:
        """Cells for the text of each column, at least one."""
        if not self.is_split:
            return (max(1, self.width - self.gutters[0]),)
        half = self.width // 2
        return max(1, half - self.gutters[0]), max(1, self.width - half - self.gutters[1])

    def column(self, cell: int) -> tuple[int, int]:
        """The column at a cell of the screen, and the cell within its text; negative in the gutter."""
        half = self.width // 2
        at = int(self.is_split and cell >= half)
        return at, cell - at * half - self.gutters[at]


@dataclass(frozen=True, slots=True)
class Marking:
    """What a row carries besides its text; layers lie on cells of the document only."""

    glyph: str = " "
    state: str = "pending"  # the style of the glyph
    note: str = ""  # confidence, or the states of several hunks
    bar: bool = False
    cursor: int | None = None
    draft: bool = False
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True)
class Painter:
    """Makes strips in one palette and geometry; `colours` gives the syntax colours of a cell."""

    palette: Palette
    pane: Pane
    crlf: bool
    whitespace: bool

    def row(
        self,
        row: Row,
        x: int,
        marking: Marking,
        colours: Callable[[Cell], Colours],
        *,
        part: int | None = None,
    ) -> Strip:
        """A row from cell `x` of its texts on, or line `part` of it where it is wrapped."""
        segments = self._state(marking, first=not part)
        for column, (cell, width) in enumerate(zip(row.cells, self.pane.texts, strict=True)):
            segments += self._gutter(cell, column, first=not part)
            segments += self._text(cell, self._start(cell, width, x, part), width, marking, colours)
        return Strip(segments).adjust_cell_length(self.pane.width, self.palette.base)

    def fold(self, fold: Fold, heading: str) -> Strip:
        """A fold, as one line, with the definition that the lines after it belong to."""
        words = f"{'⌄' if fold.is_open else '⋯'} {fold.last - fold.first} lines  {show(heading).text}"
        style = self.palette.base + self.palette["fold"]
        text = " " * min(self.pane.gutters[0], self.pane.width // 4) + words
        return Strip([Segment(text, style)]).adjust_cell_length(self.pane.width, style)

    def _start(self, cell: Cell | None, width: int, x: int, part: int | None) -> tuple[int, int]:
        """The cells of a text that are on this line of the screen."""
        if part is None or cell is None:
            return x, x + width
        breaks = show(displayed(cell, self.crlf), self.whitespace).breaks(width)
        if part >= len(breaks):
            return 0, 0
        return breaks[part], breaks[part + 1] if part + 1 < len(breaks) else breaks[part] + width

    def _state(self, marking: Marking, *, first: bool) -> list[Segment]:
        """The bar of the hunk under the cursor; the state and confidence of hunks that start here."""
        base = self.palette.base
        bar = Segment("▌" if marking.bar else " ", base + self.palette["bar"])
        glyph = Segment(marking.glyph if first else " ", base + self.palette[marking.state])
        note = Segment(f"{marking.note if first else '':>4} ", base + self.palette["gutter"])
        return [bar, glyph, note] if self.pane.width >= _NOTED else [bar, glyph]

    def _gutter(self, cell: Cell | None, column: int, *, first: bool) -> list[Segment]:
        """Line numbers and sign of one column."""
        lines = (cell.old, cell.new) if cell else (None, None)
        shown = lines[column : column + 1] if self.pane.is_split else lines
        digits = self.pane.digits if self.pane.width >= _NUMBERED else 0
        numbers = "".join(f"{'' if n is None or not first else n + 1:>{digits}} " for n in shown if digits)
        base = self.palette.base + self.palette["gutter"]
        segments = [Segment("│" * column + numbers, base)]
        if cell is None:
            return [*segments, Segment("  ", base)]
        name = _SIGN_STYLES.get(cell.kind, cell.kind.value)
        tint = self.palette.base if cell.kind in _MARKED else self._row_style(cell)
        style = tint + (self.palette[name] if name in self.palette.styles else Style.null())
        return [*segments, Segment((_SIGNS[cell.kind] if first else " ") + " ", style)]

    def _row_style(self, cell: Cell | None) -> Style:
        if cell is None:
            return self.palette.base + self.palette["fill"]
        tint = Style.null() if cell.kind is Kind.context else self.palette[cell.kind.value]
        return self.palette.base + tint

    def _text(
        self,
        cell: Cell | None,
        cells: tuple[int, int],
        width: int,
        marking: Marking,
        colours: Callable[[Cell], Colours],
    ) -> list[Segment]:
        """The part of a text that is on the screen, filled up to the width of its column."""
        base = self._row_style(cell)
        if cell is None:
            return [Segment(" " * width, base)]
        shown = show(displayed(cell, self.crlf), self.whitespace)
        start, stop, pad = shown.crop(*cells)
        styles = [base] * (stop - start)
        for first, last, style in self._layers(cell, marking, colours):
            low, high = shown.place(first) - start, shown.place(last) - start
            for at in range(max(0, low), min(len(styles), high)):
                styles[at] = styles[at] + style
        segments = [Segment(" " * pad, base)] if pad else []
        at = start
        for style, run in groupby(styles):
            length = sum(1 for _ in run)
            segments.append(Segment(shown.text[at : at + length], style))
            at += length
        used = pad + sum(segment.cell_length for segment in segments[bool(pad) :])
        return [*segments, Segment(" " * (width - used), base)] if used < width else segments

    def _layers(
        self, cell: Cell, marking: Marking, colours: Callable[[Cell], Colours]
    ) -> Iterable[tuple[int, int, Style]]:
        """Styles to lay over a cell, the lowest first."""
        text = displayed(cell, self.crlf)
        end = len(text) - (len(NO_NEWLINE) if not cell.text.endswith("\n") else 0)
        if cell.kind is Kind.context or not (self.palette.flat or cell.kind in _MARKED):
            yield from ((a, min(b, end), self.palette[name]) for a, b, name in colours(cell))
        if cell.pair is not None:
            name = "old-word" if cell.kind is Kind.old else "new-word"
            yield from ((a, b, self.palette[name]) for a, b in self._words(cell, text))
        if cell.kind is Kind.rejected:
            yield from ((a, min(b, end), Style(strike=True)) for a, b, _ in cell.marks)
        if cell.kind in (Kind.context, Kind.old):
            yield from ((a, min(b, end), self.palette[name]) for a, b, name in marking.layers)
        if marking.cursor is not None and len({hunk for *_, hunk in cell.marks}) > 1:
            own = (mark for mark in cell.marks if mark[2] == marking.cursor)
            yield from ((a, min(b, end), self.palette["cursor"]) for a, b, _ in own)
        if marking.draft and cell.kind is Kind.new:
            yield 0, end, self.palette["draft"]
        if end < len(text):
            yield end, len(text), self.palette["note"]

    def _words(self, cell: Cell, text: str) -> Iterable[tuple[int, int]]:
        """The words of a cell that differ from the line it is paired with."""
        assert cell.pair is not None
        other = displayed(Cell(cell.kind, cell.pair, pair=cell.text), self.crlf)
        if cell.kind is Kind.old:
            return changed_words(text, other)[0]
        return changed_words(other, text)[1]

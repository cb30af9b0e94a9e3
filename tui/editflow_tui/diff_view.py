"""The diff pane: one scrolling widget that paints the visible rows of a picture and nothing else."""

from bisect import bisect_left
from dataclasses import replace
from operator import itemgetter
from typing import TypeVar

from rich.text import Text
from textual import events
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from editflow.proposal import Hunk, HunkState
from editflow_tui.blocks import Cell, Kind, Row
from editflow_tui.headings import heading
from editflow_tui.paint import Layer, Marking, Painter, Pane
from editflow_tui.rows import Fold, Rows, ends_in_crlf
from editflow_tui.style import COMPONENT_CLASSES, CSS, Palette, heat_legend, heat_name, palette_of
from editflow_tui.syntax import Colours, block_colours, line_colours
from editflow_tui.view import Layout, Picture, Range, Span
from editflow_tui.visible import show
from editflow_tui.wrapping import ScreenLines, displayed

SPLIT_COLUMNS = 60  # cells that each side needs for the automatic layout to split
_LEAST_SPLIT = 40  # cells below which nothing is split
_STRIPS = 4096
_MARGIN = 3  # lines kept visible around a hunk that is revealed

_R = TypeVar("_R", Range, Span)

_STATES = {
    HunkState.PENDING: ("?", "pending"),
    HunkState.ACCEPTED: ("✓", "accepted"),
    HunkState.REJECTED: ("✗", "dropped"),
}


class DiffView(ScrollView, can_focus=True):
    """Shows a picture; says what was clicked and decides nothing."""

    ALLOW_SELECT = False  # the mouse points at hunks
    COMPONENT_CLASSES = COMPONENT_CLASSES
    DEFAULT_CSS = CSS

    class HunkClicked(Message):
        """A row of a hunk was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class FoldClicked(Message):
        """A fold was clicked; `first_line` is the first that it hides, 0-based."""

        def __init__(self, first_line: int) -> None:
            super().__init__()
            self.first_line = first_line

    class LineClicked(Message):
        """An unchanged line was clicked; `line` is 1-based."""

        def __init__(self, line: int) -> None:
            super().__init__()
            self.line = line

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._picture: Picture | None = None
        self._rows: Rows | None = None
        self._lines: ScreenLines | None = None
        self._painter: Painter | None = None
        self._palette: Palette | None = None
        self._width = 0  # the text was laid out for
        self._to_reveal: int | None = None  # a hunk that was asked for before there was a layout
        self._strips: LRUCache[object, Strip] = LRUCache(_STRIPS)

    def show(self, picture: Picture) -> None:
        """Show a picture in place of the last; the same line of the document stays at the top."""
        before, self._picture = self._picture, picture
        if before == picture:
            return
        if before is None or before.proposal.document != picture.proposal.document:
            self._strips.clear()
        if before is None or _shape(before) != _shape(picture):
            self._lay_out(keep=before is not None)
        self.refresh()

    @property
    def layout_used(self) -> Layout:
        """Unified or split, as the width decided."""
        return Layout.split if self._rows is not None and self._rows.is_split else Layout.unified

    @property
    def line_at_cursor(self) -> int:
        """1-based line of the document at the hunk under the cursor, or else at the top of the pane."""
        if self._rows is None or self._picture is None or not len(self._rows):
            return 1
        rows = self._rows.rows_of_hunk(-1 if self._picture.cursor is None else self._picture.cursor)
        return self._rows.line_of_row(rows.start if rows else self._top_row()) + 1

    @property
    def legend(self) -> Text:
        """What the steps of the heat overlay mean."""
        return heat_legend(self._colours())

    def fold_over(self, line: int) -> int | None:
        """First hidden line (0-based) of the fold over a 1-based line, open or closed; None if there is none."""
        fold = None if self._rows is None else self._rows.fold_over(line - 1)
        return None if fold is None else fold.first

    @property
    def folds(self) -> tuple[int, ...]:
        """First hidden line (0-based) of every fold, open or closed."""
        return () if self._rows is None else self._rows.folds()

    def reveal_hunk(self, index: int, *, animate: bool = False) -> None:
        """Scroll as little as shows all of a hunk, or its first lines where it is longer than the pane."""
        if self._rows is None or self._lines is None:
            self._to_reveal = index
            return
        rows = self._rows.rows_of_hunk(index)
        if rows:
            self._reveal(self._lines.top(rows.start), self._lines.top(rows.stop), animate=animate)

    def reveal_line(self, line: int) -> None:
        """Scroll to a 1-based line of the document, or to the fold that hides it."""
        if self._rows is not None and self._lines is not None and len(self._rows):
            row = self._rows.row_of_line(line - 1)
            self._reveal(self._lines.top(row), self._lines.top(row + 1), animate=False)

    def render_line(self, y: int) -> Strip:
        """Line `y` of the pane."""
        line = y + self.scroll_offset.y
        painter = self._painter
        if painter is None or self._rows is None or self._lines is None or line >= len(self._lines):
            return Strip.blank(self._columns, self._colours().base)
        index, part = self._lines.locate(line)
        row = self._rows[index]
        if isinstance(row, Fold):
            return painter.fold(row, heading(self._rows.document, row.last))
        wrapped = part if self._is_wrapped else None
        marking = self._marking(row)
        key = (row, wrapped, self.scroll_offset.x, marking)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = painter.row(
                row, self.scroll_offset.x, marking, lambda cell: self._syntax(index, cell), part=wrapped
            )
        return strip

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._palette = None
        self._strips.clear()
        if self._painter is not None:
            self._painter = replace(self._painter, palette=self._colours())

    def on_resize(self, event: events.Resize) -> None:
        """Lay out again where the width has changed."""
        if self._picture is not None and self._columns != self._width:
            self._lay_out(keep=self._rows is not None)
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Say what was clicked."""
        offset = event.get_content_offset(self)
        if offset is None or self._lines is None or self._rows is None:
            return
        line = offset.y + self.scroll_offset.y
        if line >= len(self._lines):
            return
        index, part = self._lines.locate(line)
        row = self._rows[index]
        if isinstance(row, Fold):
            self.post_message(self.FoldClicked(row.first))
        elif row.hunks:
            self.post_message(self.HunkClicked(self._hunk_at(row, part, offset.x)))
        else:
            self.post_message(self.LineClicked(self._rows.line_of_row(index) + 1))

    @property
    def _columns(self) -> int:
        return self.scrollable_content_region.width

    @property
    def _is_wrapped(self) -> bool:
        return self._picture is not None and self._picture.view.wrap

    def _colours(self) -> Palette:
        if self._palette is None:
            self._palette = palette_of(self)
        return self._palette

    def _lay_out(self, *, keep: bool) -> None:
        """Rows and lines of the picture at the present width; `keep`s the place in the document."""
        picture, width = self._picture, self._columns
        if picture is None or not width:
            return
        place = self._place() if keep else None
        view = picture.view
        rows = Rows(picture.proposal, view, picture.stale, split=_is_split(view.layout, width))
        pane = Pane(width, len(str(max(1, rows.count, rows.new_count))), rows.is_split)
        painter = Painter(self._colours(), pane, ends_in_crlf(rows.document), view.whitespace)
        if painter != self._painter:
            self._strips.clear()
        self._rows, self._painter, self._width = rows, painter, width
        self._lines = ScreenLines(rows, pane.texts if view.wrap else None, whitespace=view.whitespace)
        spare = 0 if view.wrap else max(0, self._lines.widest() - min(pane.texts))
        self.virtual_size = Size(width + spare, len(self._lines))
        if place is not None:
            self._go_to(place)
        if self._to_reveal is not None:
            index, self._to_reveal = self._to_reveal, None
            self.reveal_hunk(index)

    def _top_row(self) -> int:
        assert self._lines is not None
        return self._lines.locate(min(self.scroll_offset.y, len(self._lines) - 1))[0]

    def _place(self) -> tuple[int, int] | None:
        """The document's line at the top of the pane, and how many rows below its own the top is."""
        if self._rows is None or not len(self._rows):
            return None
        row = self._top_row()
        line = self._rows.line_of_row(row)
        return line, row - self._rows.row_of_line(line)

    def _go_to(self, place: tuple[int, int]) -> None:
        assert self._rows is not None and self._lines is not None
        row = max(0, min(self._rows.row_of_line(place[0]) + place[1], len(self._rows) - 1))
        if len(self._rows):
            self.scroll_to(y=self._lines.top(row), animate=False)

    def _reveal(self, first: int, last: int, *, animate: bool) -> None:
        """Bring the lines `first:last` of the screen into sight, with some around them where there is room."""
        height = self.scrollable_content_region.height
        margin = max(0, min(_MARGIN, (height - (last - first)) // 2))
        top = self.scroll_offset.y
        if first - margin < top or last - first > height:
            top = max(0, first - margin)
        elif last + margin > top + height:
            top = last + margin - height
        self.scroll_to(y=top, animate=animate)

    def _marking(self, row: Row) -> Marking:
        """What the picture says about a row besides its text."""
        picture = self._picture
        assert picture is not None
        layers = next((self._overlays(cell) for cell in row.cells if cell and cell.old is not None), ())
        if any(cell and cell.kind is Kind.stale for cell in row.cells):
            return Marking("!", "lost")
        if not row.hunks:
            return Marking(layers=layers, draft=picture.draft)
        cursor = picture.cursor if picture.cursor in row.hunks else None
        marking = Marking(bar=cursor is not None, cursor=cursor, draft=picture.draft, layers=layers)
        return self._headed(marking, row.heads) if row.heads else marking

    def _headed(self, marking: Marking, heads: tuple[int, ...]) -> Marking:
        """The states of hunks that start in a row: of the one under the cursor or yet to decide, or of all."""
        assert self._picture is not None
        hunks = self._picture.proposal.hunks
        glyphs = {index: self._state(hunks[index]) for index in heads}
        pending = (index for index in heads if hunks[index].state is HunkState.PENDING)
        at = marking.cursor if marking.cursor in glyphs else next(pending, heads[0])
        note = f"{min(hunks[at].confidence, 1):.0%}"
        if len(heads) > 1 and marking.cursor not in glyphs:
            note = "".join(glyph for glyph, _ in glyphs.values())
            note = note if len(note) <= 4 else note[:3] + "…"
        return replace(marking, glyph=glyphs[at][0], state=glyphs[at][1], note=note)

    def _state(self, hunk: Hunk) -> tuple[str, str]:
        glyph, style = _STATES[hunk.state]
        is_draft = self._picture is not None and self._picture.draft and hunk.state is HunkState.PENDING
        return ("~", "draft") if is_draft else (glyph, style)

    def _overlays(self, cell: Cell) -> tuple[Layer, ...]:
        """Heat, selection and search hits of a line of the document."""
        picture = self._picture
        assert picture is not None and cell.old is not None
        start = picture.proposal.document.line_starts[cell.old]
        end = start + len(cell.text)
        layers: list[Layer] = []
        if picture.view.heat:
            heat = _within(picture.heat, start, end)
            layers += (
                (max(a - start, 0), min(b, end) - start, name) for a, b, p in heat if (name := heat_name(p))
            )
        if picture.selection and picture.selection[0] <= cell.old + 1 <= picture.selection[1]:
            layers.append((0, len(cell.text), "selected"))
        now = None if picture.match is None else picture.matches[picture.match]
        for match in _within(picture.matches, start, end):
            name = "hit-now" if match == now else "hit"
            layers.append((max(match[0] - start, 0), min(match[1], end) - start, name))
        return tuple(layers)

    def _syntax(self, index: int, cell: Cell) -> Colours:
        assert self._rows is not None
        if cell.old is not None:
            return line_colours(self._rows.document, cell.old)
        found = self._rows.block_at(index)
        if found is None or cell.new is None:
            return ()
        block, shift = found
        colours = block_colours(self._rows.document, block.first, block.last, block.new_text)
        return colours[cell.new - block.first - shift]

    def _hunk_at(self, row: Row, part: int, x: int) -> int:
        """The hunk of a row that is nearest to a cell of the pane."""
        painter = self._painter
        assert painter is not None
        column, at = painter.pane.column(x)
        cell = row.cells[column]
        if cell is None or not cell.marks or at < 0:
            return row.hunks[0]
        shown = show(displayed(cell, painter.crlf), painter.whitespace)
        first = self.scroll_offset.x
        if self._is_wrapped:
            breaks = shown.breaks(painter.pane.texts[column])
            first = breaks[min(part, len(breaks) - 1)]  # the other column may go on further down
        source = shown.source(first + at)
        return min(cell.marks, key=lambda mark: max(mark[0] - source, source - mark[1] + 1, 0))[2]


def _shape(picture: Picture) -> tuple[object, ...]:
    """What decides about the rows; a move of the cursor, a hit, heat or a selection does not."""
    view = replace(picture.view, heat=False)
    return picture.proposal.document, picture.proposal.hunks, view, picture.stale


def _is_split(layout: Layout, width: int) -> bool:
    if layout is Layout.auto:
        return width >= 2 * SPLIT_COLUMNS
    return layout is Layout.split and width >= _LEAST_SPLIT


def _within(ranges: tuple[_R, ...], start: int, end: int) -> list[_R]:
    """The ranges, in order and apart, with a part in `start:end`."""
    first = bisect_left(ranges, start, key=itemgetter(1))
    last = bisect_left(ranges, end, key=itemgetter(0))
    return [item for item in ranges[first:last] if item[1] > start]

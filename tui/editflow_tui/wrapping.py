"""The lines of the screen that rows take: one each, or as many as wrapping needs."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from editflow_tui.blocks import Cell, Row
from editflow_tui.rows import Fold, Lines, Piece, Rows, ends_in_crlf, line_text, line_widths
from editflow_tui.visible import Shown, show, without_end


def displayed(cell: Cell, crlf: bool) -> str:
    """The text of a cell as shown; its line end counts as expected if the paired line has the same."""
    return without_end(cell.text, crlf if cell.pair is None else cell.pair.endswith("\r\n"))


class ScreenLines:
    """Where rows are on a screen whose columns of text are `widths` cells wide; None: nothing is wrapped."""

    def __init__(self, rows: Rows, widths: tuple[int, ...] | None, *, whitespace: bool = False) -> None:
        self._document = rows.document
        self._pieces = rows.pieces
        self._count = len(rows)
        self._whitespace = whitespace
        self._crlf = ends_in_crlf(rows.document)
        self._starts = None if widths is None else list(accumulate(self._heights(widths), initial=0))

    def __len__(self) -> int:
        return self._count if self._starts is None else self._starts[-1]

    def locate(self, line: int) -> tuple[int, int]:
        """The row on a line of the screen, and which of the row's lines it is."""
        if self._starts is None:
            return line, 0
        row = bisect_right(self._starts, line) - 1
        return row, line - self._starts[row]

    def top(self, row: int) -> int:
        """The line of the screen where a row starts; the end for the row after the last."""
        return row if self._starts is None else self._starts[row]

    def widest(self) -> int:
        """Cells of the longest text in any row."""
        return max(map(self._widest, self._pieces), default=0)

    def _widest(self, piece: Piece) -> int:
        match piece:
            case Lines():
                return max(line_widths(self._document)[piece.first : piece.last])
            case Fold():
                return 0
        return max(
            (self._shown(cell).width for row in piece.rows for cell in row.cells if cell is not None),
            default=0,
        )

    def _heights(self, widths: tuple[int, ...]) -> Iterator[int]:
        """Lines of the screen that each row takes."""
        least = min(widths)
        for piece in self._pieces:
            match piece:
                case Lines():
                    whole = line_widths(self._document)[piece.first : piece.last]
                    for line, width in enumerate(whole, piece.first):
                        yield 1 if width <= least else self._line_height(line, widths)
                case Fold():
                    yield 1
                case _:
                    yield from (self._row_height(row, widths) for row in piece.rows)

    def _line_height(self, line: int, widths: tuple[int, ...]) -> int:
        text = without_end(line_text(self._document, line), self._crlf)
        return max(len(show(text, self._whitespace).breaks(width)) for width in widths)

    def _row_height(self, row: Row, widths: tuple[int, ...]) -> int:
        cells = zip(row.cells, widths, strict=True)
        return max(len(self._shown(cell).breaks(width)) for cell, width in cells if cell)

    def _shown(self, cell: Cell) -> Shown:
        return show(displayed(cell, self._crlf), self._whitespace)

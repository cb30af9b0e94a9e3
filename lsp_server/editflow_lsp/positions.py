"""Positions of a text: LSP's lines and code units on one side, character offsets on the other.

An LSP line ends at "\\n", "\\r\\n" or "\\r" and nowhere else; `str.splitlines` also cuts at form feeds and at U+2028.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import cached_property

from lsprotocol.types import Position, PositionEncodingKind, Range

_LINE_BREAK = re.compile(r"\r\n?|\n")


class LineIndex:
    """Where the lines of one text start, and the way between its positions and its offsets."""

    def __init__(self, text: str, encoding: PositionEncodingKind | str) -> None:
        """ValueError if the encoding is none of UTF-8, UTF-16 and UTF-32."""
        self.text = text
        self.encoding = PositionEncodingKind(encoding)
        self._width = _WIDTHS[self.encoding]

    @cached_property
    def starts(self) -> list[int]:
        """Character offset of every line start; a text that ends in a line break has a last, empty line."""
        return [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]

    def edited(self, start: int, end: int, new: str) -> LineIndex:
        """The index of the text with the characters start:end replaced; only these are read again."""
        index = LineIndex(f"{self.text[:start]}{new}{self.text[end:]}", self.encoding)
        # A "\r" before and a "\n" behind may become one line break, or stop being one.
        first = start - self.text.startswith("\r", max(start - 1, 0), start)
        last = end + self.text.startswith("\n", end)
        shift = len(new) - (end - start)
        head = self.starts[: bisect_right(self.starts, first)]
        tail = self.starts[bisect_right(self.starts, last) :]
        found = _LINE_BREAK.finditer(index.text, first, last + shift)
        index.starts = [*head, *(match.end() for match in found), *[at + shift for at in tail]]
        return index

    def offset(self, position: Position) -> int:
        """Offset of a position; one outside is clamped to its line's end, before the line break, or to the text's.

        Code units in the middle of a character are taken for its start.
        """
        if position.line >= len(self.starts):
            return len(self.text)
        start = self.starts[max(position.line, 0)]
        line = self.text[start : self._line_end(max(position.line, 0))]
        return start + self._characters(line, position.character)

    def offsets(self, range: Range) -> tuple[int, int]:
        """Offsets of a range, in order even where its end is before its start."""
        first, second = self.offset(range.start), self.offset(range.end)
        return min(first, second), max(first, second)

    def position(self, offset: int) -> Position:
        """Position of an offset; one outside of the text, or inside "\\r\\n", is clamped."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        end = min(offset, self._line_end(line))
        return Position(line, self._width(self.text[self.starts[line] : end]))

    def range(self, start: int, end: int) -> Range:
        """Range of the characters start:end."""
        return Range(self.position(start), self.position(end))

    def lines(self, start: int, end: int) -> tuple[int, int]:
        """1-based, inclusive lines that hold the characters start:end, counted by "\\n" as `editflow.document` does.

        Those of an empty range are the line that it is on.
        """
        first = self.text.count("\n", 0, start) + 1
        return first, first + self.text.count("\n", start, max(start, end - 1))

    def _line_end(self, line: int) -> int:
        """Offset of the line's end, before its line break."""
        if line + 1 == len(self.starts):
            return len(self.text)
        end = self.starts[line + 1]
        return end - 1 - self.text.startswith("\r\n", max(end - 2, 0))

    def _characters(self, line: str, units: int) -> int:
        """Most characters of the line that fit in so many code units: a binary search that encodes each part once."""
        low, high = 0, max(min(len(line), units), 0)
        if line.isascii():
            return high
        while low < high:
            middle = (low + high + 1) // 2
            width = self._width(line[low:middle])
            if width <= units:
                low, units = middle, units - width
            else:
                high = middle - 1
        return low


def _utf8_width(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _utf16_width(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


_WIDTHS: dict[PositionEncodingKind, Callable[[str], int]] = {
    PositionEncodingKind.Utf8: _utf8_width,
    PositionEncodingKind.Utf16: _utf16_width,
    PositionEncodingKind.Utf32: len,
}
"""Code units of a text, lone surrogates included."""

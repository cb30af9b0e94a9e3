"""Text made safe and measurable for a terminal: stand-ins for what has no honest glyph, tabs, widths in cells."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from rich.cells import get_character_cell_size

TAB = 4  # columns between tab stops
NO_NEWLINE = " ⊘ no newline at end"

# Printable by Unicode's account, yet without a glyph of their own: joiners, fillers and variation selectors,
# which terminals measure differently and which can hide text.
_INVISIBLE = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)
_PLACE = "◌"  # carries a combining mark that has nothing before it


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as it is displayed, and where each character of its source and each cell of it is.

    `offsets[i]` is where character `i` of the source starts in `text`; `cells[i]` is the cell where character
    `i` of `text` starts. Both end with the total; None stands for one to one.
    """

    text: str
    offsets: tuple[int, ...] | None = None
    cells: tuple[int, ...] | None = None

    @property
    def width(self) -> int:
        """Cells that the whole line takes."""
        return self.cells[-1] if self.cells else len(self.text)

    def place(self, source: int) -> int:
        """Where a character of the source starts in `text`."""
        if self.offsets is None:
            return min(source, len(self.text))
        return self.offsets[min(source, len(self.offsets) - 1)]

    def source(self, cell: int) -> int:
        """The character of the source that is displayed in a cell; its length beyond the end."""
        index = cell if self.cells is None else max(0, bisect_right(self.cells, cell) - 1)
        index = min(index, len(self.text))
        return index if self.offsets is None else max(0, bisect_right(self.offsets, index) - 1)

    def crop(self, first: int, last: int) -> tuple[int, int, int]:
        """Characters of `text` wholly inside the cells `first:last`, and how many cells lie before them.

        A wide character that is cut by an edge is left out.
        """
        if self.cells is None:
            return min(first, len(self.text)), min(last, len(self.text)), 0
        start, stop = bisect_left(self.cells, first), bisect_right(self.cells, last) - 1
        while start < stop and self.cells[start] == self.cells[start + 1]:
            start += 1  # a combining mark of the character before the edge
        if start >= stop:
            return 0, 0, 0
        return start, stop, self.cells[start] - first

    def breaks(self, width: int) -> tuple[int, ...]:
        """Cells where the lines start that this one is wrapped into, each at most `width` wide."""
        if self.cells is None:
            return tuple(range(0, len(self.text), width)) or (0,)
        starts = [0]
        while self.cells[-1] - starts[-1] > width:
            stop = bisect_right(self.cells, starts[-1] + width) - 1
            starts.append(max(self.cells[stop], starts[-1] + 1))
        return tuple(starts)


@lru_cache(maxsize=4096)
def show(text: str, whitespace: bool = False) -> Shown:
    """One line without its "\\n", as it is displayed; with `whitespace`, spaces and tabs are visible."""
    if is_plain(text):
        return Shown(text.replace(" ", "·") if whitespace else text)
    if text.isprintable() and _INVISIBLE.isdisjoint(text) and get_character_cell_size(text[0]):
        cells = accumulate(map(get_character_cell_size, text), initial=0)
        return Shown(text.replace(" ", "·") if whitespace else text, None, tuple(cells))
    return _pieced(text, whitespace)


def _pieced(text: str, whitespace: bool) -> Shown:
    """A line with stand-ins or tabs in it."""
    pieces: list[str] = []
    cells = [0]
    for character in text:
        piece = _piece(character, cells[-1], whitespace)
        pieces.append(piece)
        for width in map(get_character_cell_size, piece):
            cells.append(cells[-1] + width)
    return Shown("".join(pieces), tuple(accumulate(map(len, pieces), initial=0)), tuple(cells))


def without_end(line: str, crlf: bool) -> str:
    """A line as it is shown: no line end where it is the expected one, words where there is none."""
    if not line.endswith("\n"):
        return line + NO_NEWLINE
    return line.removesuffix("\n").removesuffix("\r" if crlf else "")


def safe(text: str) -> str:
    """A name or message as one printable line."""
    return text if is_plain(text) else "".join(_piece(character, 1, False) for character in text)


def masked(text: str) -> str:
    """As many printable characters or tabs: for fields in which the place of a character counts."""
    return text if is_plain(text) else "".join(map(_mask, text))


def is_plain(text: str) -> bool:
    """Whether every character of `text` is displayed as itself in one cell."""
    return text.isascii() and text.isprintable()


def _piece(character: str, cell: int, whitespace: bool) -> str:
    if character == "\t":
        return ("→" if whitespace else " ").ljust(TAB - cell % TAB)
    if character == " ":
        return "·" if whitespace else " "
    if not character.isprintable() or character in _INVISIBLE:
        return _stand_in(ord(character))
    alone = cell == 0 and get_character_cell_size(character) == 0
    return _PLACE + character if alone else character


def _mask(character: str) -> str:
    if character == "\t" or (character.isprintable() and character not in _INVISIBLE):
        return character
    stand_in = _stand_in(ord(character))
    return stand_in if len(stand_in) == 1 else "\N{REPLACEMENT CHARACTER}"


def _stand_in(point: int) -> str:
    """A control picture, or the number of any other character that has no glyph."""
    if point < 0x20:
        return chr(0x2400 + point)
    return "␡" if point == 0x7F else f"⟨U+{point:04X}⟩"

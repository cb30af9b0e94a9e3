"""Texts that are hard on positions, and the slowest possible reading of LSP's lines and code units."""

from hypothesis import strategies as st
from lsprotocol.types import Position, PositionEncodingKind

ENCODINGS = list(PositionEncodingKind)
TEXTS = st.lists(
    st.sampled_from(
        ["a", "bc", " ", "\n", "\r", "\r\n", "\f", "\v", "\x85", "\u2028", "é", "e\u0301", "漢", "😀", "👩‍💻"]
    ),
    max_size=20,
).map("".join)
FAR = 30
"""Further than any line or column of TEXTS."""
POSITIONS = st.builds(Position, st.integers(0, FAR), st.integers(0, FAR))


def units(text: str, encoding: PositionEncodingKind) -> int:
    """Code units of a text in that encoding."""
    size = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding.value]
    codec = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding.value]
    return len(text.encode(codec, "surrogatepass")) // size


def places(text: str, encoding: PositionEncodingKind) -> list[tuple[int, int] | None]:
    """Line and column of every offset of the text; None for the one inside a "\\r\\n"."""
    found: list[tuple[int, int] | None] = []
    line, start = 0, 0
    for at in range(len(text) + 1):
        before = text[at - 1 : at]
        inside = before == "\r" and text[at : at + 1] == "\n"
        if not inside and before in ("\n", "\r") and before:
            line, start = line + 1, at
        found.append(None if inside else (line, units(text[start:at], encoding)))
    return found


def offset(text: str, position: Position, encoding: PositionEncodingKind) -> int:
    """The last offset that is not behind the position on its line; the end of the text if it has no such line."""
    at = [
        offset
        for offset, place in enumerate(places(text, encoding))
        if place is not None and place[0] == position.line and place[1] <= position.character
    ]
    return at[-1] if at else len(text)

"""A text as pieces of the original and new text, so that edits of edits stay edits of the original.

After one round of fixing, the text is diagnosed again and may be fixed further; what is offered in the end is one
set of edits against the document as it was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

TextEdit = tuple[int, int, str, float]  # start and end in characters, replacement, probability


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters start:end of the original replaced by `text`, or kept where `text` is None."""

    start: int
    end: int
    text: str | None = None
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Pieces:
    """The original text and the pieces that make up the current one, in order and without gaps."""

    original: str
    pieces: tuple[Piece, ...]

    @classmethod
    def of(cls, original: str) -> Pieces:
        """The unedited text."""
        return cls(original, (Piece(0, len(original)),))

    @property
    def text(self) -> str:
        """The current text."""
        return "".join(self._shown(piece) for piece in self.pieces)

    def edits(self) -> list[TextEdit]:
        """The edits that turn the original into the current text, in coordinates of the original."""
        return [(p.start, p.end, p.text, p.probability) for p in self.pieces if p.text is not None]

    def edited(self, edits: Iterable[TextEdit]) -> Pieces:
        """Apply non-overlapping edits, given in coordinates of the current text.

        Insertions at one place end up in the order in which they come.
        """
        pieces = self.pieces
        for start, end, text, probability in reversed(sorted(edits, key=lambda edit: edit[:2])):
            rest, after = self._cut(pieces, end)
            before, replaced = self._cut(rest, start)
            at = before[-1].end if before else 0
            source = (replaced[0].start, replaced[-1].end) if replaced else (at, at)
            least = min([probability, *(piece.probability for piece in replaced)])
            pieces = (*before, Piece(*source, text, least), *after)
        return replace(self, pieces=pieces)

    def _shown(self, piece: Piece) -> str:
        return self.original[piece.start : piece.end] if piece.text is None else piece.text

    def _cut(self, pieces: tuple[Piece, ...], offset: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        """The pieces left and right of an offset in their text; empty ones at the offset stay left."""
        for i, piece in enumerate(pieces):
            size = len(self._shown(piece))
            if offset < size:
                left, right = self._halves(piece, offset) if offset else ((), (piece,))
                return (*pieces[:i], *left), (*right, *pieces[i + 1 :])
            offset -= size
        return pieces, ()

    def _halves(self, piece: Piece, offset: int) -> tuple[tuple[Piece], tuple[Piece]]:
        """A piece cut in two; the range that a new text replaces goes with its left half."""
        if piece.text is None:
            middle = piece.start + offset
            return (replace(piece, end=middle),), (replace(piece, start=middle),)
        left, right = piece.text[:offset], piece.text[offset:]
        return (replace(piece, text=left),), (replace(piece, start=piece.end, text=right),)

"""An open document: its text as the client has it, kept up by the client's changes, which are recorded."""

from __future__ import annotations

from lsprotocol.types import (
    PositionEncodingKind,
    TextDocumentContentChangeEvent,
    TextDocumentContentChangePartial,
)
from pygls.workspace import TextDocument

from editflow_lsp.positions import LineIndex

Change = tuple[int, int, str]
"""Start and end in the text before it, in characters, and what stands there afterwards."""


class Buffer(TextDocument):
    """A document that never looks at the disk; lines and positions are those of its `index`."""

    closed = False
    """Whether the client has closed it, or opened it anew as another buffer."""

    def __init__(
        self,
        uri: str,
        text: str = "",
        version: int | None = None,
        language_id: str | None = None,
        encoding: PositionEncodingKind | str = PositionEncodingKind.Utf16,
    ) -> None:
        super().__init__(uri, version=version, language_id=language_id)
        self.index = LineIndex(text, encoding)
        self._changes: list[Change] = []

    @property
    def text(self) -> str:
        """The text that the client has."""
        return self.index.text

    @property
    def source(self) -> str:
        """The same under pygls' name."""
        return self.text

    def apply_change(self, change: TextDocumentContentChangeEvent) -> None:
        """Follow a change of the client; a whole text counts as a change of the part that differs."""
        if isinstance(change, TextDocumentContentChangePartial):
            start, end = self.index.offsets(change.range)
            self._replace(start, end, change.text)
        else:
            self._replace(*_difference(self.text, change.text))

    def take_changes(self) -> list[Change]:
        """Changes since last asked, in order, each against the text that the one before left."""
        changes, self._changes = self._changes, []
        return changes

    def _replace(self, start: int, end: int, new: str) -> None:
        if self.text[start:end] != new:
            self.index = self.index.edited(start, end, new)
            self._changes.append((start, end, new))


def _difference(old: str, new: str) -> Change:
    """The smallest change that makes one text of the other."""
    from rapidfuzz.distance import Postfix, Prefix  # slow to import, and few clients send whole texts

    head = Prefix.similarity(old, new)
    tail = Postfix.similarity(old[head:], new[head:])
    return head, len(old) - tail, new[head : len(new) - tail]

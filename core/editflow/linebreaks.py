"""The model reads "\\n" line ends only; this maps its text and edits to a source with "\\r\\n" ones."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from editflow.pieces import TextEdit


@dataclass(frozen=True)
class LineBreaks:
    """A source text and the text the model sees in its place."""

    source: str

    @cached_property
    def text(self) -> str:
        """The source with every "\\r\\n" as "\\n"; a lone "\\r" is an ordinary character."""
        return self.source.replace("\r\n", "\n")

    def to_source(self, offset: int) -> int:
        """Source offset of a model offset; before the "\\r" where the model's character is a line end."""
        return offset + bisect_right(self._line_ends, offset - 1)

    def to_model(self, offset: int) -> int:
        """Model offset of a source offset."""
        return offset - bisect_right(self._source_ends, offset - 1)

    def restore(self, edit: TextEdit) -> TextEdit:
        """An edit of the model's text as one of the source, with the line ends the source has around it."""
        start, end, new, probability = edit
        return self.to_source(start), self.to_source(end), self._with_line_ends(start, new), probability

    def _with_line_ends(self, offset: int, new: str) -> str:
        if not self._line_ends:
            return new
        following = self.text.find("\n", offset)
        near = following if following >= 0 else self.text.rfind("\n")
        return re.sub("\r?\n", "\r\n", new) if near in self._crlf else new

    @cached_property
    def _source_ends(self) -> list[int]:
        """Source offsets of the "\\r" of every "\\r\\n"."""
        return [match.start() for match in re.finditer("\r\n", self.source)]

    @cached_property
    def _line_ends(self) -> list[int]:
        """Model offsets of the line ends that are "\\r\\n" in the source."""
        return [offset - count for count, offset in enumerate(self._source_ends)]

    @cached_property
    def _crlf(self) -> frozenset[int]:
        return frozenset(self._line_ends)

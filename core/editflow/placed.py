"""A window in its place: what it may change of the text, and its edits in the text's own coordinates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Postfix, Prefix

from editflow.pieces import TextEdit
from editflow.window import Window


@dataclass(frozen=True, slots=True)
class PlacedWindow:
    """A window and where it starts in the text; its own text always ends in a newline, the text's may not."""

    window: Window
    start: int
    allowed: tuple[int, int]
    """Whole lines that may change, as characters of the window's text."""

    def edits_of(self, edits: Iterable[TextEdit], size: int) -> list[TextEdit]:
        """Edits of the window as edits of a text of `size` characters.

        Left out are those that change more than is allowed, or would join the last line with the one below.
        """
        found: list[TextEdit] = []
        at = 0
        for edit in sorted(edits, key=lambda edit: edit[:2]):
            confined = self._confined(edit)
            if confined is not None and confined[0] >= at:
                at = confined[1]
                found.append(self._placed(confined, size))
        return found

    def _confined(self, edit: TextEdit) -> TextEdit | None:
        """The edit, cut down to what is allowed where what it does there is all that it does."""
        start, end, new, probability = edit
        low, high = self.allowed
        text = self.window.text
        edited = text[:start] + new + text[end:]
        old, changed = text[low:high], edited[low : len(edited) - len(text) + high]
        if text[:low] + changed + text[high:] != edited or (changed and not changed.endswith("\n")):
            return None
        if low <= start and end <= high:
            return edit
        head = Prefix.similarity(old, changed)
        tail = Postfix.similarity(old[head:], changed[head:])
        return low + head, high - tail, changed[head : len(changed) - tail], probability

    def _placed(self, edit: TextEdit, size: int) -> TextEdit:
        """Moved to the text; a newline that only the window has at its end is taken off again."""
        start, end, new, probability = edit
        start, end = start + self.start, end + self.start
        if end > size:
            new = ("\n" * (start > size) + new).removesuffix("\n")
        return min(start, size), min(end, size), new, probability

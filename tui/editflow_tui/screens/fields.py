"""Fields to type in that send nothing to the terminal but what is printable, whatever text they are given."""

from __future__ import annotations

from rich.highlighter import Highlighter
from rich.text import Text
from textual.widgets import TextArea

from editflow_tui.visible import masked


class Masked(Highlighter):
    """For an `Input`: shows a stand-in for each character without a glyph."""

    def highlight(self, text: Text) -> None:
        """Replace them in place."""
        text.plain = masked(text.plain)


class SafeTextArea(TextArea):
    """An editor that shows a stand-in for each character without a glyph."""

    def get_line(self, line_index: int) -> Text:
        """A line as it is shown, with as many characters as the document has there."""
        return Text(masked(self.document.get_line(line_index)), end="", no_wrap=True)

"""What a hunk writes, in an editor of a few lines."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Label, TextArea

from editflow_tui.screens.fields import SafeTextArea


class Edit(ModalScreen[str | None]):
    """Ends with the new text, or None where nothing shall change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f2", "keep", "Keep", priority=True),
        Binding("escape", "leave", "Leave", priority=True),  # or the editor would take it
    ]

    def __init__(self, title: str, text: str) -> None:
        """`text` has "\\n" line ends only."""
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """What is replaced, over an editor of what replaces it."""
        with Vertical(classes="box"):
            yield Label(self._title, markup=False)
            yield SafeTextArea(self._text, show_line_numbers=False, tab_behavior="indent", compact=True)
            yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """What the editor makes of a text that it cannot show is no change."""
        self._shown = self.query_one(TextArea).text

    def action_keep(self) -> None:
        """Take the text as it is now, if it was changed at all."""
        text = self.query_one(TextArea).text
        self.dismiss(None if text == self._shown else text)

    def action_leave(self) -> None:
        """Forget what was typed."""
        self.dismiss(None)

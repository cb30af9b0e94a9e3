"""A row in which to type what to look for; matches are shown while it is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input

from editflow_tui.screens.fields import Masked


class SearchRow(ModalScreen[str | None]):
    """Ends with what to look for, or None where the search was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave")]

    def __init__(self, query: str, typed: Callable[[str], None]) -> None:
        """`typed` is told every change."""
        super().__init__()
        self._query, self._typed = query, typed

    def compose(self) -> ComposeResult:
        """One row at the bottom."""
        yield Input(
            self._query, placeholder="search", compact=True, select_on_focus=True, highlighter=Masked()
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show the matches so far."""
        self._typed(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the matches."""
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """No search."""
        self.dismiss(None)

"""A question with a few answers, such as what becomes of unsaved decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label


class Choice(ModalScreen[str | None]):
    """Ends with the letter of the answer chosen, or None where the question was left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: str, answers: Mapping[str, str]) -> None:
        """`answers`: for each letter the words on its button; the first one has the focus."""
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (56, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-low"), (10, "-high")]
        self._question, self._answers = question, answers

    def compose(self) -> ComposeResult:
        """The question over its answers."""
        with Vertical(classes="box"):
            yield Label(self._question, markup=False)
            with Horizontal():
                for letter, words in self._answers.items():
                    yield Button(f"{words} ({letter})", id=letter, compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """An answer was clicked, or entered."""
        self.dismiss(event.button.id)

    def on_key(self, event: events.Key) -> None:
        """An answer was given by its letter."""
        if event.key in self._answers:
            event.stop()
            self.dismiss(event.key)

    def action_leave(self) -> None:
        """No answer."""
        self.dismiss(None)

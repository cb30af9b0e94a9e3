"""All commands with their keys, as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from editflow_tui.commands import COMMANDS
from editflow_tui.keymap import Keymap


class Help(ModalScreen[None]):
    """Ends with any key that does not scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "leave", "Close")]

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """One text that scrolls."""
        with VerticalScroll(classes="box"):
            yield Static(Content("\n").join(help_lines(self._keymap)))

    def action_leave(self) -> None:
        """Back to the review."""
        self.dismiss(None)


def help_lines(keymap: Keymap) -> Iterator[Content]:
    """Groups of commands: keys, name and what it does."""
    widest = max(len(keymap.shown(command.name)) for command in COMMANDS)
    for group, commands in groupby(COMMANDS, key=lambda command: command.group):
        yield Content.styled(group, "bold $primary")
        for command in commands:
            keys = keymap.shown(command.name).ljust(widest)
            yield Content.assemble("  ", (keys, "bold"), f"  {command.words}")

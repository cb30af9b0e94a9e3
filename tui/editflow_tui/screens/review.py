"""The review itself: header, files, diff, flow and keys."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Footer, Static

from editflow_tui.diff_view import DiffView
from editflow_tui.files import Files
from editflow_tui.flow_bar import FlowBar
from editflow_tui.header import NARROW, Header
from editflow_tui.keymap import Keymap
from editflow_tui.review import Review

LOW = 10
"""Rows under which there is no room for keys."""


class ReviewScreen(Screen[None]):
    """Shows reviews; what is asked of it goes to the app."""

    def __init__(self, review: Review) -> None:
        """`review` is shown first."""
        super().__init__()
        self._review = review

    def compose(self) -> ComposeResult:
        """The widgets, from top to bottom."""
        yield Header()
        with Horizontal():
            files = Files()
            files.display = self._has_room_for_files(self.app.size.width)
            yield files
            yield DiffView()
        yield Static(id="legend")
        yield FlowBar()
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Show the first state."""
        self.query_one(DiffView).focus()
        self._draw()
        self._reveal_hunk()

    def show(self, review: Review) -> None:
        """Show another state; the cursor, the match or the selection comes into view where it has moved."""
        before, self._review = self._review, review
        self._draw()
        self._follow(before)
        if before.file.is_selecting != review.file.is_selecting:
            self.refresh_bindings()

    def reveal_match(self) -> None:
        """Bring the match into view."""
        if (line := self._review.file.line_of_match) is not None:
            self.query_one(DiffView).reveal_line(line)

    def on_resize(self, event: Resize) -> None:
        """What has no room goes."""
        self.query_one(Files).display = self._has_room_for_files(event.size.width)
        self.query_one(Footer).display = event.size.height >= LOW

    def _has_room_for_files(self, width: int) -> bool:
        return len(self._review.files) > 1 and width >= NARROW

    def _draw(self) -> None:
        review = self._review
        self.query_one(DiffView).show(review.picture)
        self.query_one(Header).show(review)
        self.query_one(FlowBar).show(review.file.playback)
        self.query_one(Files).show(review)
        legend = self.query_one("#legend", Static)
        legend.display = review.view.heat and self.size.height >= LOW
        if review.view.heat:
            legend.update(self.query_one(DiffView).legend, layout=False)

    def _follow(self, before: Review) -> None:
        file, old = self._review.file, before.file
        if file.match is not None and (file.match, file.matches) != (old.match, old.matches):
            self.reveal_match()
        elif file.selection is not None and file.selection != old.selection:
            self.query_one(DiffView).reveal_line(file.selection[1])
        elif before.current != self._review.current or file.hunk != old.hunk:
            self._reveal_hunk()

    def _reveal_hunk(self) -> None:
        cursor = self._review.file.shown_cursor
        if cursor is not None:
            self.query_one(DiffView).reveal_hunk(cursor)


def review_screen(keymap: Keymap, review: Review) -> ReviewScreen:
    """A review screen with these keys."""

    class Bound(ReviewScreen):
        BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings()]

    return Bound(review)

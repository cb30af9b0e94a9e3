"""The row under the diff while there is a flow: which frame is shown, whether it plays, how fast; click to go there."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from editflow_tui.playback import STILL, Playback
from editflow_tui.visible import safe

_PAUSED, _PLAYING, _LIVE = "■", "▸", "●"


class FlowBar(Static):
    """One row about a flow."""

    class Scrubbed(Message):
        """A frame was pointed at."""

        def __init__(self, at: int) -> None:
            self.at = at
            super().__init__()

    class Pressed(Message):
        """The sign of playing was pressed."""

    _playback = Playback()
    _track = (0, 0)
    """Columns of the first frame, and after the last."""

    def show(self, playback: Playback) -> None:
        """Show another state; no row where there is no flow."""
        self._playback = playback
        self.display = playback.running or len(playback.frames) > 1 or playback.error is not None
        words, self._track = flow_row(playback, self.size.width)
        self.update(words, layout=False)

    def on_resize(self) -> None:
        """The track is as wide as there is room."""
        self.show(self._playback)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Point at a frame, or press the sign."""
        self.capture_mouse()
        self._point(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag along the track."""
        if self.app.mouse_captured is self:
            self._point(event)

    def on_mouse_up(self) -> None:
        """Let go."""
        self.release_mouse()

    def _point(self, event: events.MouseEvent) -> None:
        start, end = self._track
        if start <= event.x < end:
            last = len(self._playback.frames) - 1
            self.post_message(self.Scrubbed(round((event.x - start) / max(1, end - start - 1) * last)))
        elif event.x < start and isinstance(event, events.MouseDown):
            self.post_message(self.Pressed())


def flow_row(playback: Playback, width: int) -> tuple[Content, tuple[int, int]]:
    """The row and the columns of its track."""
    if playback.error is not None:
        return Content.styled(safe(playback.error), "$text-error").truncate(width, ellipsis=True), (0, 0)
    frames = len(playback.frames)
    sign = _PLAYING if playback.playing else _LIVE if playback.moving else _PAUSED
    speed = "" if playback.speed == STILL else f" {playback.speed:g}x"
    total = f" of up to {playback.total}" if playback.running and playback.total else ""
    left = f" {sign} {playback.position + 1 if frames else 0}/{frames}{total}{speed} "
    room = max(0, width - len(left) - 1)
    filled = room if frames < 2 else round(playback.position / (frames - 1) * room)
    track = Content.assemble(("━" * filled, "$primary"), ("─" * (room - filled), "$text-muted"))
    return Content.assemble(left, track).truncate(width), (len(left), len(left) + room)

"""The first row: which file, how far the decisions are, and what the engine is doing."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from editflow.proposal import HunkState
from editflow.resident.status import EngineStatus
from editflow_tui.file_review import FileReview
from editflow_tui.review import Review
from editflow_tui.visible import safe

_GAP = "  "
NARROW = 100
"""Columns under which there is no room for a list of files."""


class Header(Static):
    """One row about a review."""

    _review: Review | None = None

    def show(self, review: Review) -> None:
        """Show another state."""
        self._review = review
        self.update(header_row(review, self.size.width), layout=False)

    def on_resize(self) -> None:
        """The row is as wide as there is room."""
        if self._review is not None:
            self.show(self._review)


def header_row(review: Review, width: int) -> Content:
    """The row; what has no room is left out: the engine, then what is in all files, then the beginning of the name."""
    name = Content.styled(safe(review.file.name), "bold $primary")
    is_listed = len(review.files) == 1 or width >= NARROW
    place = [] if is_listed else [f"file {review.current + 1}/{len(review.files)}"]
    words = " · ".join([*place, progress(review.file), *found(review)])
    more = words if is_listed else f"{words} · {in_all(review)}"
    has_room = name.cell_length + len(_GAP) + len(more) <= width
    count = Content.styled(more if has_room else words, "bold")
    left = Content.assemble(_fitted(name, width - len(_GAP) - count.cell_length), _GAP, count)
    room = width - left.cell_length
    for words in engine_words(review.engine, review.file.model):
        engine = Content.styled(words, "$text-muted")
        if engine.cell_length + len(_GAP) <= room:
            return Content.assemble(left, " " * (room - engine.cell_length), engine)
    return left.truncate(width)


def progress(file: FileReview) -> str:
    """How far the decisions are, such as "3/10 · 2 accepted"."""
    accepted = file.counts[HunkState.ACCEPTED]
    if file.hunks:
        parts = [f"{(file.cursor or 0) + 1}/{len(file.hunks)}", f"{accepted} accepted"]
    else:
        parts = ["fixing" if file.playback.running else "nothing to decide"]
    parts += [f"{file.written} written"] if file.written else []
    parts += [f"{len(file.stale)} stale"] if file.stale else []
    return " · ".join(parts)


def in_all(review: Review) -> str:
    """How far the decisions are in all files, such as "in all 4 undecided, 2 accepted"."""
    counts = review.counts
    return f"in all {counts[HunkState.PENDING]} undecided, {counts[HunkState.ACCEPTED]} accepted"


def found(review: Review) -> list[str]:
    """Which match of a search is shown."""
    if not review.query:
        return []
    match, matches = review.file.match, review.file.matches
    return ["no match" if match is None else f"match {match + 1}/{len(matches)}"]


def engine_words(status: EngineStatus | None, model: str | None) -> list[str]:
    """The engine, and the model that worked on the file, in a few words and in fewer.

    Where a repository's adapter was at work, its name is the last thing to go.
    """
    if status is None:
        return [""]
    name = safe(model or status.model or "")
    parts = [name, status.device or "", safe(status.message or status.kind.value)]
    adapter = name.partition("+")[2]
    return [" · ".join(filter(None, parts)), *([adapter] if adapter else [])]


def _fitted(name: Content, width: int) -> Content:
    """The end of a name says more than its beginning."""
    if name.cell_length <= width:
        return name
    cut = name[max(0, len(name) - max(1, width) + 1) :]
    return Content.assemble("…", cut).truncate(max(1, width))

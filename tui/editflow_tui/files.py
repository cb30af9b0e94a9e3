"""The list at the left where there are several files: which is shown, and how far the decisions in each are."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import OptionList

from editflow.proposal import HunkState
from editflow_tui.file_review import FileReview
from editflow_tui.review import Review
from editflow_tui.visible import safe


class Files(OptionList, can_focus=False):
    """The files of a review by their numbers."""

    _rows: tuple[Content, ...] = ()

    def show(self, review: Review) -> None:
        """Show another state; only rows that differ are drawn again."""
        rows = tuple(map(file_row, review.files))
        if len(rows) != len(self._rows):
            self.clear_options().add_options(rows)
        else:
            for index, (old, new) in enumerate(zip(self._rows, rows, strict=True)):
                if old != new:
                    self.replace_option_prompt_at_index(index, new)
        self._rows = rows
        self.highlighted = review.current


def file_row(file: FileReview) -> Content:
    """One file: a sign of its state, decided and all hunks, its name."""
    done = len(file.hunks) - file.counts[HunkState.PENDING]
    return Content.assemble(
        (_sign(file), "bold"),
        (f" {done}/{len(file.hunks)} ", "$text-muted"),
        safe(file.name),
    )


def _sign(file: FileReview) -> str:
    """Without colour: failed, under way, undecided, unsaved, done."""
    if file.playback.error is not None:
        return "!"
    if file.playback.running:
        return "…"
    if file.counts[HunkState.PENDING]:
        return "?"
    return "*" if file.counts[HunkState.ACCEPTED] else "✓"

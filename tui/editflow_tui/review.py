"""The state of the reviewer and the one pure function that changes it; the screen is a picture of this value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

from editflow.proposal import HunkState, Proposal
from editflow.resident.status import EngineStatus
from editflow_tui.actions import Action, Fold, Look, Reloaded, Search, Show, Started, Turn, Wrote
from editflow_tui.deciding import acted
from editflow_tui.file_review import FileReview
from editflow_tui.happening import happened
from editflow_tui.playback import STILL, Playback
from editflow_tui.runner import Ended, EngineChanged, Stepped, Suspected
from editflow_tui.view import Layout, Picture, View

CONTEXT = 3
MOST_CONTEXT = 30


@dataclass(frozen=True, slots=True)
class Review:
    """The files, which of them is looked at, and how."""

    files: tuple[FileReview, ...]
    current: int = 0
    view: View = field(default_factory=View)
    query: str = ""
    engine: EngineStatus | None = None
    """None: no model is wanted yet."""

    @property
    def file(self) -> FileReview:
        """The file that is looked at."""
        return self.files[self.current]

    @property
    def unsaved(self) -> tuple[int, ...]:
        """The files with accepted hunks that are not written."""
        return tuple(i for i, file in enumerate(self.files) if file.counts[HunkState.ACCEPTED])

    @property
    def counts(self) -> Counter[HunkState]:
        """How many hunks of all files are in which state."""
        return sum((file.counts for file in self.files), Counter())

    @property
    def picture(self) -> Picture:
        """All that is shown of the current file."""
        file = self.file
        return Picture(
            proposal=file.shown,
            view=self.view,
            cursor=file.shown_cursor,
            heat=file.heat if self.view.heat else (),
            matches=file.matches,
            match=file.match,
            selection=file.lines,
            stale=file.stale,
            draft=file.is_drafted or file.playback.running,
        )


def open_review(
    proposals: Iterable[tuple[str, Proposal]], *, seed: int = 0, is_still: bool = False
) -> Review:
    """A review of files by name, nothing decided; `is_still` for who wants no motion."""
    playback = Playback(speed=STILL) if is_still else Playback()
    files = (FileReview.of(name, proposal) for name, proposal in proposals)
    return Review(tuple(replace(file, seed=seed, playback=playback) for file in files))


def reduce(review: Review, action: Action) -> Review:
    """The state after an action; an action that makes no sense just now changes nothing."""
    match action:
        case Look():
            return replace(review, view=_look(review.view, action))
        case Fold(line):
            return replace(review, view=replace(review.view, open_folds=review.view.open_folds ^ {line}))
        case Show(file):
            return _shown(review, file)
        case Turn(by):
            return _shown(review, (review.current + by) % len(review.files))
        case Search(query):
            found = replace(review, query=query)
            return _changed(found, found.current, lambda file: file.looking_for(query))
        case EngineChanged(status):
            return replace(review, engine=status)
        case Started(index) | Stepped(index) | Ended(index) | Suspected(index):
            return _changed(review, index, partial(happened, event=action))
        case Wrote(index) | Reloaded(index):
            moved = _changed(review, index, partial(happened, event=action))
            return _changed(moved, index, lambda file: file.looking_for(review.query))
        case _:
            return _changed(review, review.current, partial(acted, action=action))


def _changed(review: Review, index: int, change: Callable[[FileReview], FileReview]) -> Review:
    files = (*review.files[:index], change(review.files[index]), *review.files[index + 1 :])
    return replace(review, files=files)


def _shown(review: Review, index: int) -> Review:
    if index == review.current or not 0 <= index < len(review.files):
        return review
    other = replace(review, current=index, view=replace(review.view, open_folds=frozenset()))
    return _changed(other, index, lambda file: file.looking_for(review.query))


def _look(view: View, look: Look) -> View:
    context = view.context
    match look:
        case Look.AUTO | Look.SPLIT | Look.UNIFIED:
            return replace(view, layout=Layout[look.value])
        case Look.WRAP:
            return replace(view, wrap=not view.wrap)
        case Look.MORE:
            return replace(view, context=None if context is None else min(context + 1, MOST_CONTEXT))
        case Look.LESS:
            return replace(view, context=CONTEXT if context is None else max(context - 1, 0))
        case Look.FOLDS:
            return replace(view, context=CONTEXT if context is None else None, open_folds=frozenset())
        case Look.WHITESPACE:
            return replace(view, whitespace=not view.whitespace)
        case Look.HEAT:
            return replace(view, heat=not view.heat)

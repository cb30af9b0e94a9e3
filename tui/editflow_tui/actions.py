"""All that can happen to a review, as values: what a person does, what the engine says, what becomes of the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from editflow.document import Document
from editflow_tui.following import Run
from editflow_tui.runner import Ended, EngineChanged, Stepped, Suspected


class Verdict(StrEnum):
    """Decisions about the hunk under the cursor, or all that are left."""

    ACCEPT = "accept"
    REJECT = "reject"
    TOGGLE = "toggle"
    ACCEPT_REST = "accept rest"
    REJECT_REST = "reject rest"
    SPLIT = "split"
    UNDO = "undo"
    REDO = "redo"


class Move(StrEnum):
    """Where the cursor goes."""

    NEXT = "next"
    PREVIOUS = "previous"
    FIRST = "first"
    LAST = "last"


class Flow(StrEnum):
    """How the passes are looked at."""

    PLAY = "play"
    """Or pause."""
    FORWARD = "forward"
    BACK = "back"
    FIRST = "first"
    LAST = "last"
    FASTER = "faster"
    SLOWER = "slower"
    TICK = "tick"
    """The time for one frame has passed."""


class Look(StrEnum):
    """How the text is shown."""

    AUTO = "auto"
    SPLIT = "split"
    UNIFIED = "unified"
    WRAP = "wrap"
    MORE = "more context"
    LESS = "less context"
    FOLDS = "folds"
    WHITESPACE = "whitespace"
    HEAT = "heat"


@dataclass(frozen=True, slots=True)
class MoveTo:
    """The cursor goes to one of the hunks that are shown."""

    index: int


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The hunk under the cursor shall write `new`."""

    new: str


@dataclass(frozen=True, slots=True)
class Show:
    """Another file is looked at."""

    file: int


@dataclass(frozen=True, slots=True)
class Turn:
    """A file further on (1) or back (-1) is looked at, around the ends."""

    by: int


@dataclass(frozen=True, slots=True)
class Fold:
    """The fold whose first hidden line this is (0-based) opens or closes."""

    line: int


@dataclass(frozen=True, slots=True)
class Search:
    """Another text is looked for; nothing is with an empty one."""

    query: str


@dataclass(frozen=True, slots=True)
class NextMatch:
    """A match further on (1) or back (-1), around the ends."""

    by: int


@dataclass(frozen=True, slots=True)
class Select:
    """Lines are selected, or with None no more."""

    lines: tuple[int, int] | None
    """Where the selection began and where it ends: 1-based, in either order."""
    is_open: bool = False
    """Whether it is still being made."""


@dataclass(frozen=True, slots=True)
class Scrub:
    """One frame of the flow is looked at."""

    at: int


@dataclass(frozen=True, slots=True)
class Started:
    """A fix of a file began."""

    file: int
    seed: int
    run: Run = field(default_factory=Run)


@dataclass(frozen=True, slots=True)
class Wrote:
    """The accepted hunks of a file are in it now."""

    file: int
    document: Document


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A file was changed by others."""

    file: int
    document: Document


OnFile = Started | Stepped | Ended | Suspected | Wrote | Reloaded
OnCurrent = Verdict | Move | MoveTo | Rewrite | Flow | Scrub | NextMatch | Select
Action = OnFile | OnCurrent | Look | Fold | Show | Turn | Search | EngineChanged

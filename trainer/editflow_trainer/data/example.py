"""What training knows of one function: its text, its context, and the bugs or the edit that may happen to it.

An example holds everything that corruption is drawn from, already as tokens, so a training machine needs no parser,
no linter and no alignment: an injected bug knows its own slots and the complaints that it raises.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from editflow.process.base import BLANK
from editflow_trainer.data.row import Ids


class Source(IntEnum):
    """Where an example comes from."""

    FUNCTION = 0
    """A function that is taken for right, with the bugs that can be put into it."""
    FIX = 1
    """A mined edit whose message says that it fixes something."""
    EDIT = 2
    """Any other mined edit."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A diagnostic: the tokens of its message, and the tokens [start, end) of the source that it underlines."""

    message: Ids
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Site:
    """A possible bug: the tokens [start, end) of the clean text, and the slots that take their place.

    `z1` without blanks is those clean tokens; `z0` without blanks is what stands there when the bug is in.
    """

    kind: int
    """Index into the kinds of the shard's header."""
    start: int
    end: int
    z0: Ids
    z1: Ids
    instruction: Ids
    """Asks for the fix."""
    complaints: tuple[Complaint, ...] = ()
    """What a checker says when this is the only bug; ranges count from `start` in the buggy text."""

    def apart(self, other: Site) -> bool:
        """At least one clean token stands between the two, so both can be put in."""
        return self.end < other.start or other.end < self.start


@dataclass(frozen=True, slots=True)
class Example:
    """An aligned pair with its context; a function's pair is its clean text on both sides."""

    source: Source
    z0: Ids
    z1: Ids
    context: tuple[tuple[int, Ids], ...] = ()
    """Marker (editflow.window) and tokens of file, imports, scope, before and after, where there are any."""
    instruction: Ids = field(default_factory=lambda: np.zeros(0, np.int32))
    """The message of a mined edit."""
    complaints: tuple[Complaint, ...] = ()
    sites: tuple[Site, ...] = ()

    @property
    def target(self) -> Ids:
        """The right text."""
        tokens: Ids = self.z1[self.z1 != BLANK]
        return tokens

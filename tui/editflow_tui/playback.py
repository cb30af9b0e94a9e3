"""The flow as a film: its frames as they come in, which of them is shown, and how fast it plays.

Values only, so that everything about playing can be tested without a clock or a terminal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from editflow.proposal import Proposal
    from editflow.step import Step

FRAME = 0.4
"""Seconds that a frame is shown at speed 1."""
SLOWEST, FASTEST = 0.25, 8.0
STILL = math.inf
"""The speed for those who want no motion: playing is already over."""


@dataclass(frozen=True, slots=True)
class Playback:
    """The frames of one flow and a place among them."""

    frames: tuple[Proposal, ...] = ()
    """What the steps proposed, each time that it changed."""
    at: int | None = None
    """The frame shown; None is the last, also while more come."""
    playing: bool = False
    speed: float = 1.0
    running: bool = False
    """More frames may come."""
    total: int | None = None
    """Passes at most, as far as it is known."""
    error: str | None = None
    """Why the flow broke off."""

    @property
    def position(self) -> int:
        """The index of the frame shown; 0 where there is none yet."""
        return self._last if self.at is None else min(self.at, self._last)

    @property
    def shown(self) -> Proposal | None:
        """The frame shown, or None before the first."""
        return self.frames[self.position] if self.frames else None

    @property
    def over(self) -> bool:
        """What is shown is the whole proposal: the last frame of a flow that has ended."""
        return not self.running and self.position == self._last

    @property
    def moving(self) -> bool:
        """Another frame may be shown without anything being asked for."""
        return self.playing or (self.running and self.at is None)

    @property
    def interval(self) -> float:
        """Seconds from one tick to the next."""
        return FRAME / self.speed

    def add(self, step: Step) -> Self:
        """With the frame of one more step; the place stays what it is."""
        same = bool(self.frames) and self.frames[-1].hunks == step.proposal.hunks
        frames = (*self.frames[:-1], step.proposal) if same else (*self.frames, step.proposal)
        return replace(self, frames=frames, running=not step.done, total=step.total)

    def end(self, error: str | None = None) -> Self:
        """No more frames come."""
        return replace(self, running=False, error=error)

    def toggle(self) -> Self:
        """Pause what moves, play what stands."""
        return self.pause() if self.moving else self.play()

    def play(self) -> Self:
        """On from here, or from the first frame where there is nothing further."""
        if self.running and self.at is None:
            return self
        if self.speed == STILL or len(self.frames) < 2:
            return self.last()
        at = 0 if self.over else self.position
        return replace(self, at=at, playing=True)

    def pause(self) -> Self:
        """Stay at the frame shown, whatever comes."""
        return self.scrub(self.position)

    def tick(self) -> Self:
        """An interval later; at the last frame it waits for the next one, or stops."""
        if not self.playing:
            return self
        if self.position < self._last:
            return replace(self, at=self.position + 1)
        return self if self.running else self.last()

    def forward(self) -> Self:
        """One frame on, and pause."""
        return self.scrub(self.position + 1)

    def back(self) -> Self:
        """One frame back, and pause."""
        return self.scrub(self.position - 1)

    def first(self) -> Self:
        """To the first frame, and pause."""
        return self.scrub(0)

    def last(self) -> Self:
        """To the last frame, and on with those that come."""
        return replace(self, at=None, playing=False)

    def scrub(self, at: int) -> Self:
        """To a frame by its index, or the nearest there is, and pause."""
        return replace(self, at=max(0, min(at, self._last)), playing=False)

    def faster(self) -> Self:
        """Twice as fast, within bounds."""
        return self._at_speed(2.0)

    def slower(self) -> Self:
        """Half as fast, within bounds."""
        return self._at_speed(0.5)

    @property
    def _last(self) -> int:
        return max(0, len(self.frames) - 1)

    def _at_speed(self, factor: float) -> Self:
        if self.speed == STILL:
            return self
        return replace(self, speed=max(SLOWEST, min(self.speed * factor, FASTEST)))

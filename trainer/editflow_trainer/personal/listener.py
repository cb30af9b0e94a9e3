"""What a training tells while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training stands."""

    share: float
    """Of the training's time, in [0, 1]."""
    step: int
    loss: float
    tokens_per_second: float
    left: float
    """Seconds until training ends."""
    exact: float | None = None
    """Share of tuning edits that the network as it is now makes exactly; None until it was measured."""


class Listener(Protocol):
    """Shows it to a person."""

    def stage(self, name: str) -> None:
        """Something else begins: mining, reading, measuring, training and so on."""

    def progress(self, progress: Progress) -> None:
        """Training has come further."""

    def say(self, line: str) -> None:
        """A line worth keeping."""

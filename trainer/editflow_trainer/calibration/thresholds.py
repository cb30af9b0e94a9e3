"""The search for the probabilities at which operations fire, one operation after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TypeVar

from editflow.confidence import Operation
from editflow.process.edit_flow import Thresholds

GRID = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)

Score = TypeVar("Score", bound=tuple[float, ...])


def search(score: Callable[[Thresholds], Score], start: Thresholds) -> Thresholds:
    """Coordinate search over GRID: each operation moves from its place while its neighbour scores higher.

    `score` is asked once for any thresholds; on a tie the threshold stays where it is.
    """
    score = cache(score)
    best = start
    for operation in Operation:
        for direction in (-1, 1):
            while (near := _neighbour(best, operation, direction)) and score(best) < score(near):
                best = near
    return best


def _neighbour(thresholds: Thresholds, operation: Operation, direction: int) -> Thresholds | None:
    """The next value of the grid in a direction, None at its end."""
    value: float = getattr(thresholds, operation)
    beyond = [g for g in GRID if (g - value) * direction > 0]
    return replace(thresholds, **{operation: min(beyond, key=lambda g: abs(g - value))}) if beyond else None

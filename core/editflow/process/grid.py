"""The times at which a continuous-time sampler looks at its state, and the moves it makes between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from editflow.process.schedule import Polynomial

NEGLIGIBLE = 1e-3  # of a step: less time than this is not worth a pass of its own


@dataclass(frozen=True, slots=True)
class Move:
    """One pass: the rates are taken at `time` and used for a stretch of `length`."""

    time: float
    length: float
    back: bool = False
    """Towards the source, with the reverse rates."""


@dataclass(frozen=True, slots=True)
class Corrector:
    """alpha_t = scale t^rise (1 - t)^fall (Edit Flows, arXiv 2506.09018, table 5)."""

    scale: float
    rise: float = 1.0
    fall: float = 1.0

    def alpha(self, t: float) -> float:
        """How much further than h a step of h goes, to return from."""
        return float(self.scale * t**self.rise * (1 - t) ** self.fall)


@lru_cache(maxsize=64)
def moves(schedule: Polynomial, steps: int, corrector: Corrector | None = None) -> tuple[Move, ...]:
    """From 0 to 1 in steps of h = min(1 / steps, (1 - kappa) / kappa').

    The second bound keeps h w(t) at most 1: no pending operation is asked for more than once a step. With a
    corrector a step goes forward to t + h (1 + alpha_t) and comes back by h alpha_t, so that with exact rates the
    marginals at the grid's times stay what they are (section 3.3).
    """
    made: list[Move] = []
    t = 0.0
    while t < 1:
        weight = float(schedule.weight(torch.tensor(t, dtype=torch.float64)))
        h = min(1 / steps, 1 / weight if weight > 0 else 1.0)
        h = 1 - t if 1 - t < h * (1 + NEGLIGIBLE) or 1 - t < NEGLIGIBLE / steps else h
        further = 0.0 if corrector is None else min(h * corrector.alpha(t), 1 - t - h)
        made.append(Move(t, h + further))
        if further > 0:
            made.append(Move(t + h + further, further, back=True))
        t = 1.0 if h == 1 - t else t + h
    return tuple(made)


@lru_cache(maxsize=64)
def moves_back(schedule: Polynomial, steps: int) -> tuple[Move, ...]:
    """From 1 to 0 with the reverse rates, in steps of h = min(1 / steps, kappa / kappa')."""
    made: list[Move] = []
    t = 1.0
    while t > 0:
        weight = float(schedule.reverse_weight(torch.tensor(t, dtype=torch.float64)))
        h = min(1 / steps, 1 / weight if weight > 0 else 1.0)
        h = t if t < h * (1 + NEGLIGIBLE) or t < NEGLIGIBLE / steps else h
        made.append(Move(t, h, back=True))
        t -= h
    return tuple(made)

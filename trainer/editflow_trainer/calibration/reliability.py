"""How far confidences are frequencies: bins of equal mass, expected calibration error and Brier score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Self

from editflow.confidence import Operation
from editflow_trainer.evaluation.statistics import Rate

BINS = 8
LEAST = 20
"""Fewest hunks of a bin where there are two."""
ALL = "all"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an engine said of a hunk, and how it was."""

    operation: Operation
    confidence: float
    right: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Hunks of similar confidence."""

    confidence: float
    """Mean."""
    right: Rate

    @property
    def gap(self) -> float:
        """Between confidence and accuracy, at least 0."""
        return abs(self.right.hits / self.right.cases - self.confidence)


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability diagram (DeGroot and Fienberg 1983) and what it comes to."""

    bins: tuple[Bin, ...]
    brier: float
    """Mean squared difference between confidence and outcome (Brier 1950)."""

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Self:
        """At most BINS bins of as equal a mass as can be, by rising confidence; ValueError without outcomes."""
        ordered = sorted(outcomes, key=lambda outcome: outcome.confidence)
        if not ordered:
            raise ValueError("no outcomes: nothing is known about the confidences")
        count = max(1, min(BINS, len(ordered) // LEAST))
        cuts = [len(ordered) * i // count for i in range(count + 1)]
        bins = tuple(_bin(ordered[a:b]) for a, b in pairwise(cuts))
        return cls(bins, fmean((o.confidence - o.right) ** 2 for o in ordered))

    @property
    def right(self) -> Rate:
        """The share of all hunks that is right."""
        return Rate(sum(b.right.hits for b in self.bins), sum(b.right.cases for b in self.bins))

    @property
    def ece(self) -> float:
        """Expected calibration error: the mean gap of the bins, by their mass (Guo et al. 2017, arXiv 1706.04599)."""
        return sum(b.gap * b.right.cases for b in self.bins) / self.right.cases


def by_operation(outcomes: Sequence[Outcome]) -> Mapping[str, Reliability]:
    """The diagram of all hunks and of each operation that occurs."""
    groups = {ALL: list(outcomes)}
    groups |= {operation: [o for o in outcomes if o.operation is operation] for operation in Operation}
    return {name: Reliability.of(group) for name, group in groups.items() if group}


def _bin(outcomes: Sequence[Outcome]) -> Bin:
    return Bin(fmean(o.confidence for o in outcomes), Rate.of(o.right for o in outcomes))

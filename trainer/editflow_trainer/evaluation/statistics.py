"""Shares of cases with Wilson's 95 % score interval, which stays sensible at 0 %, 100 % and for few cases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of the cases had a property."""

    hits: int
    cases: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.cases:
            raise ValueError(f"{self.hits} of {self.cases} cases is no share")

    @classmethod
    def of(cls, outcomes: Iterable[bool]) -> Rate:
        """The share of true outcomes."""
        seen = list(outcomes)
        return cls(sum(seen), len(seen))

    @property
    def value(self) -> float | None:
        """Between 0 and 1; None without cases."""
        return self.hits / self.cases if self.cases else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson (1927), doi.org/10.1080/01621459.1927.10502953; 0 to 1 without cases."""
        if self.value is None:
            return 0.0, 1.0
        weight = Z95**2 / self.cases
        middle = self.value + weight / 2
        spread = sqrt(weight * (self.value * (1 - self.value) + weight / 4))
        low, high = (middle - spread) / (1 + weight), (middle + spread) / (1 + weight)
        # Rounding must not move the ends that are exact.
        return (low if self.hits else 0.0), (high if self.hits < self.cases else 1.0)

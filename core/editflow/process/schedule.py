"""Schedules kappa(t): how far along the path from z0 to z1 a flow is at time t.

A slot of z_t is z1's with probability kappa(t), else z0's (Edit Flows, arXiv 2506.09018, eq. 9). A slot that has not
flipped yet flips at the rate w(t) = kappa' / (1 - kappa); run backwards, a flipped one returns at kappa' / kappa.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BISECTIONS = 60  # halves [0, 1] beyond float64's resolution


@dataclass(frozen=True, slots=True)
class Polynomial:
    """kappa(t) = sum_n c_n t^n with n from 1 on, rising from 0 to 1. Tensors of any shape in, float64 out."""

    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        grid = torch.linspace(0, 1, 1001, dtype=torch.float64)
        if not self.coefficients or not abs(sum(self.coefficients) - 1) <= 1e-9:  # so that NaN is refused
            raise ValueError(f"coefficients {self.coefficients} of a schedule must sum to 1")
        if float(self.derivative(grid).min()) < -1e-9:
            raise ValueError(f"the schedule with coefficients {self.coefficients} decreases somewhere")

    @classmethod
    def power(cls, n: int) -> Polynomial:
        """kappa(t) = t^n, n from 1 on."""
        if n < 1:
            raise ValueError(f"t^{n} does not rise from 0 to 1")
        return cls((0.0,) * (n - 1) + (1.0,))

    @classmethod
    def hermite(cls, start: float, end: float) -> Polynomial:
        """The cubic with kappa'(0) = start and kappa'(1) = end.

        Public code calls the one with (0, 2) cubic, but that is t^2; t^3 is (0, 3).
        """
        return cls((start, 3 - 2 * start - end, start + end - 2))

    def kappa(self, t: Tensor) -> Tensor:
        """Share of the slots that have flipped at t."""
        t, total = t.double(), torch.zeros_like(t, dtype=torch.float64)
        for c in reversed(self.coefficients):  # Horner
            total = (total + c) * t
        return total

    def derivative(self, t: Tensor) -> Tensor:
        """kappa'(t)."""
        t, total = t.double(), torch.zeros_like(t, dtype=torch.float64)
        for n, c in reversed(list(enumerate(self.coefficients, 1))):
            total = total * t + n * c
        return total

    def inverse(self, kappa: Tensor) -> Tensor:
        """The t with kappa(t) = kappa, by bisection; kappa in [0, 1]."""
        low = torch.zeros_like(kappa, dtype=torch.float64)
        high = torch.ones_like(low)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            below = self.kappa(middle) < kappa
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return (low + high) / 2

    def weight(self, t: Tensor) -> Tensor:
        """w(t) = kappa' / (1 - kappa), the rate towards z1; infinite at t = 1."""
        left = 1 - self.kappa(t)
        return torch.where(left > 0, self.derivative(t) / left, float("inf"))

    def reverse_weight(self, t: Tensor) -> Tensor:
        """kappa' / kappa, the rate back to z0; infinite at t = 0."""
        kappa = self.kappa(t)
        return torch.where(kappa > 0, self.derivative(t) / kappa, float("inf"))


LINEAR, QUADRATIC, CUBIC = (Polynomial.power(n) for n in (1, 2, 3))
SCHEDULES = {"linear": LINEAR, "quadratic": QUADRATIC, "cubic": CUBIC}

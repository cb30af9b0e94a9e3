"""Running a flow on an enumerated problem, and comparing where its rows are with where they should be."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor

from editflow.canvas import Canvas, Role, apply_edits
from editflow.process.base import Heads
from editflow.process.continuous import ContinuousEditFlow
from tests.core.enumeration import Enumeration

FEWEST = 10.0  # rows expected in a cell of a chi-square test
WIDEST = 64  # tokens of a row
SIGMAS = 4.5
"""How far a mean may be off: 7 in a million are by chance."""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@torch.inference_mode()
def simulate(
    process: ContinuousEditFlow, heads: Heads, canvas: Canvas, until: float = 1.0
) -> tuple[Canvas, float]:
    """Run all moves, or those before the first time of the grid from `until` on; the time reached."""
    for index, move in enumerate(process.moves):
        if not move.back and move.time >= until:
            return canvas, move.time
        edits = process.step(heads, canvas, process.passes - index)
        canvas = apply_edits(canvas, edits, WIDEST).trimmed()
    return canvas, 1.0


@dataclass(frozen=True, slots=True)
class Fit:
    """How well rows agree with a distribution over the x of an enumeration."""

    p_value: float
    """Of Pearson's chi-square test on the rows whose x has a probability; rare ones share a cell."""
    outside: float
    """Share of the rows whose x has none."""
    rows: int

    @property
    def noise(self) -> float:
        """Standard error of `outside`."""
        return sqrt(self.outside * (1 - self.outside) / self.rows)


def fit(enumeration: Enumeration, canvas: Canvas, kappa: float) -> Fit:
    """Compare with p_t."""
    role = torch.where(canvas.frozen, int(Role.CONTEXT), int(Role.ORIGINAL))
    x = enumeration.find(canvas.ids, role, canvas.live)
    counts = x.bincount(minlength=len(enumeration.rows) + 1).double()
    probability = torch.nn.functional.pad(enumeration.at(kappa).probability, (0, 1))
    inside = probability > 0
    p_value = chi_square(counts[inside], probability[inside])
    return Fit(p_value, float(counts[~inside].sum() / len(x)), len(x))


def chi_square(counts: Tensor, probability: Tensor) -> float:
    """p-value of Pearson's test; cells in which few are expected are pooled."""
    expected = probability * counts.sum() / probability.sum()
    rare = expected < FEWEST
    cells = [torch.cat((values[~rare], values[rare].sum()[None])).double() for values in (counts, expected)]
    seen, due = (values[cells[1] > 0] for values in cells)
    if len(due) == 1:
        return 1.0
    statistic = ((seen - due) ** 2 / due).sum()
    freedom = torch.tensor((len(due) - 1) / 2, dtype=torch.float64)
    return float(torch.special.gammaincc(freedom, statistic / 2))

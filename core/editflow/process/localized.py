"""The localized path: edits that lie close to each other flip together (Edit Flows, arXiv 2506.09018, app. C.1).

Every edit slot l is a source. It turns on at rate lambda_indep = kappa' / (1 - kappa), and from then on its interval
grows by one slot at rate lambda_prop on either side; a slot shows z1 once some interval covers it. Unlike the
paper's, sources sit on edit slots only, positions count edit slots, and an interval never leaves its hunk: a source
on a keep slot would be invisible, and in repair nearly all slots are keeps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from editflow.process.base import AlignedBatch
from editflow.process.choice import uniform
from editflow.process.schedule import Polynomial


@dataclass(frozen=True, slots=True)
class LocalizedPath:
    """Draws z_t without simulating its past, and the weight of the loss at every pending slot."""

    schedule: Polynomial
    propagation: float  # lambda_prop, per unit of t
    bridge: int = 4  # keep slots that do not separate two hunks

    def __post_init__(self) -> None:
        if self.propagation < 0 or self.bridge < 0:
            raise ValueError(f"propagation {self.propagation} and bridge {self.bridge} must not be negative")

    def draw(self, batch: AlignedBatch, t: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """z_t [B, S] at t [B], and each slot's weight [B, S] float32, 0 where nothing is pending.

        The weight of slot j is lambda_eff(j) = kappa' / (1 - kappa) + lambda_prop (intervals that end beside j):
        the rate at which the slot flips, given all intervals.
        """
        edit = batch.z0 != batch.z1
        hunks = _Hunks.of(edit, self.bridge)
        t = t.double()[:, None]
        on, low, high = self._intervals(hunks, t, generator)
        covered = _covered(on, low, high)
        rate = self.schedule.weight(t) + self.propagation * _beside(on, low, high, hunks)
        rate = torch.where(covered, 0.0, rate).float()
        flipped = covered.gather(1, hunks.rank)
        weight = torch.where(edit, rate.gather(1, hunks.rank), 0.0)
        return torch.where(edit & flipped, batch.z1, batch.z0), weight

    def _intervals(
        self, hunks: _Hunks, t: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Of every source, [B, E]: whether it is on at t [B, 1], and its first and last slot."""
        device, place = t.device, generator.device
        u = uniform(hunks.first.shape, generator, device)
        on = hunks.live & (u < self.schedule.kappa(t))  # the same as t* < t, and certain where kappa is 1
        age = torch.where(on, t - self.schedule.inverse(u), 0.0).clamp_min(0)
        growth = (self.propagation * age).to(place).expand(2, *age.shape)
        left, right = torch.poisson(growth, generator=generator).to(device).long()
        source = torch.arange(u.shape[1], device=device)
        return on, torch.maximum(source - left, hunks.first), torch.minimum(source + right, hunks.last)


@dataclass(frozen=True, slots=True)
class _Hunks:
    """The edit slots of each row, numbered from 0, E at most. [B, E] but for `rank`."""

    rank: Tensor  # int64 [B, S], the number of an edit slot (another slot's is a valid index, no more)
    live: Tensor  # bool, whether the row has that many edit slots
    first: Tensor  # int64, the first edit slot of this one's hunk
    last: Tensor  # int64, the last

    @classmethod
    def of(cls, edit: Tensor, bridge: int) -> _Hunks:
        """From edit slots [B, S]; a hunk ends where more than `bridge` other slots follow."""
        count = edit.sum(1, keepdim=True)
        size = max(1, int(count.max()))
        rank = (edit.cumsum(1) - 1).clamp_min(0)
        row, column = edit.nonzero(as_tuple=True)
        columns = torch.zeros((len(edit), size), dtype=torch.int64, device=edit.device)
        columns[row, rank[row, column]] = column
        number = torch.arange(size, device=edit.device).expand_as(columns)
        live = number < count
        opens = columns.diff(dim=1, prepend=columns[:, :1]) > bridge + 1
        first = torch.where(opens, number, 0).cummax(1).values
        closes = torch.nn.functional.pad(opens[:, 1:], (0, 1)) | (number == count - 1)
        last = torch.where(closes, number, size - 1).flip(1).cummin(1).values.flip(1)
        return cls(rank, live, first, last)


def _covered(on: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """[B, E] bool: slots in at least one interval [low, high] that is on."""
    one = on.long()
    change = torch.nn.functional.pad(torch.zeros_like(low), (0, 1))
    change = change.scatter_add(1, low, one).scatter_add(1, high + 1, -one)
    return change.cumsum(1)[:, :-1] > 0


def _beside(on: Tensor, low: Tensor, high: Tensor, hunks: _Hunks) -> Tensor:
    """[B, E]: how many intervals that are on end next to a slot of their hunk; each would grow into it."""
    to_left = (on & (low > hunks.first)).long()
    to_right = (on & (high < hunks.last)).long()
    count = torch.zeros_like(low).scatter_add(1, (low - 1).clamp_min(0), to_left)
    return count.scatter_add(1, (high + 1).clamp(max=low.shape[1] - 1), to_right)

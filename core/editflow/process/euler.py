"""First-order Euler: all jumps of a short stretch of time at once, drawn from the rates at its start.

A token is deleted or substituted with probability h (lambda_del + lambda_sub), and which of the two by their share;
a gap receives tokens by h lambda_ins (Edit Flows, arXiv 2506.09018, section 3). An insertion may fall together with an
edit of the token at its left.
"""

from __future__ import annotations

from enum import StrEnum

import torch
from torch import Tensor

from editflow.canvas import Canvas, Edits
from editflow.process.choice import Sharpening, draw, uniform
from editflow.process.jumps import Jumps

CERTAIN = 1e-4  # rounding of float32: 3.00001 missing tokens are three


class Insertions(StrEnum):
    """How many tokens may enter a gap in one step."""

    single = "single"
    """One, with probability h lambda: a long run does not fit into few steps."""
    poisson = "poisson"
    """Poisson(h lambda): the right mean, but more than are missing may come."""
    binomial = "binomial"
    """Each of the lambda / w missing tokens with probability h w: exact where that number is certain."""


def euler_step(
    jumps: Jumps,
    canvas: Canvas,
    length: float,
    generator: torch.Generator,
    insertions: Insertions = Insertions.binomial,
    sharpening: Sharpening | None = None,
) -> Edits:
    """The edits of a stretch of time of this length. All noise is float64."""
    rates, sharpen = jumps.rates, sharpening or Sharpening()
    delete, substitute = (length * rate.double().exp() for rate in (rates.delete, rates.substitute))
    u = uniform(canvas.ids.shape, generator, canvas.ids.device)
    most = (delete + substitute).clamp_min(1.0)  # beyond probability 1 only the shares count
    deleted = u < delete / most
    substituted = ~deleted & (u < (delete + substitute) / most)
    token, likely = _substitutes(jumps, substituted, sharpen, generator)
    insert = _counts(jumps, length, generator, insertions)
    insert_id, insert_likely = _inserts(jumps, insert, sharpen, generator)
    sure = torch.where(deleted, _base(jumps, rates.delete), _base(jumps, rates.substitute) * likely)
    insert_sure = _base(jumps, rates.insert) * insert_likely
    return Edits(deleted, token, insert, insert_id, sure.float(), insert_sure.float())


def _base(jumps: Jumps, log_rate: Tensor) -> Tensor:
    """[B, L]: lambda / w, the probability that the operation is pending, at most 1."""
    return (log_rate.double() - jumps.log_weight[:, None].double()).exp().clamp(max=1)


def _substitutes(
    jumps: Jumps, chosen: Tensor, sharpen: Sharpening, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """New ids (-1 where none) and their probabilities under Q, both [B, L]."""
    token, likely = torch.full(chosen.shape, -1, device=chosen.device), _ones(chosen)
    row, column = chosen.nonzero(as_tuple=True)
    if len(row):
        log_q = jumps.substitutions(row, column)
        drawn = draw(sharpen(log_q), generator)
        token[row, column] = drawn
        likely[row, column] = log_q.gather(1, drawn[:, None])[:, 0].double().exp()
    return token, likely


def _inserts(
    jumps: Jumps, count: Tensor, sharpen: Sharpening, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Ids [B, L, K] of the tokens that enter each gap, and the product of their probabilities [B, L]."""
    ids = torch.zeros((*count.shape, max(1, int(count.max()))), dtype=torch.int64, device=count.device)
    row, column = count.nonzero(as_tuple=True)
    if not len(row):
        return ids, _ones(count)
    each = count[row, column]
    first = (each.cumsum(0) - each).repeat_interleave(each)
    row, column = row.repeat_interleave(each), column.repeat_interleave(each)
    log_q = jumps.insertions(row, column)
    drawn = draw(sharpen(log_q), generator)
    ids[row, column, torch.arange(len(row), device=row.device) - first] = drawn
    likely = log_q.gather(1, drawn[:, None])[:, 0].double().exp()
    place = row * count.shape[1] + column
    return ids, _ones(count).flatten().scatter_reduce(0, place, likely, "prod").view(count.shape)


def _counts(jumps: Jumps, length: float, generator: torch.Generator, insertions: Insertions) -> Tensor:
    """[B, L] int64: tokens that enter each gap."""
    expected = length * jumps.rates.insert.double().exp()
    if insertions is Insertions.single:
        return (uniform(expected.shape, generator, expected.device) < expected).long()
    at = generator.device
    if insertions is Insertions.poisson:
        return torch.poisson(expected.to(at), generator).long().to(expected.device)
    missing = (jumps.rates.insert - jumps.log_weight[:, None]).double().exp()
    trials = (missing - CERTAIN).ceil().clamp_min(1)
    drawn = torch.binomial(trials.to(at), (expected / trials).clamp(max=1).to(at), generator)
    return drawn.long().to(expected.device)


def _ones(like: Tensor) -> Tensor:
    return torch.ones(like.shape, dtype=torch.float64, device=like.device)

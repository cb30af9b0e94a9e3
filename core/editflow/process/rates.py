"""Rates: the non-negative numbers at which a flow inserts, deletes and substitutes, and two ways to get them.

A network answers with base quantities, which do not depend on the schedule: p_i(keep), p_i(delete), p_i(substitute)
per token, and per gap how many tokens are missing. With w(t) = kappa' / (1 - kappa) the optimal rates are

    lambda_del = w p(delete),   lambda_sub = w p(substitute),   lambda_ins = w E[number of missing tokens]

(Edit Flows, arXiv 2506.09018, Theorem 3.1). `hazard` reads them just so. The two softplus forms do not bind a token's
rates together, nor bound them by w: `scaled_softplus` is w softplus(a), which the paper's listing intends, and
`softplus` leaves it to the network to learn w too. There a is the log odds of an operation against keeping, so that
all three agree, up to w, where rates are small, and one network can be read in any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from editflow.heads import Hidden
from editflow.process.base import Answers
from editflow.process.corruption import DELETE, KEEP, SUBSTITUTE

LEAST_LOG_ODDS = -30.0  # softplus is exp below; float32 must not underflow to log 0


@dataclass(frozen=True, slots=True)
class Rates:
    """Logarithms of lambda, each [B, L] float32: insertion right of a token, its deletion, its substitution."""

    insert: Tensor
    delete: Tensor
    substitute: Tensor

    def allowed(self, tokens: Tensor, gaps: Tensor) -> Rates:
        """-inf outside the tokens and gaps (bool [B, L]) that may change."""
        closed = float("-inf")
        return Rates(
            torch.where(gaps, self.insert, closed),
            torch.where(tokens, self.delete, closed),
            torch.where(tokens, self.substitute, closed),
        )

    def exit_rate(self) -> Tensor:
        """[B]: the sum of all rates, at which a row is left."""
        return (self.insert.exp() + self.delete.exp() + self.substitute.exp()).sum(1)


Parameterisation = Callable[[Answers, Hidden, Tensor], Rates]
"""From heads, hidden states and log w(t) [B] to rates."""


def hazard(answers: Answers, hidden: Hidden, log_weight: Tensor) -> Rates:
    """lambda = w times a probability, or an expected count."""
    operation = answers.operations(hidden)
    complete, counts = answers.gaps(hidden)
    size = torch.arange(1, counts.shape[-1] + 1, device=counts.device, dtype=counts.dtype)
    expected = F.logsigmoid(-complete) + (counts + size.log()).logsumexp(-1)
    scale = log_weight[:, None]
    return Rates(expected + scale, operation[..., DELETE] + scale, operation[..., SUBSTITUTE] + scale)


def softplus(answers: Answers, hidden: Hidden, log_weight: Tensor) -> Rates:
    """lambda = softplus(a), whatever w is."""
    operation = answers.operations(hidden)
    complete, _ = answers.gaps(hidden)
    odds = (
        -complete,
        operation[..., DELETE] - operation[..., KEEP],
        operation[..., SUBSTITUTE] - operation[..., KEEP],
    )
    return Rates(*(F.softplus(a.clamp_min(LEAST_LOG_ODDS)).log() for a in odds))


def scaled_softplus(answers: Answers, hidden: Hidden, log_weight: Tensor) -> Rates:
    """lambda = w softplus(a)."""
    base, scale = softplus(answers, hidden, log_weight), log_weight[:, None]
    return Rates(base.insert + scale, base.delete + scale, base.substitute + scale)


PARAMETERISATIONS: dict[str, Parameterisation] = {
    "hazard": hazard,
    "softplus": softplus,
    "scaled_softplus": scaled_softplus,
}

"""The exact loss of an Edit Flow: the Bregman divergence between the model's rates and the conditional ones.

    L = E [   sum_i (lambda_ins_i + lambda_del_i + lambda_sub_i)(x_t)
            - sum_s 1[z_t^s != z1^s] w_s log u(x(z_t, s, z1^s) | x_t) ]

(Edit Flows, arXiv 2506.09018, Theorem 3.1 with phi(u) = <u, log u>, constants dropped). w_s is w(t) on the plain
path, the effective rate of slot s on the localized one. The loss is below zero wherever rates are above e: a pending
slot with its rate known to be w costs w (1 - log w). So it is not what a run should be watched by;
`RateTerms.record` is.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from editflow.heads import Hidden
from editflow.process.base import TrainedAnswers, per_event
from editflow.process.corruption import DELETE, Corrupted
from editflow.process.rates import Rates


@dataclass(frozen=True, slots=True)
class RateTerms:
    """A loss by term, sums over a batch."""

    total: Tensor
    """The objective, over the number of tokens that may change; the only one with a gradient."""
    exit: Tensor
    """Rates over w: the number of edits that the model thinks are pending."""
    pending: Tensor
    """The number that is."""
    log_rate: Tensor
    """Of the pending operations, the sum of -log(lambda / w), without tokens; nats."""
    substitute: Tensor
    """-log Q_sub of the pending substitutions, nats."""
    insert: Tensor
    """-log Q_ins of the pending insertions, nats."""
    tokens: Tensor
    substitutions: Tensor
    insertions: Tensor

    def record(self) -> dict[str, float]:
        """The loss; edits expected and due per token; nats per pending operation, substitution, insertion."""
        return {
            "loss": round(float(self.total.detach()), 4),
            "expected": per_event(self.exit, self.tokens),
            "due": per_event(self.pending, self.tokens),
            "operation": per_event(self.log_rate, self.pending),
            "substitute": per_event(self.substitute, self.substitutions),
            "insert": per_event(self.insert, self.insertions),
        }


def bregman(
    answers: TrainedAnswers,
    hidden: Hidden,
    rates: Rates,
    state: Corrupted,
    weight: Tensor,
    log_weight: Tensor,
) -> RateTerms:
    """The loss at a corrupted state.

    `weight` [B, S]: w_s of every slot that is pending. `log_weight` [B]: log w(t), for the numbers to be watched.
    Distributions are gathered at pending operations only.
    """
    rates = rates.allowed(state.editable, state.gaps)
    scale = log_weight[:, None].expand_as(rates.insert)
    row, column = (state.operation == DELETE).nonzero(as_tuple=True)
    deleted = _gathered(rates.delete, scale, row, column)
    row_s, column_s = state.substitute_row, state.substitute_column
    substituted = _gathered(rates.substitute, scale, row_s, column_s)
    log_q_s = answers.substitution_log_prob(hidden, row_s, column_s, state.substitute_token)
    row_i, column_i = state.insert_row, state.insert_column
    inserted = _gathered(rates.insert, scale, row_i, column_i)
    log_q_i = answers.insertion_log_prob(hidden, row_i, column_i, state.insert_token)
    gain = (
        (weight[row, state.slot[row, column]] * deleted.log_rate).sum()
        + (weight[row_s, state.slot[row_s, column_s]] * (substituted.log_rate + log_q_s)).sum()
        + (weight[row_i, state.insert_slot] * (inserted.log_rate + log_q_i)).sum()
    )
    tokens = state.editable.sum()
    base = Rates(*(r - scale for r in (rates.insert, rates.delete, rates.substitute)))
    return RateTerms(
        total=(rates.exit_rate().sum() - gain) / tokens.clamp(min=1),
        exit=base.exit_rate().sum().detach(),
        pending=torch.tensor(len(row) + len(row_s) + len(row_i)),
        log_rate=-(deleted.base + substituted.base + inserted.base).detach(),
        substitute=-log_q_s.sum().detach(),
        insert=-log_q_i.sum().detach(),
        tokens=tokens,
        substitutions=torch.tensor(len(row_s)),
        insertions=torch.tensor(len(row_i)),
    )


@dataclass(frozen=True, slots=True)
class _Gathered:
    log_rate: Tensor  # [P]
    base: Tensor  # [], sum of log(lambda / w)


def _gathered(rate: Tensor, scale: Tensor, row: Tensor, column: Tensor) -> _Gathered:
    log_rate = rate[row, column]
    return _Gathered(log_rate, (log_rate - scale[row, column]).detach().sum())

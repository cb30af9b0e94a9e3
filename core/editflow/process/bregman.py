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
    gone = (state.operation == DELETE).nonzero(as_tuple=True)
    changed = state.substitute_row, state.substitute_column
    opened = state.insert_row, state.insert_column
    deleted, substituted, inserted = rates.delete[gone], rates.substitute[changed], rates.insert[opened]
    log_q_sub = answers.substitution_log_prob(hidden, *changed, state.substitute_token)
    log_q_ins = answers.insertion_log_prob(hidden, *opened, state.insert_token)
    gain = (
        (weight[gone[0], state.slot[gone]] * deleted).sum()
        + (weight[changed[0], state.slot[changed]] * (substituted + log_q_sub)).sum()
        + (weight[opened[0], state.insert_slot] * (inserted + log_q_ins)).sum()
    )
    pending = torch.cat((gone[0], changed[0], opened[0]))  # rows
    log_rate = torch.cat((deleted, substituted, inserted)).detach() - log_weight[pending]
    tokens, leaving = state.editable.sum(), rates.exit_rate()
    return RateTerms(
        total=(leaving.sum() - gain) / tokens.clamp(min=1),
        exit=(leaving.detach() / log_weight.exp()).sum(),
        pending=torch.tensor(len(pending)),
        log_rate=-log_rate.sum(),
        substitute=-log_q_sub.sum().detach(),
        insert=-log_q_ins.sum().detach(),
        tokens=tokens,
        substitutions=torch.tensor(len(changed[0])),
        insertions=torch.tensor(len(opened[0])),
    )

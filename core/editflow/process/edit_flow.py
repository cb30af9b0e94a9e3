"""The Edit Flow in the form that edits well: time-free base quantities, placeholders for insertions.

Let z0, z1 be aligned sequences over T + {blank} and z_t the mixture path of Edit Flows (arXiv 2506.09018, eq. 9):
slot s is z1_s with probability kappa, else z0_s; x_t = f_rm(z_t) strips the blanks. The optimal rate of an
operation is (section 3, Theorem 3.1)

    u*(op | x_t) = w(t) E[ number of pending slots that ask for op | x_t ],    w(t) = kappa'_t / (1 - kappa_t).

Only w depends on t when the density of kappa is fixed, so the network predicts the base quantities and w is
multiplied in where a stochastic sampler is run (OneFlow, arXiv 2510.03506, section 3, drops w from the loss too):

    per token i   p_i(keep), p_i(delete), p_i(substitute)   and   Q_sub_i(a)
    per gap i     pi_i = P(nothing missing), c_i(k) = P(k missing | k >= 1)   and   Q_ins_i(a), a bag over the gap

    loss = 1/|x_t| ( sum_i CE(p_i) + sum_sub -log Q_sub(z1_s)
                   + sum_i [ BCE(pi_i) + 1[k_i > 0] CE(c_i) + sum_{a missing in gap i} -log Q_ins_i(a) ] ).

Every term is a proper scoring rule, so with enough capacity its minimum is the conditional expectation above; the
expected count of Theorem 3.1 is (1 - pi_i) sum_k k c_i(k). The count is a zero-inflated categorical instead of the
zero-inflated Poisson of OneFlow: one mode can be read off it, which deterministic decoding needs.

An insertion of k > 1 tokens happens in two moves, blank -> placeholder -> token (insert, then unmask: FlexMDM,
arXiv 2509.01025): the count opens k placeholders, and Q_sub, the same head that substitutes, fills them in the next
passes, most confident first. Decoding fires every operation whose calibrated probability passes its threshold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from editflow.canvas import FIRST_TEXT_ID, PLACEHOLDER, Canvas, Edits, Role
from editflow.heads import Hidden
from editflow.process.base import AlignedBatch, Heads, TrainedHeads, per_event
from editflow.process.corruption import (
    DELETE,
    KEEP,
    SUBSTITUTE,
    Corrupted,
    draw_path,
    observe,
    open_placeholders,
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities at which an operation fires; calibrated on held-out data and stored with the checkpoint."""

    delete: float = 0.5
    substitute: float = 0.5
    insert: float = 0.5
    fill: float = 0.9
    """Placeholders at least this certain are filled at once, whatever their rank."""


@dataclass(frozen=True, slots=True)
class LossTerms:
    """Sums of negative log-likelihoods in nats, and the numbers of events they sum over."""

    total: Tensor
    """The objective: all terms over the number of tokens of x_t; the only one with a gradient."""
    operation: Tensor
    gap: Tensor
    count: Tensor
    substitute: Tensor
    insert: Tensor
    tokens: Tensor
    substitutions: Tensor
    insertions: Tensor

    def record(self) -> dict[str, float]:
        """Nats per event."""
        return {
            "loss": round(float(self.total.detach()), 4),
            "operation": per_event(self.operation, self.tokens),
            "gap": per_event(self.gap, self.tokens),
            "count": per_event(self.count, self.insertions),
            "substitute": per_event(self.substitute, self.substitutions),
            "insert": per_event(self.insert, self.insertions),
        }


class EditFlow:
    """Time-free Edit Flow; a `Process` (see editflow.process.base)."""

    settles = True  # what a pass does not change, the next one would not either

    def __init__(
        self,
        thresholds: Thresholds | None = None,
        fill_passes: int = 3,
        generator: torch.Generator | None = None,
    ) -> None:
        """`fill_passes`: each pass fills at least this fraction (1 / fill_passes) of a row's placeholders.

        Whatever is left in the last pass is filled in it.

        `generator` (on the CPU) is only drawn from for rows whose temperature is not 0.
        """
        self.thresholds = thresholds or Thresholds()
        self.fill_passes = fill_passes
        self.generator = generator

    def prior(self, source: Canvas) -> Canvas:
        """Repair starts at the source itself."""
        return source

    def corrupt(self, batch: AlignedBatch, time: Tensor, generator: torch.Generator) -> Corrupted:
        """Draw x_t with kappa = time [B]; half of the rows show some counted insertions as placeholders."""
        zt = draw_path(batch, time, generator)
        u = torch.rand(time.shape, generator=generator, device=time.device)
        return observe(batch, open_placeholders(batch, zt, (2 * u - 1).clamp_min(0), generator))

    def loss(self, heads: TrainedHeads, state: Corrupted) -> LossTerms:
        """The loss of the module docstring, [] float32."""
        hidden = heads(state.ids, state.role, state.live)
        operation = F.nll_loss(
            heads.operations(hidden)[state.editable], state.operation[state.editable], reduction="sum"
        )
        complete, counts = heads.gaps(hidden)
        missing = state.missing[state.gaps]
        gap = F.binary_cross_entropy_with_logits(
            complete[state.gaps], (missing == 0).float(), reduction="sum"
        )
        some = missing > 0
        target = missing[some].clamp(max=counts.shape[-1]) - 1
        count = F.nll_loss(counts[state.gaps][some], target, reduction="sum")
        substitute = -heads.substitution_log_prob(
            hidden, state.substitute_row, state.substitute_column, state.substitute_token
        ).sum()
        insert = -heads.insertion_log_prob(
            hidden, state.insert_row, state.insert_column, state.insert_token
        ).sum()
        tokens = state.editable.sum()
        return LossTerms(
            total=(operation + gap + count + substitute + insert) / tokens.clamp(min=1),
            operation=operation.detach(),
            gap=gap.detach(),
            count=count.detach(),
            substitute=substitute.detach(),
            insert=insert.detach(),
            tokens=tokens,
            substitutions=torch.tensor(len(state.substitute_token)),
            insertions=torch.tensor(len(state.insert_token)),
        )

    def step(self, heads: Heads, canvas: Canvas, passes_left: int) -> Edits:
        """All operations above their thresholds, argmax of Q; `passes_left` counts this pass."""
        hidden = heads(canvas.ids, canvas.role, canvas.live)
        operation = heads.operations(hidden).exp()
        blank = (canvas.ids == PLACEHOLDER) & ~canvas.frozen
        complete, counts = heads.gaps(hidden)
        missing = torch.sigmoid(-complete)
        token_branch, gap_branch = self._branch(1 - operation[..., KEEP], missing, blank, canvas)
        fires = self._fires(operation, canvas, blank, token_branch)
        opens = self._opens(missing, canvas) | gap_branch
        token, certainty = self._substitutes(heads, hidden, (fires == SUBSTITUTE) | blank, canvas)
        filled = self._ranked(blank & (fires != DELETE), certainty, passes_left)
        substitute = torch.where(((fires == SUBSTITUTE) & ~blank) | filled, token, -1)
        probability = torch.where(
            fires == DELETE,
            1 - operation[..., KEEP],
            torch.where(blank, 1.0, 1 - operation[..., KEEP]) * certainty,
        )
        insertions = self._insertions(heads, hidden, canvas, opens, missing, counts, passes_left)
        insert, insert_id, opened = insertions
        return Edits(fires == DELETE, substitute, insert, insert_id[..., None], probability, opened)

    def suspicion(self, heads: Heads, canvas: Canvas) -> Tensor:
        """[B, L] probability that the token, or the gap at its right, still needs an edit."""
        hidden = heads(canvas.ids, canvas.role, canvas.live)
        keep = torch.where(canvas.frozen, 1.0, heads.operations(hidden)[..., KEEP].exp())
        complete = torch.where(canvas.editable_gaps, heads.gaps(hidden)[0].sigmoid(), 1.0)
        return 1 - keep * complete

    def renoise(self, canvas: Canvas, fraction: float, generator: torch.Generator) -> Canvas:
        """Turn a random share of the editable tokens into placeholders, to be filled again."""
        u = torch.rand(canvas.ids.shape, generator=generator, device=canvas.ids.device)
        hit = (u < fraction) & ~canvas.frozen
        return replace(
            canvas,
            ids=torch.where(hit, PLACEHOLDER, canvas.ids),
            role=torch.where(hit, int(Role.EDITED), canvas.role),
        )

    def _branch(self, edit: Tensor, missing: Tensor, blank: Tensor, canvas: Canvas) -> tuple[Tensor, Tensor]:
        """Two masks [B, L], tokens and gaps: the operation of rank `branch` among those below the thresholds."""
        if not bool(canvas.branch.any()):
            return torch.zeros_like(canvas.live), torch.zeros_like(canvas.live)
        strict = canvas.strictness[:, None]
        lowest = min(self.thresholds.delete, self.thresholds.substitute)
        tokens = torch.where(canvas.frozen | blank | (edit >= lowest * strict), -1.0, edit)
        gaps = torch.where(canvas.editable_gaps & ~self._opens(missing, canvas), missing, -1.0)
        scores = torch.cat((tokens, gaps), 1)
        ranking = scores.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
        chosen = (ranking == canvas.branch[:, None] - 1) & (scores > 0)
        return chosen[:, : edit.shape[1]], chosen[:, edit.shape[1] :]

    def _opens(self, missing: Tensor, canvas: Canvas) -> Tensor:
        """[B, L] gaps whose probability of missing something passes the threshold."""
        return (missing >= self.thresholds.insert * canvas.strictness[:, None]) & canvas.editable_gaps

    def _fires(self, operation: Tensor, canvas: Canvas, blank: Tensor, branch: Tensor) -> Tensor:
        """[B, L] operation per token: the likelier edit where 1 - p(keep) passes its threshold."""
        edit = 1 - operation[..., KEEP]
        delete = operation[..., DELETE] > operation[..., SUBSTITUTE]
        threshold = torch.where(delete, self.thresholds.delete, self.thresholds.substitute)
        sure = (edit >= threshold * canvas.strictness[:, None]) | branch
        fires = torch.where(blank, delete, sure) & ~canvas.frozen
        return torch.where(fires, torch.where(delete, DELETE, SUBSTITUTE), KEEP)

    def _substitutes(
        self, heads: Heads, hidden: Hidden, wanted: Tensor, canvas: Canvas
    ) -> tuple[Tensor, Tensor]:
        """Most likely replacement and its probability, both [B, L], at the wanted tokens."""
        row, column = wanted.nonzero(as_tuple=True)
        token, certainty = (
            torch.zeros_like(canvas.ids),
            torch.zeros(canvas.ids.shape, device=canvas.ids.device),
        )
        if len(row):
            log_q = heads.substitutions(hidden, row, column)
            log_q[:, :FIRST_TEXT_ID] = float("-inf")  # never write a special token
            log_q.scatter_(1, canvas.ids[row, column][:, None], float("-inf"))  # nor the token itself
            token[row, column], certainty[row, column] = self._choose(log_q, canvas.temperature[row])
        return token, certainty

    def _choose(self, log_q: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        """The token of each row [P], by argmax or with Gumbel noise, and its probability under Q."""
        scores = log_q
        if self.generator is not None and bool((temperature > 0).any()):
            u = torch.rand(log_q.shape, generator=self.generator).to(log_q.device)
            scores = log_q - temperature[:, None] * u.clamp(1e-6, 1 - 1e-6).log().neg().log()
        chosen = scores.argmax(1)
        return chosen, log_q.gather(1, chosen[:, None])[:, 0].exp().float()

    def _ranked(self, blank: Tensor, certainty: Tensor, passes_left: int) -> Tensor:
        """Placeholders to fill now: the most certain share of each row that still ends in time."""
        passes = max(1, min(self.fill_passes, passes_left))
        quota = (blank.sum(1, keepdim=True) + passes - 1) // passes
        order = torch.where(blank, certainty, -1.0).argsort(dim=1, descending=True, stable=True)
        ranking = order.argsort(dim=1)
        return blank & ((ranking < quota) | (certainty >= self.thresholds.fill))

    def _insertions(
        self,
        heads: Heads,
        hidden: Hidden,
        canvas: Canvas,
        opens: Tensor,
        probability: Tensor,
        counts: Tensor,
        passes_left: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """How many tokens enter each gap, which id they get, and the probability; all [B, L]."""
        certainty, index = counts.max(-1)
        if passes_left <= 1:
            opens = opens & (index == 0)  # a longer run could not be filled any more
        insert = torch.where(opens, index + 1, 0)
        insert_id = torch.full_like(canvas.ids, PLACEHOLDER)
        row, column = (insert == 1).nonzero(as_tuple=True)
        if len(row):
            log_q = heads.insertions(hidden, row, column)
            log_q[:, :FIRST_TEXT_ID] = float("-inf")
            insert_id[row, column], likely = self._choose(log_q, canvas.temperature[row])
            probability = probability.index_put((row, column), probability[row, column] * likely)
        return insert, insert_id, probability * torch.where(insert > 1, certainty.exp(), 1.0)

"""Jumps: where a flow can go from a state, and how fast. Samplers read nothing else.

    u(insert a right of i) = lambda_ins_i Q_ins_i(a)
    u(delete i)            = lambda_del_i
    u(i becomes a)         = lambda_sub_i Q_sub_i(a)

(Edit Flows, arXiv 2506.09018, section 3). Q is asked for at chosen places only, never for the whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from editflow.canvas import Canvas
from editflow.heads import Hidden
from editflow.process.base import Answers
from editflow.process.choice import writable
from editflow.process.rates import Rates


class Jumps(Protocol):
    """Rates everywhere, and the distributions of tokens at places (row, column), each [P] and sorted by row."""

    @property
    def rates(self) -> Rates:
        """-inf where nothing may happen."""
        ...

    @property
    def log_weight(self) -> Tensor:
        """[B]: log w(t), by which rates exceed base quantities."""
        ...

    def substitutions(self, row: Tensor, column: Tensor) -> Tensor:
        """log Q_sub [P, V]; -inf for special tokens and for the token itself."""
        ...

    def insertions(self, row: Tensor, column: Tensor) -> Tensor:
        """log Q_ins [P, V]; -inf for special tokens."""
        ...


@dataclass(frozen=True, slots=True)
class ModelJumps:
    """What a network says about a canvas."""

    answers: Answers
    hidden: Hidden
    canvas: Canvas
    rates: Rates
    log_weight: Tensor

    def substitutions(self, row: Tensor, column: Tensor) -> Tensor:
        """log Q_sub."""
        log_q = self.answers.substitutions(self.hidden, row, column)
        return writable(log_q, self.canvas.ids[row, column])

    def insertions(self, row: Tensor, column: Tensor) -> Tensor:
        """log Q_ins."""
        return writable(self.answers.insertions(self.hidden, row, column))


@dataclass(frozen=True, slots=True)
class Deletions:
    """The flow back to an empty source, which needs no network: every editable token goes at one rate."""

    canvas: Canvas
    log_weight: Tensor

    @property
    def rates(self) -> Rates:
        """lambda_del = kappa' / kappa (flux equality, arXiv 2506.09018, section 3.3, for z0 all blank)."""
        closed = torch.full(self.canvas.ids.shape, float("-inf"), device=self.canvas.ids.device)
        delete = torch.where(self.canvas.frozen, closed, self.log_weight[:, None].float())
        return Rates(closed, delete, closed)

    def substitutions(self, row: Tensor, column: Tensor) -> Tensor:
        """Never asked for a place: nothing is substituted."""
        return torch.empty((len(row), 0), device=row.device)

    insertions = substitutions

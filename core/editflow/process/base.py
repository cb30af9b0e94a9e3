"""What every process offers: the protocol between corruption, loss and sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from editflow.backbone import Hidden
from editflow.canvas import Canvas, Edits

State = TypeVar("State")
Terms = TypeVar("Terms", covariant=True)

BLANK = -1  # epsilon of the alignment space: bookkeeping only, never a token id
IGNORE = -2  # padding of alignment rows


@dataclass(frozen=True, slots=True)
class AlignedBatch:
    """Aligned pairs, one slot a column (Edit Flows, arXiv 2506.09018, section 3.1). All [B, S] int64.

    A slot (z0, z1) is a keep where both are equal, an insertion where z0 is BLANK, a deletion where z1 is
    BLANK, a substitution otherwise. Context is a run of keep slots with the role CONTEXT.
    """

    z0: Tensor
    z1: Tensor
    role: Tensor  # of the source token (Role.EDITED for a placeholder, 0 where z0 is BLANK)

    def to(self, device: torch.device) -> AlignedBatch:
        """The same batch on another device."""
        return AlignedBatch(self.z0.to(device), self.z1.to(device), self.role.to(device))


class Heads(Protocol):
    """The heads a process reads; `editflow.backbone.Backbone` is one, an oracle in a test another."""

    def __call__(self, ids: Tensor, role: Tensor, live: Tensor) -> Hidden: ...

    def operations(self, hidden: Hidden) -> Tensor: ...

    def gaps(self, hidden: Hidden) -> tuple[Tensor, Tensor]: ...

    def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor: ...

    def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor: ...


class Process(Protocol[State, Terms]):
    """Corruption and restoration. `State` is a corrupted batch with its targets, `Terms` a loss by term."""

    def prior(self, source: Canvas) -> Canvas:
        """Where sampling starts."""
        ...

    def corrupt(self, batch: AlignedBatch, kappa: Tensor, generator: torch.Generator) -> State:
        """Draw z_t once; it gives both the model's input and the targets."""
        ...

    def loss(self, heads: Heads, state: State) -> Terms:
        """The training objective at a corrupted state."""
        ...

    def step(self, heads: Heads, canvas: Canvas, passes_left: int) -> Edits:
        """The edits of one pass."""
        ...

    def renoise(self, canvas: Canvas, fraction: float, generator: torch.Generator) -> Canvas:
        """Put part of the editable tokens back into a state that `step` has to restore."""
        ...

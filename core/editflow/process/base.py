"""What every process offers: the protocol between corruption, loss and sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from editflow.canvas import Canvas, Edits
from editflow.heads import Hidden

State = TypeVar("State")

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


class Answers(Protocol):
    """What one set of heads says about hidden states; `editflow.heads.EditHeads` is one."""

    def operations(self, hidden: Hidden) -> Tensor: ...

    def gaps(self, hidden: Hidden) -> tuple[Tensor, Tensor]: ...

    def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor: ...

    def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor: ...


class Heads(Answers, Protocol):
    """The network a process reads; `editflow.backbone.Backbone` is one, an oracle in a test another."""

    def __call__(self, ids: Tensor, role: Tensor, live: Tensor, time: Tensor | None = None) -> Hidden: ...

    @property
    def reverse(self) -> Answers | None:
        """Heads for the way back to the source, where there are any."""
        ...


class TrainedAnswers(Answers, Protocol):
    """Heads with the log-probabilities that a loss gathers."""

    def substitution_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor: ...

    def insertion_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor: ...


class TrainedHeads(Heads, TrainedAnswers, Protocol):
    """A network that a loss can be taken of."""

    @property
    def reverse(self) -> TrainedAnswers | None: ...


class Terms(Protocol):
    """A loss by term."""

    @property
    def total(self) -> Tensor:
        """The objective, the only one with a gradient."""
        ...

    def record(self) -> dict[str, float]:
        """What a person watches: nats per event, rates per token."""
        ...


def per_event(total: Tensor, events: Tensor) -> float:
    """A sum over events as their mean, for a log; 0 where there are none."""
    return round(float(total) / max(1.0, float(events)), 4)


class Process(Protocol[State]):
    """Corruption and restoration. `State` is a corrupted batch with its targets and the time it was drawn at."""

    def prior(self, source: Canvas) -> Canvas:
        """Where sampling starts."""
        ...

    def corrupt(self, batch: AlignedBatch, time: Tensor, generator: torch.Generator) -> State:
        """Draw z_t once, at time [B]; it gives both the model's input and the targets."""
        ...

    def loss(self, heads: TrainedHeads, state: State) -> Terms:
        """The training objective at a corrupted state."""
        ...

    def step(self, heads: Heads, canvas: Canvas, passes_left: int) -> Edits:
        """The edits of one pass."""
        ...

    def renoise(self, canvas: Canvas, fraction: float, generator: torch.Generator) -> Canvas:
        """Put part of the editable tokens back into a state that `step` has to restore."""
        ...

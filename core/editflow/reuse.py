"""A network without time need not look again at a row that has not changed.

A continuous-time sampler makes hundreds of passes over a row and changes it in a few of them. Where the network does
not see the time, the state is all that its answer depends on.
"""

from __future__ import annotations

import torch
from torch import Tensor

from editflow.canvas import Role
from editflow.heads import Hidden
from editflow.process.base import Answers, Heads

ROLES = len(Role)
REMEMBERED = 4
"""Rows kept for every row of a batch: its last state, with and without a condition, and the ones before."""


class Reuse:
    """A network without time that runs on the rows it has not seen just before; otherwise as the network itself."""

    def __init__(self, heads: Heads) -> None:
        self.heads = heads
        self.evaluations = 0
        """Rows that the network ran on."""
        self._states: dict[bytes, Tensor] = {}  # a row's live tokens and roles: states [L, ...]; oldest first

    def __call__(self, ids: Tensor, role: Tensor, live: Tensor, time: Tensor | None = None) -> Hidden:
        """The hidden states of rows [B, L]; whatever the time is."""
        width = int(live.sum(1).max()) if len(ids) else 0
        rows = torch.where(live, ids * ROLES + role, -1)[:, :width].to("cpu", torch.int32)
        keys = [row[row >= 0].numpy().tobytes() for row in rows]
        new = list({key: b for b, key in enumerate(keys) if key not in self._states}.values())
        if new:
            self._run(ids[new, :width], role[new, :width], live[new, :width], [keys[b] for b in new])
        states = [self._states[key] for key in keys]
        out = states[0].new_zeros(ids.shape + states[0].shape[1:])
        for b, state in enumerate(states):
            out[b, : len(state)] = state
        self._keep(keys)
        return Hidden(out, ids, live)

    def _run(self, ids: Tensor, role: Tensor, live: Tensor, keys: list[bytes]) -> None:
        states = self.heads(ids, role, live).states
        self.evaluations += len(keys)
        for key, state, length in zip(keys, states, live.sum(1).tolist(), strict=True):
            self._states[key] = state[:length].clone()

    def _keep(self, used: list[bytes]) -> None:
        """Move what was used to the end, and drop the oldest."""
        for key in used:
            self._states[key] = self._states.pop(key)
        for key in list(self._states)[: -REMEMBERED * len(used)]:
            del self._states[key]

    @property
    def reverse(self) -> Answers | None:
        """The heads for the way back."""
        return self.heads.reverse

    def operations(self, hidden: Hidden) -> Tensor:
        """As the network's."""
        return self.heads.operations(hidden)

    def gaps(self, hidden: Hidden) -> tuple[Tensor, Tensor]:
        """As the network's."""
        return self.heads.gaps(hidden)

    def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        """As the network's."""
        return self.heads.substitutions(hidden, row, column)

    def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        """As the network's."""
        return self.heads.insertions(hidden, row, column)

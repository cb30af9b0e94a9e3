"""Drawing x_t on a batch of aligned pairs: the conditional path of an Edit Flow, vectorised.

One z_t is drawn per row and gives both the model's input and every target, so the two cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from editflow.canvas import EDIT, PAD, PLACEHOLDER, Role
from editflow.process.base import BLANK, IGNORE, AlignedBatch

KEEP, DELETE, SUBSTITUTE = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Corrupted:
    """x_t with the operations still pending at it.

    Dense fields are [B, L]; pending token targets are flat, sorted by row: `*_row`, `*_column`, `*_token` [P].
    """

    ids: Tensor
    role: Tensor
    live: Tensor
    operation: Tensor  # KEEP, DELETE or SUBSTITUTE
    missing: Tensor  # tokens missing in the gap right of the token
    editable: Tensor  # bool, tokens whose operation counts
    gaps: Tensor  # bool, gaps that count
    slot: Tensor  # the token's slot in the aligned pair
    substitute_row: Tensor
    substitute_column: Tensor
    substitute_token: Tensor
    insert_row: Tensor
    insert_column: Tensor
    insert_token: Tensor
    insert_slot: Tensor

    def to(self, device: torch.device) -> Corrupted:
        """The same state on another device."""
        return Corrupted(*(getattr(self, field.name).to(device) for field in fields(self)))


def draw_path(batch: AlignedBatch, kappa: Tensor, generator: torch.Generator) -> Tensor:
    """z_t [B, S]: each slot is z1 with probability kappa [B], else z0 (arXiv 2506.09018, eq. 9)."""
    u = torch.rand(batch.z0.shape, generator=generator, device=batch.z0.device)
    return torch.where(u < kappa[:, None], batch.z1, batch.z0)


def open_placeholders(batch: AlignedBatch, zt: Tensor, share: Tensor, generator: torch.Generator) -> Tensor:
    """Turn pending insertions into placeholders, whole runs at a time, with probability share [B].

    This is the intermediate state blank -> placeholder -> token of an insertion that has been counted but not
    yet filled (insert-then-unmask, FlexMDM, arXiv 2509.01025).
    """
    pending = (zt == BLANK) & (batch.z1 >= 0)
    column = torch.arange(zt.shape[1], device=zt.device).expand_as(zt)
    starts = pending & ~torch.nn.functional.pad(pending[:, :-1], (1, 0))
    start = torch.where(starts, column, 0).cummax(1).values
    u = torch.rand(zt.shape, generator=generator, device=zt.device).gather(1, start)
    return torch.where(pending & (u < share[:, None]), PLACEHOLDER, zt)


def observe(batch: AlignedBatch, zt: Tensor) -> Corrupted:
    """Strip blanks (x_t = f_rm(z_t)) and collect the pending operations in the coordinates of x_t.

    The first slot must hold a token (BOS), the anchor of an insertion before all others.
    """
    z1 = batch.z1
    token = zt >= 0
    index = token.long().cumsum(1) - 1  # the slot's own token, or the nearest one to its left
    width = max(1, int(token.sum(1).max()))
    row = torch.arange(len(zt), device=zt.device)[:, None].expand_as(zt)

    def place(values: Tensor, fill: int) -> Tensor:
        out = torch.full((len(zt), width), fill, dtype=torch.int64, device=zt.device)
        out[row[token], index[token]] = values[token]
        return out

    pending = (zt != z1) & (z1 != IGNORE)
    inserts, deletes = pending & (zt == BLANK), pending & (z1 == BLANK)
    substitutes = pending & ~inserts & ~deletes
    role = torch.where(zt == batch.z0, batch.role, int(Role.EDITED))
    ids = place(zt, PAD)
    operation = place(deletes.long() * DELETE + substitutes.long() * SUBSTITUTE, KEEP)
    roles, live = place(role, 0), place(torch.ones_like(zt), 0).bool()
    editable = live & (roles != Role.CONTEXT)
    following = torch.nn.functional.pad(editable[:, 1:], (0, 1))
    missing = torch.zeros_like(operation).index_put_(
        (row[inserts], index[inserts]), torch.ones_like(row[inserts]), accumulate=True
    )
    return Corrupted(
        ids=ids,
        role=roles,
        live=live,
        operation=operation,
        missing=missing,
        editable=editable,
        gaps=(editable | following | (ids == EDIT)) & live,
        slot=place(torch.arange(zt.shape[1], device=zt.device).expand_as(zt), 0),
        substitute_row=row[substitutes],
        substitute_column=index[substitutes],
        substitute_token=z1[substitutes],
        insert_row=row[inserts],
        insert_column=index[inserts],
        insert_token=z1[inserts],
        insert_slot=inserts.nonzero()[:, 1],
    )

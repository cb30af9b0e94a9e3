"""Partial repairs by the model itself as training states, aligned to the same target without a search.

What the decoder meets in its second pass are its own first edits, right and wrong, not the states that corruption
draws. So some passes of the decoder are applied to the source slot by slot: a deleted token leaves a blank, or takes
its slot along where nothing is wanted there; an inserted token fills a slot that waits for it, or opens one of its own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from editflow.canvas import Canvas, Edits, Role
from editflow.process.base import BLANK, IGNORE, AlignedBatch, Heads
from editflow.process.corruption import Corrupted, observe
from editflow.process.edit_flow import EditFlow
from editflow.sampler import MAX_PASSES


@torch.no_grad()
def on_policy(
    batch: AlignedBatch, model: Heads, process: EditFlow, generator: torch.Generator, passes: int
) -> AlignedBatch:
    """The batch with the model's own state after `passes` passes as the source; its target is the same.

    `generator` decides which rows see all the passes, and which one less.
    """
    for done in range(passes):
        state = observe(batch, batch.z0)
        edits = process.step(model, canvas_of(state), MAX_PASSES - done)
        advanced = apply_in_slots(batch, state, edits)
        if done and done == passes - 1:
            u = torch.rand(len(batch.z0), generator=generator, device=generator.device)
            advanced = _select(u.to(batch.z0.device) < 0.5, advanced, batch)
        batch = advanced
    return batch


def canvas_of(state: Corrupted) -> Canvas:
    """The state as something to decode."""
    count, ones = len(state.ids), torch.ones(state.ids.shape, device=state.ids.device)
    column = torch.arange(state.ids.shape[1], device=state.ids.device).expand_as(state.ids)
    return Canvas(
        ids=state.ids,
        role=state.role,
        origin=torch.where(state.live, column, -1),
        live=state.live,
        confidence=ones,
        gap_confidence=ones,
        strictness=ones[:, 0],
        temperature=torch.zeros(count, device=ones.device),
        branch=torch.zeros(count, dtype=torch.int64, device=ones.device),
    )


def apply_in_slots(batch: AlignedBatch, state: Corrupted, edits: Edits) -> AlignedBatch:
    """Apply edits of the canvas of `state`, which is the stripped source of `batch`.

    Its source without blanks is then what `apply_edits` makes of the canvas; its target stays as it is.
    """
    z0, z1, role = batch.z0, batch.z1, batch.role
    token, pending = z0 >= 0, (z0 == BLANK) & (z1 >= 0)
    index = token.long().cumsum(1) - 1  # canvas column of the slot's token, or of the gap it stands in
    column = torch.arange(z0.shape[1], device=z0.device).expand_as(z0)
    rank = column - state.slot.gather(1, index) - 1  # of a blank slot in its gap
    deleted = token & edits.delete.gather(1, index)
    written = edits.substitute.gather(1, index)
    substituted = token & (written >= 0) & ~deleted

    count = torch.where(state.live, edits.insert, 0)
    waiting = torch.zeros_like(count).scatter_add_(1, index, pending.long())
    first = _first(index, rank, pending & (z1 == edits.insert_id[..., 0].gather(1, index)), count)
    nth = rank - first.gather(1, index)
    filled = pending & (nth >= 0) & (nth < count.gather(1, index))
    entering = _entering(edits, index, nth)

    z0 = torch.where(deleted, BLANK, torch.where(substituted, written, torch.where(filled, entering, z0)))
    role = torch.where(deleted, 0, torch.where(substituted | filled, int(Role.EDITED), role))
    real = z1 != IGNORE
    last = real & ~F.pad((real & ~token)[:, 1:], (0, 1))
    opened = torch.where(last, (count - waiting).clamp(min=0).gather(1, index), 0)
    keep = real & ~(deleted & (z1 == BLANK))
    touched = deleted | substituted | filled
    return _merge(*_expand(AlignedBatch(z0, z1, role), touched, keep, opened, edits, index, waiting))


def _first(index: Tensor, rank: Tensor, equal: Tensor, count: Tensor) -> Tensor:
    """[B, L]: the rank of the slot that a gap's insertion starts at: of a single token, the first that waits for it."""
    far = torch.full_like(count, rank.shape[1])
    found = far.scatter_reduce(1, index, torch.where(equal, rank, rank.shape[1]), "amin")
    return torch.where((count == 1) & (found < rank.shape[1]), found, 0)


def _entering(edits: Edits, index: Tensor, nth: Tensor) -> Tensor:
    """[B, S]: the id of the nth token that enters the gap."""
    row = torch.arange(len(index), device=index.device)[:, None]
    return edits.insert_id[row, index, nth.clamp(0, edits.insert_id.shape[2] - 1)]


def _expand(
    batch: AlignedBatch,
    touched: Tensor,
    keep: Tensor,
    opened: Tensor,
    edits: Edits,
    index: Tensor,
    waiting: Tensor,
) -> tuple[AlignedBatch, Tensor]:
    """Drop the slots that are not kept, and open slots for tokens that nothing waits for; and which slots changed."""
    out = keep.long() + opened
    start = out.cumsum(1) - out
    width = max(1, int(out.sum(1).max()))
    column = torch.arange(width, device=out.device).expand(len(out), width)
    source = torch.searchsorted((start + out).contiguous(), column.contiguous(), right=True)
    source = source.clamp(max=out.shape[1] - 1)
    live = column < out.sum(1, keepdim=True)
    nth = column - start.gather(1, source) - keep.long().gather(1, source)
    new, anchor = nth >= 0, index.gather(1, source)
    entering = _entering(edits, anchor, waiting.gather(1, anchor) + nth)

    def take(values: Tensor, fresh: Tensor | int, padding: int) -> Tensor:
        return torch.where(live, torch.where(new, fresh, values.gather(1, source)), padding)

    expanded = AlignedBatch(
        take(batch.z0, entering, IGNORE),
        take(batch.z1, BLANK, IGNORE),
        take(batch.role, int(Role.EDITED), 0),
    )
    return expanded, take(touched.long(), 1, 0).bool()


def _merge(batch: AlignedBatch, touched: Tensor) -> AlignedBatch:
    """Make one substitution of a changed deletion and insertion side by side: two edits become one."""
    while True:
        deletion = (batch.z0 >= 0) & (batch.z1 == BLANK)
        insertion = (batch.z0 == BLANK) & (batch.z1 >= 0)
        pair = (deletion[:, :-1] & insertion[:, 1:]) | (insertion[:, :-1] & deletion[:, 1:])
        pair &= touched[:, :-1] | touched[:, 1:]
        # of a chain of pairs, every other one: those that start at an even distance from the chain's start
        column = torch.arange(pair.shape[1], device=pair.device).expand_as(pair)
        begins = pair & ~F.pad(pair[:, :-1], (1, 0))
        pair &= (column - torch.where(begins, column, 0).cummax(1).values) % 2 == 0
        if not bool(pair.any()):
            return batch
        right = F.pad(pair, (1, 0))
        keep = ~right & (batch.z1 != IGNORE)
        left = F.pad(pair, (0, 1))

        def joined(values: Tensor, absent: int, left: Tensor = left) -> Tensor:
            following = F.pad(values[:, 1:], (0, 1))
            return torch.where(left & (values == absent), following, values)

        merged = AlignedBatch(joined(batch.z0, BLANK), joined(batch.z1, BLANK), joined(batch.role, 0))
        batch, touched = _compact(merged, touched | left, keep)


def _compact(batch: AlignedBatch, touched: Tensor, keep: Tensor) -> tuple[AlignedBatch, Tensor]:
    """Move kept slots to the left."""
    order = (~keep).long().argsort(dim=1, stable=True)[:, : max(1, int(keep.sum(1).max()))]
    live = keep.gather(1, order)
    columns = ((batch.z0, IGNORE), (batch.z1, IGNORE), (batch.role, 0))
    moved = (torch.where(live, values.gather(1, order), padding) for values, padding in columns)
    return AlignedBatch(*moved), touched.gather(1, order) & live


def _select(rows: Tensor, chosen: AlignedBatch, other: AlignedBatch) -> AlignedBatch:
    """Rows [B] of one batch, the others of another; the shorter is padded."""
    width = max(chosen.z0.shape[1], other.z0.shape[1])

    def pick(name: str, padding: int) -> Tensor:
        sides = (getattr(side, name) for side in (chosen, other))
        a, b = (F.pad(side, (0, width - side.shape[1]), value=padding) for side in sides)
        return torch.where(rows[:, None], a, b)

    return AlignedBatch(pick("z0", IGNORE), pick("z1", IGNORE), pick("role", 0))

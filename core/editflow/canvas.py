"""A batch of token rows on one device, and the edits that turn one batch into the next.

A canvas is what the sampler works on: ids only, never text. Edits are applied to the whole batch at once by an
exclusive cumulative sum and a scatter, so no token travels to the host between two passes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import torch
from torch import Tensor

PAD, BOS, EOS, PLACEHOLDER = 0, 1, 2, 3
EDIT = 10  # the frozen token that the editable region follows, see editflow.window
FIRST_TEXT_ID = 16  # ids below are special: never deleted, never written


class Role(IntEnum):
    """What a token is to the model; the backbone embeds it beside the token itself."""

    CONTEXT = 0  # frozen
    ORIGINAL = 1  # editable and as in the source
    EDITED = 2  # inserted or substituted by an earlier pass
    MARKED = 3  # as in the source, and underlined by a diagnostic or pointed at by a person


@dataclass(frozen=True, slots=True)
class Canvas:
    """Token rows, left-aligned. Tensors are [B, L], B rows of at most L tokens, but for the last three, [B]."""

    ids: Tensor  # int64
    role: Tensor  # int64, see Role
    origin: Tensor  # int64, index of the token in the source row, -1 where it is new
    live: Tensor  # bool, False is padding
    confidence: Tensor  # float32, probability of the edit that wrote the token, 1 where untouched
    gap_confidence: Tensor  # float32, least probability of a deletion in the gap to the right, 1 where none
    strictness: Tensor  # float32 [B], a row's thresholds are multiplied by it; below 1 explores
    temperature: Tensor  # float32 [B], of the Gumbel noise added to log Q; 0 is argmax
    branch: (
        Tensor  # int64 [B], in the next pass also the operation of this rank below the thresholds; 0 is none
    )

    @property
    def frozen(self) -> Tensor:
        """[B, L] bool: tokens that no edit may touch."""
        return (self.role == Role.CONTEXT) | ~self.live

    @property
    def editable_gaps(self) -> Tensor:
        """[B, L] bool: gaps right of token i that may receive insertions.

        The anchor itself may be frozen when the region starts right of it: an insertion before the first
        editable token is anchored at the last frozen one. An empty region is the gap right of EDIT.
        """
        editable = ~self.frozen
        following = torch.roll(editable, -1, dims=1)
        following[:, -1] = False
        return (editable | following | (self.ids == EDIT)) & self.live

    def select(self, rows: Tensor) -> Canvas:
        """The canvas of some rows, by index [R] or mask [B]."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _TENSORS + _ROW_TENSORS})

    def to(self, device: torch.device) -> Canvas:
        """The same canvas on another device."""
        return replace(self, **{name: getattr(self, name).to(device) for name in _TENSORS + _ROW_TENSORS})

    def trimmed(self) -> Canvas:
        """Without columns that are padding in every row (reads one number back)."""
        width = max(1, int(self.live.sum(1).max()))
        return replace(self, **{name: getattr(self, name)[:, :width] for name in _TENSORS})

    @classmethod
    def from_rows(cls, rows: list[tuple[list[int], list[int]]], device: torch.device | None = None) -> Canvas:
        """Build from (ids, roles) rows; origin counts from 0 in each row."""
        width = max((len(ids) for ids, _ in rows), default=1)
        ids = torch.full((len(rows), width), PAD, dtype=torch.int64)
        role = torch.zeros_like(ids)
        origin = torch.full_like(ids, -1)
        for b, (row, roles) in enumerate(rows):
            ids[b, : len(row)] = torch.tensor(row, dtype=torch.int64)
            role[b, : len(row)] = torch.tensor(roles, dtype=torch.int64)
            origin[b, : len(row)] = torch.arange(len(row))
        ones = torch.ones(ids.shape)
        count = len(rows)
        branch = torch.zeros(count, dtype=torch.int64)
        canvas = cls(
            ids, role, origin, origin >= 0, ones, ones.clone(), torch.ones(count), torch.zeros(count), branch
        )
        return canvas if device is None else canvas.to(device)


_TENSORS = ("ids", "role", "origin", "live", "confidence", "gap_confidence")
_ROW_TENSORS = ("strictness", "temperature", "branch")


@dataclass(frozen=True, slots=True)
class Edits:
    """Simultaneous edits of a canvas: what happens to token i and to the gap at its right; [B, L] but for insert_id."""

    delete: Tensor  # bool
    substitute: Tensor  # int64, the new id, -1 keeps the token
    insert: Tensor  # int64 >= 0, how many tokens enter the gap
    insert_id: Tensor  # int64 [B, L, K], the ids that enter, in order; the last serves all beyond the K-th
    probability: Tensor  # float32, of the token's delete or substitute
    insert_probability: Tensor  # float32, of the insertion

    def changed(self) -> Tensor:
        """[B] bool: rows with at least one edit."""
        return (self.delete | (self.substitute >= 0) | (self.insert > 0)).any(1)


def apply_edits(canvas: Canvas, edits: Edits, max_length: int) -> Canvas:
    """Apply all edits at once; tokens beyond `max_length` columns would be cut, so callers cap growth first.

    out_i = keep_i + inserted_i tokens leave column i and start at the exclusive cumulative sum of out.
    """
    keep = canvas.live & ~edits.delete
    inserted = torch.where(canvas.live, edits.insert, 0)
    out = keep.long() + inserted
    start = torch.cumsum(out, 1) - out
    total = out.sum(1)
    width = min(max_length, max(1, int(total.max())))
    column = torch.arange(width, device=canvas.ids.device).expand(len(out), width)
    # source column of every output column: the last i with start_i <= column and out_i > 0
    source = torch.searchsorted((start + out).contiguous(), column.contiguous(), right=True)
    source = source.clamp(max=canvas.ids.shape[1] - 1)
    live = column < total.clamp(max=width)[:, None]

    def take(values: Tensor) -> Tensor:
        return values.gather(1, source)

    nth = column - take(start) - take(keep.long())  # of the gap's new tokens, below 0 for the anchor
    is_new = (nth >= 0) & live
    row = torch.arange(len(out), device=out.device)[:, None]
    new_id = edits.insert_id[row, source, nth.clamp(0, edits.insert_id.shape[2] - 1)]
    substituted = (take(edits.substitute) >= 0) & ~is_new
    written = is_new | substituted
    ids = torch.where(is_new, new_id, torch.where(substituted, take(edits.substitute), take(canvas.ids)))
    role = torch.where(written, int(Role.EDITED), take(canvas.role))
    origin = torch.where(is_new, -1, take(canvas.origin))
    confidence = torch.where(is_new, take(edits.insert_probability), take(canvas.confidence))
    confidence = torch.where(substituted, confidence * take(edits.probability), confidence)
    gaps = _gap_confidence(canvas, edits, start, out, width)
    return Canvas(
        ids=torch.where(live, ids, PAD),
        role=torch.where(live, role, 0),
        origin=torch.where(live, origin, -1),
        live=live,
        confidence=torch.where(live, confidence, 1.0),
        gap_confidence=torch.where(live, gaps, 1.0),
        strictness=canvas.strictness,
        temperature=canvas.temperature,
        branch=torch.zeros_like(canvas.branch),
    )


def _gap_confidence(canvas: Canvas, edits: Edits, start: Tensor, out: Tensor, width: int) -> Tensor:
    """[B, width]: each deletion's probability, left at the last output token before it."""
    carried = torch.where(edits.delete & canvas.live, edits.probability, 1.0) * canvas.gap_confidence
    last = (start + out - 1).clamp(0, width - 1)
    gaps = torch.ones((len(out), width), device=out.device)
    return gaps.scatter_reduce_(1, last, torch.where(canvas.live, carried, 1.0), "amin")

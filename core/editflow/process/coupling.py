"""Couplings pi(z0, z1): which source each target is trained from (Edit Flows, arXiv 2506.09018, section 3).

A coupling rewrites z0 in alignment space. f_rm(z1) and the context never change. A row is context, then the
editable region, then context, then padding; the region is contiguous, and `Uniform` relies on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from editflow.canvas import Canvas, Edits, Role, apply_edits
from editflow.process.base import BLANK, IGNORE, AlignedBatch
from editflow.process.choice import uniform

BEFORE, AFTER, PADDING = -1.0, 2.0, 3.0  # sort keys around those of the region, which lie in [0, 1)


class Coupling(Protocol):
    """Draws the sources of a batch; all randomness is the generator's (on the CPU or the batch's device)."""

    def __call__(self, batch: AlignedBatch, generator: torch.Generator) -> AlignedBatch: ...

    def prior(self, canvas: Canvas, generator: torch.Generator) -> Canvas:
        """A source to sample from, in the place of each row's editable region."""
        ...


@dataclass(frozen=True, slots=True)
class Aligned:
    """Source to target, by the alignment that the row already has."""

    def __call__(self, batch: AlignedBatch, generator: torch.Generator) -> AlignedBatch:
        """The batch itself."""
        return batch

    def prior(self, canvas: Canvas, generator: torch.Generator) -> Canvas:
        """The canvas itself."""
        return canvas


@dataclass(frozen=True, slots=True)
class Empty:
    """The source has nothing in the region: every token of the target there is an insertion."""

    def __call__(self, batch: AlignedBatch, generator: torch.Generator) -> AlignedBatch:
        """The batch with an empty region; pure deletions leave it, and width is trimmed. Nothing is drawn."""
        editable = editable_slots(batch)
        vanishes = (batch.z1 == IGNORE) | (editable & (batch.z1 == BLANK))
        z0 = torch.where(editable, BLANK, batch.z0)
        role = torch.where(editable, 0, batch.role)
        return _arranged(AlignedBatch(z0, batch.z1, role), torch.where(vanishes, PADDING, 0.0))

    def prior(self, canvas: Canvas, generator: torch.Generator) -> Canvas:
        """The rows without their editable tokens."""
        return _replaced(canvas, torch.zeros((len(canvas.ids), 0), dtype=torch.int64))


@dataclass(frozen=True, slots=True)
class Uniform:
    """The source's region is noise: `length` tokens, i.i.d. from `unigram` (arXiv 2506.09018, section 3).

    Half of them are deletions; the rest substitute randomly chosen tokens of the target, which is a keep where
    the two happen to be equal, and are deletions too where the target has fewer. What the target has beyond is
    insertions. All orders of the three kinds are equally likely. A row without a region stays as it is.
    """

    unigram: Tensor  # [V], unnormalised probabilities of the token ids
    length: int = 100  # tokens

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"noise of {self.length} tokens: use Empty for an empty source")

    def __call__(self, batch: AlignedBatch, generator: torch.Generator) -> AlignedBatch:
        """The batch with a fresh source in every region; width is trimmed."""
        rows, width = batch.z0.shape
        editable = editable_slots(batch)
        target = editable & (batch.z1 != BLANK)
        paired = target.sum(1, keepdim=True).clamp(max=self.length - self.length // 2)
        deletions = torch.where(editable.any(1, keepdim=True), self.length - paired, 0)
        substituted = _subset(target, paired, generator)
        surplus = torch.arange(self.length, device=target.device) < deletions
        noise = self._noise(rows, width + self.length, generator).to(target.device)
        z0 = torch.where(substituted, noise[:, :width], torch.where(target, BLANK, batch.z0))
        role = torch.where(substituted, int(Role.ORIGINAL), torch.where(target, 0, batch.role))
        keys = _region_keys(editable, target, batch.z1 == IGNORE, generator)
        deletion_keys = torch.where(surplus, uniform(surplus.shape, generator, surplus.device), PADDING)
        extended = AlignedBatch(
            torch.cat((z0, noise[:, width:]), 1),
            F.pad(batch.z1, (0, self.length), value=BLANK),
            F.pad(role, (0, self.length), value=int(Role.ORIGINAL)),
        )
        return _arranged(extended, torch.cat((keys, deletion_keys), 1))

    def prior(self, canvas: Canvas, generator: torch.Generator) -> Canvas:
        """Fresh noise in every region."""
        return _replaced(canvas, self._noise(len(canvas.ids), self.length, generator))

    def _noise(self, rows: int, width: int, generator: torch.Generator) -> Tensor:
        """[rows, width] token ids, on the generator's device."""
        unigram = self.unigram.to(generator.device, torch.float64)
        return torch.multinomial(unigram, rows * width, replacement=True, generator=generator).view(
            rows, width
        )


@dataclass(frozen=True, slots=True)
class Mixture:
    """One coupling a row, drawn by weight."""

    parts: Sequence[tuple[float, Coupling]]

    def __post_init__(self) -> None:
        weights = [weight for weight, _ in self.parts]
        if not weights or min(weights) < 0 or sum(weights) <= 0:
            raise ValueError(
                f"weights {weights} of a mixture: none may be negative, and one must be positive"
            )

    def __call__(self, batch: AlignedBatch, generator: torch.Generator) -> AlignedBatch:
        """The batch, each row by the coupling drawn for it, in the same order."""
        choice = self._draw(len(batch.z0), generator).to(batch.z0.device)
        drawn = []
        for index, (_, coupling) in enumerate(self.parts):
            chosen = choice == index
            if chosen.any():
                rows = AlignedBatch(batch.z0[chosen], batch.z1[chosen], batch.role[chosen])
                drawn.append(coupling(rows, generator))
        return _interleaved(drawn, choice.argsort(stable=True).argsort())

    def prior(self, canvas: Canvas, generator: torch.Generator) -> Canvas:
        """All rows from the one coupling that is drawn."""
        return self.parts[int(self._draw(1, generator))][1].prior(canvas, generator)

    def _draw(self, count: int, generator: torch.Generator) -> Tensor:
        """[count] indices of parts, on the generator's device."""
        weights = torch.tensor([w for w, _ in self.parts], dtype=torch.float64, device=generator.device)
        return torch.multinomial(weights, count, replacement=True, generator=generator)


def editable_slots(batch: AlignedBatch) -> Tensor:
    """[B, S] bool: slots that are neither context nor padding."""
    return (batch.z1 != IGNORE) & ((batch.z0 != batch.z1) | (batch.role != Role.CONTEXT))


def reversed_batch(batch: AlignedBatch) -> AlignedBatch:
    """From target to source, for a flow that breaks code. Nothing is MARKED: clean code has no diagnostics.

    Expects no placeholders: as a target, a placeholder would be a token to write.
    """
    kept = (batch.z0 == batch.z1) & (batch.role != Role.MARKED)
    role = torch.where(kept, batch.role, int(Role.ORIGINAL))
    return AlignedBatch(batch.z1, batch.z0, torch.where(batch.z1 == BLANK, 0, role))


def _replaced(canvas: Canvas, tokens: Tensor) -> Canvas:
    """Rows whose editable tokens are exchanged for tokens [B, K], written as if they were the source's."""
    gone = ~canvas.frozen
    start = gone & (gone.cumsum(1) == 1)
    anchor = F.pad(start[:, 1:], (0, 1))
    one = torch.ones(canvas.ids.shape, device=canvas.ids.device)
    new = F.pad(tokens, (0, 1)).to(canvas.ids.device)[:, None, :].expand(*canvas.ids.shape, -1)
    keep = torch.full_like(canvas.ids, -1)
    edits = Edits(gone, keep, anchor.long() * tokens.shape[1], new, one, one)
    replaced = apply_edits(canvas, edits, canvas.ids.shape[1] + tokens.shape[1])
    role = torch.where(replaced.role == Role.EDITED, int(Role.ORIGINAL), replaced.role)
    return replace(replaced, role=role)


def _subset(mask: Tensor, size: Tensor, generator: torch.Generator) -> Tensor:
    """[B, S] bool: `size` [B, 1] of the true slots of a row, all subsets equally likely."""
    keys = uniform(mask.shape, generator, mask.device).masked_fill(~mask, PADDING)
    return keys.argsort(1).argsort(1) < size


def _region_keys(editable: Tensor, target: Tensor, padding: Tensor, generator: torch.Generator) -> Tensor:
    """[B, S] sort keys: uniform order statistics for target slots in their order, constants around them.

    A deletion slot with a uniform key of its own is then equally likely to fall into each gap of the target.
    """
    ascending = uniform(target.shape, generator, target.device).masked_fill(~target, PADDING).sort(1).values
    keys = ascending.gather(1, (target.cumsum(1) - 1).clamp_min(0))
    around = torch.where(editable.cumsum(1) == 0, BEFORE, AFTER)
    return torch.where(target, keys, torch.where(padding | editable, PADDING, around))


def _arranged(batch: AlignedBatch, key: Tensor) -> AlignedBatch:
    """Slots sorted by key, those with the key PADDING cleared, width trimmed (reads one number back)."""
    live = key < PADDING
    width = max(1, int(live.sum(1).max()))
    order = key.argsort(dim=1, stable=True)[:, :width]
    live = live.gather(1, order)

    def take(values: Tensor, fill: int) -> Tensor:
        return torch.where(live, values.gather(1, order), fill)

    return AlignedBatch(take(batch.z0, IGNORE), take(batch.z1, IGNORE), take(batch.role, 0))


def _interleaved(parts: list[AlignedBatch], order: Tensor) -> AlignedBatch:
    """The rows of all parts in one batch, its row b being row order[b] of their concatenation."""
    width = max(part.z0.shape[1] for part in parts)

    def join(values: list[Tensor], fill: int) -> Tensor:
        return torch.cat([F.pad(v, (0, width - v.shape[1]), value=fill) for v in values])[order]

    return AlignedBatch(
        join([part.z0 for part in parts], IGNORE),
        join([part.z1 for part in parts], IGNORE),
        join([part.role for part in parts], 0),
    )

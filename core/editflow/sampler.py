"""One loop for all processes: runs passes over a canvas and yields after each.

The sampler knows ids only. Where a process settles, rows that a pass leaves unchanged are finished and leave the
batch, so a batch costs what its unfinished rows cost, and it ends when nothing changes. It can be stopped between any
two passes by no longer asking for the next step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from editflow.canvas import Canvas, Edits, apply_edits
from editflow.process.base import Heads

MAX_PASSES = 8
HEADROOM = 128
"""Tokens that a row may grow by."""


class Stepper(Protocol):
    """The part of a process that sampling needs."""

    @property
    def settles(self) -> bool:
        """Whether a row that one pass leaves unchanged would stay so."""
        ...

    def prior(self, source: Canvas) -> Canvas: ...

    def step(self, heads: Heads, canvas: Canvas, passes_left: int) -> Edits: ...


@dataclass(frozen=True, slots=True)
class SamplerStep:
    """The state after a pass: one canvas a row, in the order of the source's rows."""

    index: int
    """Passes made so far."""
    rows: tuple[Canvas, ...]
    """Each [1, L_row]."""
    unfinished: int
    """Rows that the next pass may still change."""


class Sampler:
    """Runs a process to its end."""

    def __init__(self, process: Stepper, heads: Heads, max_passes: int = MAX_PASSES) -> None:
        """`max_passes`: passes at most; whatever is open in the last one is closed in it."""
        self.process, self.heads, self.max_passes = process, heads, max_passes

    @torch.inference_mode()
    def steps(self, source: Canvas) -> Iterator[SamplerStep]:
        """Yield after every pass; the last one is the result."""
        canvas = self.process.prior(source)
        rows = [
            canvas.select(torch.tensor([b], device=canvas.ids.device)).trimmed()
            for b in range(len(canvas.ids))
        ]
        active = torch.arange(len(rows), device=canvas.ids.device)
        limit = canvas.live.sum(1) + HEADROOM
        for index in range(self.max_passes):
            edits = self.process.step(self.heads, canvas, self.max_passes - index)
            edits = cap_growth(canvas, edits, limit[active])
            changed = edits.changed()
            if bool(changed.any()):
                canvas = apply_edits(canvas, edits, int(limit.max()))
                for place in changed.nonzero()[:, 0].tolist():
                    one = torch.tensor([place], device=canvas.ids.device)
                    rows[int(active[place])] = canvas.select(one).trimmed()
            if self.process.settles:
                active = active[changed]
                canvas = canvas.select(changed).trimmed() if len(active) else canvas
            yield SamplerStep(index + 1, tuple(rows), len(active))
            if not len(active):
                return

    def run(self, source: Canvas) -> SamplerStep:
        """The last step."""
        *_, last = self.steps(source)
        return last


def cap_growth(canvas: Canvas, edits: Edits, limit: Tensor) -> Edits:
    """Cut insertions that would make a row longer than limit [B]; the leftmost ones are kept."""
    room = limit - (canvas.live & ~edits.delete).sum(1)
    inserted = torch.where(canvas.live, edits.insert, 0)
    before = inserted.cumsum(1) - inserted
    allowed = (room[:, None] - before).clamp_min(0)
    return replace(edits, insert=torch.minimum(inserted, allowed))

"""Classifier-free guidance: rates and Q moved away from what the model says without the condition.

    lambda~ = lambda(c)^(1 + g) lambda()^(-g)      Q~ proportional to Q(c)^(1 + g) Q()^(-g)

each by itself, the form that Edit Flows (arXiv 2506.09018, section 4) finds best. The joint form weights
u(c)^(1 + g) u()^(-g) jump by jump (Nisonoff et al. 2024, arXiv 2406.01572); it is here to be compared with.
The condition is what a window says about the fault: diagnostics with their underlining, and the instruction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from editflow.canvas import Canvas, Role
from editflow.heads import Hidden
from editflow.process.base import Heads
from editflow.process.jumps import ModelJumps
from editflow.process.rates import Rates
from editflow.window import DIAGNOSTIC, INSTRUCTION, MARKERS

CHUNK = 256  # places at which the joint form holds whole distributions at once


@dataclass(frozen=True, slots=True)
class Guidance:
    """Strengths g; 0 is the plain model, -1 the one without the condition."""

    rates: float = 0.0
    tokens: float = 0.0
    joint: bool = False
    """Weight whole jumps by `rates` instead."""

    def __bool__(self) -> bool:
        return bool(self.rates or (self.tokens and not self.joint))


def condition(canvas: Canvas) -> Tensor:
    """[B, L] bool: the frozen tokens from a diagnostic's or instruction's marker to the next marker."""
    markers = torch.tensor(MARKERS, device=canvas.ids.device)
    is_marker = canvas.frozen & torch.isin(canvas.ids, markers)
    column = torch.arange(canvas.ids.shape[1], device=canvas.ids.device).expand_as(canvas.ids)
    last = torch.where(is_marker, column, 0).cummax(1).values
    part = canvas.ids.gather(1, last)
    return canvas.frozen & canvas.live & ((part == DIAGNOSTIC) | (part == INSTRUCTION))


def unconditioned(heads: Heads, canvas: Canvas, role: Tensor, time: Tensor) -> Hidden:
    """Hidden states of rows without their condition, laid out as with it.

    The rows are closed up before the network sees them, as in training, and spread out again afterwards.
    """
    kept = canvas.live & ~condition(canvas)
    order = (~kept).long().argsort(dim=1, stable=True)
    place = order.argsort(dim=1)
    role = torch.where(role == Role.MARKED, int(Role.ORIGINAL), role)
    hidden = heads(canvas.ids.gather(1, order), role.gather(1, order), kept.gather(1, order), time)
    index = place.reshape(*place.shape, *(1,) * (hidden.states.ndim - 2)).expand_as(hidden.states)
    return Hidden(hidden.states.gather(1, index), canvas.ids, kept)


@dataclass(frozen=True)
class GuidedJumps:
    """The model's jumps with the condition, moved away from those without it."""

    given: ModelJumps
    null: ModelJumps
    guidance: Guidance

    @property
    def log_weight(self) -> Tensor:
        """log w(t)."""
        return self.given.log_weight

    @cached_property
    def rates(self) -> Rates:
        """lambda~."""
        g = self.guidance.rates
        given, null = self.given.rates, self.null.rates
        insert, substitute = _away(given.insert, null.insert, g), _away(given.substitute, null.substitute, g)
        if self.guidance.joint:
            insert = insert + self._mass(insert, insertions=True)
            substitute = substitute + self._mass(substitute, insertions=False)
        return Rates(insert, _away(given.delete, null.delete, g), substitute)

    def substitutions(self, row: Tensor, column: Tensor) -> Tensor:
        """Q~_sub."""
        return self._weighted(row, column, insertions=False).log_softmax(-1)

    def insertions(self, row: Tensor, column: Tensor) -> Tensor:
        """Q~_ins."""
        return self._weighted(row, column, insertions=True).log_softmax(-1)

    def _weighted(self, row: Tensor, column: Tensor, *, insertions: bool) -> Tensor:
        """[P, V], not normalised."""
        given, null = (
            jumps.insertions(row, column) if insertions else jumps.substitutions(row, column)
            for jumps in (self.given, self.null)
        )
        return _away(given, null, self.guidance.rates if self.guidance.joint else self.guidance.tokens)

    def _mass(self, log_rate: Tensor, *, insertions: bool) -> Tensor:
        """[B, L]: log of what the weighted Q sums to, where the rate is not zero."""
        row, column = log_rate.isfinite().nonzero(as_tuple=True)
        masses = [
            self._weighted(r, c, insertions=insertions).logsumexp(-1)
            for r, c in zip(torch.split(row, CHUNK), torch.split(column, CHUNK), strict=True)
        ]
        mass = torch.zeros_like(log_rate)
        return mass.index_put((row, column), torch.cat(masses)) if masses else mass


def _away(given: Tensor, null: Tensor, strength: float) -> Tensor:
    """given + g (given - null), where given is not -inf."""
    moved = given + strength * (given - null)
    return torch.where(given.isneginf(), given, moved)

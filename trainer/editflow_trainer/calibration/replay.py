"""Runs an engine on the same samples at many thresholds, and again only where a threshold makes a difference.

A run compares probabilities with thresholds. Where no probability that it met lies between the old threshold and the
new one, every pass would be what it was, by induction over the passes; so its result is used again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from editflow.canvas import Role
from editflow.checkpoint import Calibration
from editflow.engine import Engine
from editflow.process.corruption import DELETE, KEEP, SUBSTITUTE
from editflow.process.edit_flow import Thresholds
from editflow_trainer.calibration.judgement import Judged, judge
from editflow_trainer.calibration.samples import Sample, proposals

Met = dict[str, Tensor]
"""Probabilities [N] that were compared with the threshold of each operation, or with the lower one of two."""


@dataclass(frozen=True, slots=True)
class _Run:
    thresholds: Thresholds
    met: Met
    judged: Judged

    def holds_at(self, thresholds: Thresholds) -> bool:
        """Whether a run at other thresholds would be this one."""
        old, new = _limits(self.thresholds), _limits(thresholds)
        return not any(
            bool(((self.met[name] >= old[name]) != (self.met[name] >= new[name])).any()) for name in old
        )


class Replay:
    """Judged proposals of samples, with raw probabilities and everything shown."""

    def __init__(self, engine: Engine, chosen: Sequence[Sample]) -> None:
        self.engine = engine
        self.made = 0
        """Samples that were run, every time counted."""
        self._runs: list[tuple[Sample, list[_Run]]] = [(sample, []) for sample in chosen]

    def at(self, thresholds: Thresholds) -> list[Judged]:
        """What comes of every sample at these thresholds, in order."""
        return [self._judged(sample, runs, thresholds) for sample, runs in self._runs]

    def _judged(self, sample: Sample, runs: list[_Run], thresholds: Thresholds) -> Judged:
        known = next((run for run in runs if run.holds_at(thresholds)), None)
        if known is not None:
            return known.judged
        self.made += 1
        self.engine.thresholds, self.engine.calibration = thresholds, Calibration(show=0.0)
        with _watched(self.engine) as met:
            (proposal,) = proposals(self.engine, [sample], 0.0)
        judged = judge(proposal, sample)
        runs.append(_Run(thresholds, {name: torch.cat(seen) for name, seen in met.items()}, judged))
        return judged


def _limits(thresholds: Thresholds) -> dict[str, float]:
    """The numbers that probabilities are compared with; branches look below the lower one of two."""
    lower = min(thresholds.delete, thresholds.substitute)
    return {
        "delete": thresholds.delete,
        "substitute": thresholds.substitute,
        "insert": thresholds.insert,
        "lower": lower,
    }


@contextmanager
def _watched(engine: Engine) -> Iterator[dict[str, list[Tensor]]]:
    """The probabilities that the rate heads give for what may be edited while the block runs."""
    empty = torch.zeros(0)
    met = {"delete": [empty], "substitute": [empty], "insert": [empty], "lower": [empty]}
    editable = torch.zeros(0, 0).bool()  # [B, L] of the pass that is running

    def forward(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        nonlocal editable
        _, role, live = inputs
        editable = (role != Role.CONTEXT) & live

    def tokens(module: nn.Module, inputs: tuple[Tensor, ...], logits: Tensor) -> None:
        operation = logits[editable].float().softmax(-1).cpu()
        edit, delete = 1 - operation[:, KEEP], operation[:, DELETE] > operation[:, SUBSTITUTE]
        met["delete"].append(edit[delete])
        met["substitute"].append(edit[~delete])
        met["lower"].append(edit)

    def gaps(module: nn.Module, inputs: tuple[Tensor, ...], logits: Tensor) -> None:
        met["insert"].append((-logits[..., 0].float()).sigmoid().flatten().cpu())

    handles = (
        engine.backbone.register_forward_pre_hook(forward),
        engine.backbone.operation_head.register_forward_hook(tokens),
        engine.backbone.gap_head.register_forward_hook(gaps),
    )
    try:
        yield met
    finally:
        for handle in handles:
            handle.remove()

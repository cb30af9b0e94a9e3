"""How training goes, while it goes: its loss, and some tuning edits tried by the network as it is."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import Tensor

from editflow.adapters.apply import adapted
from editflow.engine import Engine
from editflow_trainer.personal.cases import Cases
from editflow_trainer.personal.fit import adapter_tensors
from editflow_trainer.personal.listener import Listener, Progress
from editflow_trainer.personal.scores import score
from editflow_trainer.training.trainer import Trainer

PROBES = (0.25, 0.5, 0.75)
"""Shares of the training after which some tuning edits are tried."""
PROBED = 24


class Probe:
    """Tells how training goes, and now and then tries the network on a few tuning edits."""

    def __init__(
        self, listener: Listener, budget: float, engine: Engine, base: Mapping[str, Tensor], tuning: Cases
    ) -> None:
        self._listener, self._budget, self._engine, self._base = listener, budget, engine, base
        self._cases = Cases(tuning.edits[:PROBED], (), (), (), frozenset())
        self._due = list(PROBES)
        self._exact: float | None = None

    def __call__(self, trainer: Trainer, line: dict[str, float]) -> None:
        share = line["progress"]
        if self._due and share >= self._due[0]:
            self._due = [at for at in self._due if at > share]
            self._exact = self._probe(trainer)
        left = max(0.0, self._budget - line["elapsed"])
        self._listener.progress(
            Progress(share, int(line["step"]), line["loss"], line["tokens_per_second"], left, self._exact)
        )

    def _probe(self, trainer: Trainer) -> float | None:
        twin = with_tensors(self._engine, adapter_tensors(self._base, trainer.average.full()))
        return score(twin, twin.name, self._cases).guessed.value


def with_tensors(engine: Engine, tensors: Mapping[str, Tensor]) -> Engine:
    """The engine with an adapter's tensors, rounded as they will be written."""
    twin = copy.copy(engine)
    twin.backbone = adapted(engine.backbone, {name: value.bfloat16() for name, value in tensors.items()})
    return twin

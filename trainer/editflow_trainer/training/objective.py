"""From aligned pairs to the loss in one forward call, so that DDP and FSDP see every use of the weights.

Everything random comes from the micro-batch's seed, so neither the number of processes nor an interruption
changes what is drawn.
"""

from __future__ import annotations

import random
from typing import Any

import torch
from torch import Tensor, nn

from editflow.backbone import Backbone
from editflow.process.base import AlignedBatch, Process, Terms
from editflow.process.continuous import ContinuousEditFlow
from editflow.process.edit_flow import EditFlow
from editflow_trainer.data.on_policy import on_policy
from editflow_trainer.training.config import TrainConfig

MOST_PASSES = 2
"""Passes of the network's own decoder that an on-policy state is away from the source."""


class Objective(nn.Module):
    """A network with the process that it is trained for."""

    def __init__(self, network: Backbone, config: TrainConfig) -> None:
        super().__init__()
        self.network, self.config = network, config
        self.process: Process[Any] = make_process(config)

    def forward(self, batch: AlignedBatch, seed: int, progress: float) -> Terms:
        """The loss at fresh states of a batch; `progress` of the run decides whether they may be on-policy."""
        generator = torch.Generator(batch.z0.device).manual_seed(seed)
        passes = self._passes(seed, progress)
        if passes and isinstance(self.process, EditFlow):
            with torch.no_grad():
                batch = on_policy(batch, self.network, self.process, generator, passes)
            torch.clear_autocast_cache()  # casts made without gradients must not serve the loss
        timed = self.config.flow is not None
        draw = draw_time if timed else draw_kappa
        state = self.process.corrupt(batch, draw(len(batch.z0), generator), generator)
        return self.process.loss(self.network, state)

    def _passes(self, seed: int, progress: float) -> int:
        """Passes to decode before the loss is taken, mostly 0."""
        rng = random.Random(seed)
        late = progress >= self.config.on_policy_from
        return rng.randint(1, MOST_PASSES) if late and rng.random() < self.config.on_policy_share else 0


def make_process(config: TrainConfig) -> EditFlow | ContinuousEditFlow:
    """What the network is trained for."""
    return EditFlow() if config.flow is None else ContinuousEditFlow(config.flow)


def draw_time(count: int, generator: torch.Generator) -> Tensor:
    """[count], uniform in [0, 1)."""
    return torch.rand(count, generator=generator, device=generator.device)


def draw_kappa(count: int, generator: torch.Generator) -> Tensor:
    """[count] mixture: 40 % at the untouched source, 10 % finished, the rest uniform (dense near deployment)."""
    u, kind = torch.rand(2, count, generator=generator, device=generator.device)
    return torch.where(kind < 0.4, 0.0, torch.where(kind < 0.5, 1.0, u))

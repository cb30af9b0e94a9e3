"""Every knob of a training run, one frozen value saved with the result."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from editflow.backbone import BackboneConfig
from editflow.process.continuous import FlowConfig
from editflow_trainer.noise import NoiseConfig


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A run; two runs with equal configs and shards give equal weights on one machine."""

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    flow: FlowConfig | None = None
    """The exact, time-dependent process; None is the time-free one."""
    steps: int = 4000
    """Optimiser steps in all."""
    batch_tokens: int = 8192
    """Most tokens of a batch, padding included."""
    muon_rate: float = 0.02
    """Peak learning rate of Muon, for the matrices of the blocks."""
    adam_rate: float = 0.002
    """Peak learning rate of AdamW, for embeddings, norms and heads."""
    weight_decay: float = 0.01
    warmup: float = 0.02
    """Share of the run in which the rates rise."""
    cooldown: float = 0.5
    """Share of the run in which the rates fall linearly to zero."""
    clip: float = 1.0
    """Largest gradient norm of the AdamW group."""
    ema_decay: float = 0.998
    """Decay of the averaged weights, the ones that are saved as the model."""
    checkpoint_every: int = 200
    """Steps between resumable states."""
    log_every: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch_tokens < 64:
            raise ValueError("steps must be at least 1 and batch_tokens at least 64")
        if self.warmup + self.cooldown > 1:
            raise ValueError("warmup and cooldown must not overlap")

    def rate(self, progress: float) -> float:
        """Share of the peak learning rate at progress in [0, 1]: a trapezoid."""
        rise, fall = progress / max(self.warmup, 1e-9), (1 - progress) / max(self.cooldown, 1e-9)
        return max(0.0, min(1.0, rise, fall))

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)

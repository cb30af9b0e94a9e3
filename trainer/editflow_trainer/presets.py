"""The two sizes of the default model's recipe."""

from __future__ import annotations

from editflow.backbone import BackboneConfig
from editflow_trainer.config import TrainConfig


def cpu_preset() -> TrainConfig:
    """About 8M parameters, for two CPU cores and 100 minutes."""
    return TrainConfig(steps=100_000, checkpoint_every=100)


def gpu_preset() -> TrainConfig:
    """About 24M parameters, for half an hour of one large GPU; the weights stay under 50 MB in bfloat16."""
    backbone = BackboneConfig(width=384, layers=12, heads=6, hidden=960)
    return TrainConfig(backbone=backbone, steps=20_000, batch_tokens=131_072, muon_rate=0.02, ema_decay=0.999)

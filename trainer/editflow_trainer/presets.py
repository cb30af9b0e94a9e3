"""The sizes of the default model's recipe, and the exact Edit Flows that start from its weights."""

from __future__ import annotations

from editflow.backbone import BackboneConfig
from editflow.process.continuous import FlowConfig
from editflow_trainer.config import TrainConfig
from editflow_trainer.noise import NoiseConfig

BUGS_ALONE = NoiseConfig(mask_rows=0.0, corrupt_rows=0.0)
"""Without random edits the way back from clean code leads to the injected bugs, not to noise."""


def cpu_preset() -> TrainConfig:
    """About 8M parameters, for two CPU cores and 100 minutes."""
    return TrainConfig(steps=100_000, checkpoint_every=100)


def gpu_preset() -> TrainConfig:
    """About 24M parameters, for half an hour of one large GPU; the weights stay under 50 MB in bfloat16."""
    backbone = BackboneConfig(width=384, layers=12, heads=6, hidden=960)
    return TrainConfig(backbone=backbone, steps=20_000, batch_tokens=131_072, muon_rate=0.02, ema_decay=0.999)


def published_preset() -> TrainConfig:
    """The Edit Flow as published, with time and reverse heads; some 20 minutes from the default weights on a CPU."""
    return _continued(BackboneConfig(time_features=64, reverse=1), FlowConfig(shows_origin=0))


def localized_preset() -> TrainConfig:
    """The localized Edit Flow with an adjacency embedding; as long."""
    flow = FlowConfig(parameterisation="scaled_softplus", propagation=4.0)
    return _continued(BackboneConfig(time_features=64, adjacency=1), flow)


def _continued(backbone: BackboneConfig, flow: FlowConfig) -> TrainConfig:
    return TrainConfig(
        backbone=backbone,
        noise=BUGS_ALONE,
        flow=flow,
        steps=100_000,
        muon_rate=0.006,
        adam_rate=0.0006,
        cooldown=0.7,
        ema_decay=0.99,
        checkpoint_every=50,
        log_every=10,
    )


PRESETS = {
    "cpu": cpu_preset,
    "gpu": gpu_preset,
    "published": published_preset,
    "localized": localized_preset,
}

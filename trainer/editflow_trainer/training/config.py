"""Every knob of a training run, one frozen value saved with the result."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from editflow.backbone import BackboneConfig
from editflow.process.continuous import FlowConfig
from editflow_trainer.data.config import DataConfig
from editflow_trainer.training.schedule import SCHEDULES

OPTIMIZERS = ("muon", "adamw")
PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}
"""Our names to Accelerate's."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """What a run computes; two runs with equal configs and shards give equal weights on one machine."""

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    data: DataConfig = field(default_factory=DataConfig)
    flow: FlowConfig | None = None
    """The exact, time-dependent process; None is the time-free one."""
    steps: int = 4000
    """Optimizer steps in all."""
    batch_tokens: int = 8192
    """Most tokens of a micro-batch, padding included."""
    micro_batches: int = 1
    """Micro-batches of an optimizer step, over all processes; their losses are averaged."""
    optimizer: str = "muon"
    """muon: Muon for the blocks' matrices, AdamW for the rest; adamw: AdamW for all, at adam_rate."""
    muon_rate: float = 0.02
    """Peak learning rate of Muon."""
    adam_rate: float = 0.002
    """Peak learning rate of AdamW."""
    weight_decay: float = 0.01
    """Decoupled weight decay of the blocks' matrices."""
    schedule: str = "trapezoid"
    """trapezoid or cosine (see training.schedule)."""
    warmup: float = 0.02
    """Share of the run in which the rates rise."""
    cooldown: float = 0.5
    """Share of the run in which a trapezoid falls linearly to zero."""
    clip: float = 1.0
    """Largest norm of the gradient of all parameters together."""
    ema_decay: float = 0.998
    """Decay of the averaged weights, the ones that are evaluated and saved as the model."""
    precision: str = "bf16"
    """fp32, or the type of autocast: bf16 or fp16; weights and optimizer states are float32."""
    checkpoint_activations: bool = False
    """Compute the blocks' activations again in the backward pass instead of keeping them."""
    compile: bool = False
    """Compile the blocks with torch.compile."""
    anneal_steps: int = 0
    """Steps in which a causal network's mask opens (DiffuLLaMA, arXiv 2410.17891); 0 opens it at once."""
    lora_rank: int = 0
    """Rank of LoRA adapters (arXiv 2106.09685), trained with the heads alone; 0 trains everything."""
    lora_alone: bool = False
    """Train the adapters without the heads and the vocabulary, which an adapted model shares with its base."""
    on_policy_share: float = 0.0
    """Share of micro-batches that start from the network's own partial repairs."""
    on_policy_from: float = 0.6
    """Progress at which they begin."""
    evaluate_every: int = 0
    """Steps between evaluations; one more is made at the end, and 0 makes none."""
    evaluation_batches: int = 8
    """Micro-batches of held-back rows whose loss is evaluated."""
    checkpoint_every: int = 200
    """Steps between resumable states."""
    keep: int = 1
    """Resumable states that are kept."""
    log_every: int = 20
    """Steps between lines of the log."""
    seed: int = 0
    """Of the first weights and of everything that is drawn."""

    def __post_init__(self) -> None:
        if self.batch_tokens < 64:
            raise ValueError("batch_tokens must be at least 64")
        for name in ("steps", "micro_batches", "checkpoint_every", "keep", "log_every", "evaluation_batches"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        for name, known in (
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("precision", PRECISIONS),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, not {getattr(self, name)!r}")
        if self.warmup + self.cooldown > 1:
            raise ValueError("warmup and cooldown must not overlap")
        if not 0 <= self.on_policy_share <= 1 or (self.on_policy_share and self.flow is not None):
            raise ValueError("on_policy_share must be in [0, 1], and 0 in continuous time")

    def rate(self, progress: float) -> float:
        """Share of the peak learning rates at progress in [0, 1]."""
        return SCHEDULES[self.schedule](progress, self.warmup, self.cooldown)

    def as_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)

"""Where a run computes: nothing here changes what it computes, up to rounding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from accelerate import Accelerator

from editflow.errors import EditFlowError
from editflow_trainer.training.config import PRECISIONS, TrainConfig


@dataclass(frozen=True, slots=True)
class Machine:
    """Device, threads and processes; the number of processes itself comes from the launcher (torchrun, SLURM)."""

    device: str = "cpu"
    """cpu or cuda."""
    threads: int = 2
    """Threads of torch on a CPU."""
    workers: int = 0
    """Processes that draw rows beside the training process; 0 draws them in it."""
    fsdp: bool = False
    """Shard weights, gradients and optimizer states over the processes instead of copying them."""

    def __post_init__(self) -> None:
        if self.device not in ("cpu", "cuda"):
            raise ValueError(f"device must be cpu or cuda, not {self.device!r}")


def accelerator(config: TrainConfig, machine: Machine) -> Accelerator:
    """Accelerate's view of this process; EditFlowError where machine and config do not go together."""
    if machine.device == "cuda" and not torch.cuda.is_available():
        raise EditFlowError("no CUDA device is visible here: train with --device cpu")
    if machine.fsdp and config.optimizer == "muon":
        raise EditFlowError(
            'Muon needs whole matrices, FSDP splits them: set optimizer = "adamw" to train so'
        )
    if machine.fsdp and config.precision == "fp16":
        raise EditFlowError('the gradient scaler of fp16 does not work on shards: set precision = "bf16"')
    if machine.device == "cpu" and config.precision == "fp16":
        raise EditFlowError('fp16 needs a GPU: set precision = "bf16" or "fp32"')
    made = Accelerator(mixed_precision=PRECISIONS[config.precision], cpu=machine.device == "cpu")
    if config.micro_batches % made.num_processes:
        raise EditFlowError(
            f"{config.micro_batches} micro-batches cannot be shared by {made.num_processes} processes: "
            "set micro_batches to a multiple"
        )
    made.gradient_accumulation_steps = config.micro_batches // made.num_processes
    if machine.fsdp and made.num_processes == 1:
        raise EditFlowError("FSDP needs several processes: start it with torchrun")
    return made

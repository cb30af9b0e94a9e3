"""The network of a run: built, started from other weights, and its blocks set up for memory and speed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.utils.checkpoint import checkpoint

from editflow.backbone import Backbone
from editflow.errors import EditFlowError
from editflow_trainer.training.config import TrainConfig
from editflow_trainer.training.objective import Objective


def make_network(config: TrainConfig, init: Path | None = None) -> Backbone:
    """A new network, or one that starts from the weights in `init`, with adapters where the config asks for them."""
    model = Backbone(config.backbone)
    if init is not None:
        start_from(model, init)
    if config.lora_rank:
        from editflow_trainer.adaptation.lora import add_lora

        add_lora(model, config.lora_rank, alone=config.lora_alone)
    return model


def prepare(model: Backbone, config: TrainConfig) -> None:
    """Set the blocks up for memory and speed, in place; names of parameters stay."""
    for block in model.blocks:
        if config.compile:
            block.compile(dynamic=True)
        if config.checkpoint_activations:
            block.forward = partial(checkpoint, block.forward, use_reentrant=False)


def start_from(model: Backbone, weights: Path) -> None:
    """Load weights; what they lack may only be time, adjacency and the reverse heads, which copy the others."""
    found = {name: value.float() for name, value in load_file(weights).items()}
    if model.reverse is not None and not any(name.startswith("reverse.") for name in found):
        own = {name for name, _ in model.reverse.named_parameters()}
        found |= {f"reverse.{name}": found[name].clone() for name in own}
    try:
        lacking = model.load_state_dict(found, strict=False)
    except RuntimeError as error:
        raise EditFlowError(
            f"{weights} is of another network: {str(error).splitlines()[1].strip()}"
        ) from error
    added = [name for name in lacking.missing_keys if not name.startswith(("time.", "adjacency"))]
    if added or lacking.unexpected_keys:
        raise EditFlowError(f"{weights} is of another network: {', '.join(added + lacking.unexpected_keys)}")


def shard(objective: Objective, device: torch.device, world: int) -> Objective:
    """Fully sharded (FSDP2): every block a unit, embeddings and heads the last one; float32 as without."""
    mesh = init_device_mesh(device.type, (world,))
    for block in objective.network.blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(objective, mesh=mesh)  # in place
    return objective

"""The optimizers of a run behind one `torch.optim.Optimizer`: Muon with AdamW, or AdamW alone.

One object, because a gradient scaler unscales and checks per optimizer and forgets after each: with two of them
the second would be unscaled twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from editflow.backbone import Backbone
from editflow_trainer.training.config import TrainConfig

BETAS = (0.9, 0.98)
MOMENTUM = 0.95


class MuonAdam(torch.optim.Optimizer):
    """Muon (Jordan et al. 2024) for matrices and AdamW for all other parameters, in one step."""

    def __init__(self, muon: torch.optim.Optimizer, adam: torch.optim.Optimizer) -> None:
        """Both have one parameter group; from here on they are driven by this object alone."""
        self._parts = (muon, adam)
        super().__init__([*muon.param_groups, *adam.param_groups], {})

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of each; state and groups are this object's, so loading a state reaches both."""
        for part, group in zip(self._parts, self.param_groups, strict=True):
            part.param_groups, part.state = [group], self.state
            part.step()
        return closure() if closure is not None else None


def split(model: Backbone) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Trained parameters: the matrices of the blocks, and all others."""
    matrices = [p for p in model.blocks.parameters() if p.ndim == 2 and p.requires_grad]
    taken = {id(p) for p in matrices}
    return matrices, [p for p in model.parameters() if id(p) not in taken and p.requires_grad]


def make_optimizer(model: Backbone, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimizer that the config names, AdamW fused on CUDA; only the blocks' matrices decay."""
    matrices, others = split(model)
    common: dict[str, Any] = {"lr": config.adam_rate, "betas": BETAS, "weight_decay": 0.0}
    common["fused"] = _on_cuda([*matrices, *others]) or None
    if config.optimizer == "adamw":
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": config.weight_decay},
            {"params": others},
        ]
        return torch.optim.AdamW(groups, **common)
    muon = torch.optim.Muon(
        matrices, lr=config.muon_rate, weight_decay=config.weight_decay, momentum=MOMENTUM
    )
    return MuonAdam(muon, torch.optim.AdamW(others, **common))


def _on_cuda(parameters: list[nn.Parameter]) -> bool:
    tensors: list[Tensor] = list(parameters)
    return all(tensor.is_cuda for tensor in tensors)

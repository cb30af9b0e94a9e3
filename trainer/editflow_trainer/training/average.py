"""The exponential moving average of the weights (Polyak and Juditsky 1992): what is evaluated and shipped."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor


class Average:
    """One average for each parameter, placed and sharded as the parameter is."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """a <- d a + (1 - d) w with d = min(decay, (1 + step) / (10 + step)): the first steps are forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step))
        weights = [_local(p.detach()) for p in model.parameters()]
        torch._foreach_lerp_([_local(value) for value in self.values.values()], weights, 1 - decay)

    def full(self) -> dict[str, Tensor]:
        """Whole tensors on every process; all processes must call it together."""
        return {
            name: value.full_tensor() if isinstance(value, DTensor) else value
            for name, value in self.values.items()
        }

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Take over whole tensors, each process its share."""
        for name, own in self.values.items():
            value = values[name].to(own.device)
            if isinstance(own, DTensor):
                value = distribute_tensor(value, own.device_mesh, own.placements)
            own.copy_(value)


def _local(tensor: Tensor) -> Tensor:
    """The part of a tensor that this process holds."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor

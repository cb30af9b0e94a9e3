"""Which part of a list this process takes, when a launcher started several: torchrun's workers, or SLURM's tasks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")
_LAUNCHERS = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", ""),
)
"""Rank, processes, and the same on this machine, among whose processes SLURM splits the cores by itself.

SLURM_NTASKS would not do: it is set outside of srun, too, where there is one process.
"""


@dataclass(frozen=True, slots=True)
class Rank:
    """One of several equal processes."""

    number: int = 0
    world: int = 1
    local: int = 0
    """Its number on this machine."""
    beside: int = 1
    """How many processes share its cores."""
    elastic: bool = False
    """Whether all of them are ended as soon as one ends with an error, as torchrun does."""

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Rank:
        """What the environment says; alone where it says nothing."""
        for names in _LAUNCHERS:
            if all(variables.get(name, "").isdecimal() for name in names[:2]):
                number, world, local, beside = (
                    int(variables.get(name, default)) for name, default in zip(names, "0101", strict=True)
                )
                return cls(number, world, local, beside, "TORCHELASTIC_RUN_ID" in variables)
        return cls()

    def share(self, items: Sequence[_T]) -> list[_T]:
        """Every `world`-th item, from its own number on."""
        return list(items[self.number :: self.world])


def gpus() -> list[str]:
    """The GPUs that can be used here, as CUDA_VISIBLE_DEVICES names them."""
    import torch

    count = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [str(number) for number in range(count)] if named is None else named.split(",")[:count]

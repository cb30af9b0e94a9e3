"""A recipe: everything that makes one checkpoint, read from one TOML file (see the folder `recipes/`)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from editflow.errors import EditFlowError
from editflow.quantization import WeightsFormat
from editflow_trainer.data.codec import Codec
from editflow_trainer.durations import seconds
from editflow_trainer.settings import build
from editflow_trainer.training.config import TrainConfig
from editflow_trainer.training.machine import Machine


@dataclass(frozen=True, slots=True)
class Preparation:
    """How a corpus becomes shards."""

    functions: int = 240_000
    """Most functions of the corpus that become training examples."""
    validation: int = 4_000
    """Held-back functions, of other packages, that become validation examples."""
    limit_mib: int = 0
    """Largest size of all training shards together, in MiB; 0 sets none."""
    codec: Codec = Codec.zstd
    """zstd or zlib; zlib is for training where the package zstandard is not."""

    def __post_init__(self) -> None:
        if self.functions < 1 or min(self.validation, self.limit_mib) < 0:
            raise ValueError("functions must be at least 1, validation and limit_mib at least 0")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is made, from what, and how."""

    name: str
    """Of the checkpoint, and of its run's folder."""
    budget: str = ""
    """Training time in all, like 100m; none trains all steps."""
    init: str = ""
    """Weights to start from (safetensors); none starts from nothing."""
    out: str = ""
    """Folder of the finished checkpoint; by default it is named after the recipe and lies in the work folder."""
    weights: WeightsFormat = WeightsFormat.bf16
    """How the checkpoint holds its weights: bf16 or int8."""
    prepare: Preparation = field(default_factory=Preparation)
    machine: Machine = field(default_factory=Machine)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        if self.budget:
            seconds(self.budget)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; EditFlowError that names the file, and the key which is unknown or unfit."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return build(Recipe, table)
    except FileNotFoundError as error:
        raise EditFlowError(f"{path} does not exist: name a recipe, such as recipes/cpu.toml") from error
    except (EditFlowError, tomllib.TOMLDecodeError) as error:
        raise EditFlowError(f"{path}: {error}") from error

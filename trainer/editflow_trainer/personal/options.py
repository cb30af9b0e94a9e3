"""What a person asks of `editflow train`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from editflow.checkpoint import DEFAULT
from editflow_trainer.mining.settings import Settings

CPU_BUDGET, GPU_BUDGET = 600.0, 120.0
"""Seconds that the command takes in all, unless told otherwise: a coffee."""
ENOUGH = 6000
"""Edits after which older commits are not mined: more than a budget can train on."""


class Method(StrEnum):
    """What is trained."""

    auto = "auto"
    """full for a network up to `fit.SMALL`, else lora."""
    full = "full"
    """All weights."""
    lora = "lora"
    """Low-rank updates of the blocks' matrices alone."""


@dataclass(frozen=True, slots=True)
class Options:
    """One training; equal options on equal commits and an equal base make the same run."""

    model: str = DEFAULT
    """Name or folder of the base."""
    since: str = ""
    paths: tuple[str, ...] = ()
    author: str = ""
    max_commits: int | None = None
    budget: float | None = None
    """Seconds for everything; None takes the device's."""
    device: str = "auto"
    threads: int | None = None
    """Of a CPU; None takes as many as torch does."""
    method: Method = Method.auto
    rank: int = 16
    outcomes: bool = True
    """Whether recorded outcomes of the editors are trained on, where there are any."""
    seed: int = 0

    def mining(self) -> Settings:
        """What is mined."""
        return Settings(self.since, self.max_commits, False, self.paths, self.author, ENOUGH)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def seconds(self, device: str) -> float:
        """The budget on a device."""
        return self.budget or (GPU_BUDGET if device == "cuda" else CPU_BUDGET)


@dataclass(frozen=True, slots=True)
class Target:
    """A repository to train on."""

    folder: Path
    """Top of its working tree, or a bare repository."""
    name: str
    """For people: `owner/name` of its remote, else its folder's."""
    root: str
    """Its root commit."""
    head: str

    @property
    def short(self) -> str:
        """The name without its owner."""
        return self.name.rpartition("/")[2]

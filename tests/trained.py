"""Repositories and adapters, as `editflow train` leaves them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from editflow.adapters.adapter import Adapter, write_adapter
from editflow.adapters.store import AdapterStore
from editflow.checkpoint import Checkpoint

if TYPE_CHECKING:
    from torch import Tensor

GIT = ("git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def repository(folder: Path) -> str:
    """Make a git repository with one commit; its root commit."""
    for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", f"begin {folder}"]):
        subprocess.run([*GIT, "-C", str(folder), *arguments], check=True)
    asked = subprocess.run([*GIT, "-C", str(folder), "rev-parse", "HEAD"], check=True, capture_output=True)
    return asked.stdout.decode().strip()


def write(
    folder: Path,
    root: str,
    tensors: Mapping[str, Tensor] | None = None,
    facts: Mapping[str, Any] | None = None,
    **calibration: float,
) -> Adapter:
    """An adapter of the shipped model, with another calibration than the model's."""
    import torch

    base = Checkpoint.open("default")
    return write_adapter(
        folder,
        repository_name="shop",
        repository=root,
        base=base,
        tensors={"embedding": torch.rand(1)} if tensors is None else tensors,
        thresholds=base.thresholds(),
        calibration=replace(base.calibration(), **calibration),
        facts=facts or {},
        card="# Card\n",
    )


def install(root: str, store: AdapterStore | None = None, **calibration: float) -> Adapter:
    """Have an adapter in use for a repository, as after a training."""
    with TemporaryDirectory() as folder:
        adapter = write(Path(folder), root, weights(), None, **calibration)
        return (store or AdapterStore()).install(adapter.folder)


def weights(amount: float = 0.001) -> dict[str, Tensor]:
    """All of the shipped model's, each moved by a little."""
    import torch

    parameters = Checkpoint.open("default").backbone().named_parameters()
    return {name: p + amount * p.abs().mean() * torch.randn(p.shape) for name, p in parameters}

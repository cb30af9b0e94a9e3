"""Resumable states of a run on disk: written beside the others, then renamed, so that none is ever half written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

State = dict[str, Any]
PATTERN = "state-*.pt"


def write_state(folder: Path, step: int, state: Mapping[str, object], keep: int) -> Path:
    """Write the state of a step and remove all but the newest `keep`."""
    path = folder / f"state-{step:07d}.pt"
    partial = path.with_suffix(".partial")
    torch.save(dict(state), partial)
    partial.replace(path)
    for old in sorted(folder.glob(PATTERN))[:-keep]:
        old.unlink()
    return path


def read_state(folder: Path) -> State | None:
    """The newest state, on the CPU, or None where there is none."""
    paths = sorted(folder.glob(PATTERN))
    if not paths:
        return None
    state: State = torch.load(paths[-1], map_location="cpu", weights_only=True)
    return state


def newest_step(folder: Path) -> int:
    """The step of the newest state, 0 where there is none."""
    paths = sorted(folder.glob(PATTERN))
    return int(paths[-1].stem.rpartition("-")[2]) if paths else 0

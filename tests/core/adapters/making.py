"""Real repositories, and adapters of small networks, for tests."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from editflow.adapters.adapter import Adapter, write_adapter
from editflow.checkpoint import Calibration, Checkpoint
from editflow.process.edit_flow import Thresholds

THRESHOLDS = Thresholds(delete=0.6, substitute=0.7, insert=0.8, fill=0.95)
CALIBRATION = Calibration(slope=1.5, intercept=-0.25, insert_slope=0.25, show=0.4)
ROOT = "4f" * 20
SETTINGS = (
    "user.name=A",
    "user.email=a@example.org",
    "protocol.file.allow=always",
    "init.defaultBranch=main",
)


def git(folder: Path, *arguments: str | Path, date: int = 1_600_000_000) -> str:
    """What git prints; the author and the date are fixed."""
    options = [part for setting in SETTINGS for part in ("-c", setting)]
    when = f"{date} +0000"
    fixed = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", "-C", folder, *options, *arguments], env=os.environ | fixed, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def make_repository(folder: Path, text: str = "first", commits: int = 2) -> str:
    """A repository with some commits; the root commit, which changes with the text."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    for number in range(commits):
        (folder / "a.py").write_text(f"{text} = {number}\n")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", f"{text} {number}")
    return git(folder, "rev-list", "--max-parents=0", "HEAD") if commits else ""


def make_adapter(
    folder: Path,
    base: Checkpoint,
    *,
    root: str = ROOT,
    name: str = "poetry",
    tensors: Mapping[str, Tensor] | None = None,
    facts: Mapping[str, Any] | None = None,
    card: str = "# What poetry taught\n",
    seed: int = 0,
) -> Adapter:
    """An adapter that changes one bias, by its seed, unless told otherwise."""
    changed = tensors or {"operation_head.bias": torch.tensor([float(seed), 0.5, 0.5])}
    return write_adapter(
        folder,
        repository_name=name,
        repository=root,
        base=base,
        tensors=changed,
        thresholds=THRESHOLDS,
        calibration=CALIBRATION,
        facts=facts or {},
        card=card,
    )

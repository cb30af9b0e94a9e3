"""Whole trainings of a tiny network on a small history, for tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from editflow.adapters.store import AdapterStore, training_folder
from editflow.backbone import Backbone
from editflow.checkpoint import CARD, TOKENIZER, WEIGHTS, Calibration, write_config
from editflow.engine import Engine
from editflow.process.edit_flow import Thresholds
from editflow_trainer.personal.listener import Progress
from editflow_trainer.personal.material import Gathered
from editflow_trainer.personal.options import Options, Target
from editflow_trainer.personal.result import Result
from editflow_trainer.personal.run import Training
from editflow_trainer.personal.workspace import Workspace
from tests.core.wild import SHAPE

STAGES = (
    "mining the history",
    "reading the code",
    "preparing lessons",
    "measuring the default",
    "training",
    "settling thresholds",
    "measuring the adapter",
    "writing the report",
)
BUDGET = 0.5  # seconds


class Stopped(Exception):
    """Stands for a process that is ended from outside."""


@dataclass
class Recorder:
    """A listener that keeps what it is told, and does something when a stage begins."""

    at: str = ""
    act: Callable[[], None] = lambda: None
    stages: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)

    def stage(self, name: str) -> None:
        self.stages.append(name)
        if name == self.at:
            self.act()

    def progress(self, progress: Progress) -> None:
        self.steps.append(progress.step)

    def say(self, line: str) -> None:
        self.lines.append(line)


def stop() -> None:
    """What a Recorder does where the process is to end."""
    raise Stopped


def write_page(result: Result, gathered: Gathered, base: Engine, trained: Engine, space: Workspace) -> None:
    """A report of one line."""
    space.report.write_text(f"{base.name} {trained.name} {len(gathered.held_out.edits)} {result.decision}\n")


def quiet_checkpoint(tokenizer_file: Path, folder: Path) -> Path:
    """A base in a new folder, whose tiny network finds next to nothing to do."""
    torch.manual_seed(1)
    model = Backbone(SHAPE)
    with torch.no_grad():
        model.operation_head.bias.copy_(torch.tensor([6.0, 0.0, 0.0]))
        model.gap_head.bias[0] = 6.0
    folder.mkdir()
    save_file({name: p.detach() for name, p in model.named_parameters()}, folder / WEIGHTS)
    shutil.copy(tokenizer_file, folder / TOKENIZER)
    (folder / CARD).write_text("# Quiet\n", "utf-8")
    write_config(folder, "quiet", SHAPE, Thresholds(), Calibration())
    return folder


def make_training(
    target: Target,
    base: Path,
    listener: Recorder | None = None,
    output: Path | None = None,
    **options: Any,
) -> Training:
    """One that is over in a second."""
    chosen = Options(model=str(base), budget=BUDGET, device="cpu", threads=1, **options)
    return Training(target, chosen, listener or Recorder(), write_page, AdapterStore(), output)


def left_in(target: Target) -> set[str]:
    """What a training's work folder holds, but for the lock."""
    return {path.name for path in training_folder(target.root).iterdir()} - {".lock"}


def all_files(folder: Path) -> dict[str, bytes]:
    """A folder's files outside of .git, with their bytes."""
    paths = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

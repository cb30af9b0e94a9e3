"""The recipe of the shipped checkpoint: corpus, tokenizer, rows, training, calibration, release.

Every stage leaves its result in one work folder and is skipped when that result is there, so a run that was
interrupted goes on where it stopped, and a prepared folder can be carried to another machine for training alone.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import islice
from pathlib import Path

import torch

from editflow.checkpoint import CARD, TOKENIZER, WEIGHTS, Calibration, write_config
from editflow.engine import Engine
from editflow.process.edit_flow import Thresholds
from editflow_trainer.calibration import Settled, calibrate, samples
from editflow_trainer.card import flow_card, model_card
from editflow_trainer.config import TrainConfig
from editflow_trainer.corpus import FUNCTIONS, build_corpus, read_functions
from editflow_trainer.injection.bug import UNBOUND
from editflow_trainer.preparation import ROWS_PER_SHARD, prepare
from editflow_trainer.tokenizer import train_tokenizer
from editflow_trainer.train_shards import Say, run_folder, train_shards

CALIBRATION_FUNCTIONS = 6000
"""The last functions of the corpus, never made into training rows."""
CALIBRATION_CASES = 300
"""Buggy functions, and as many clean ones."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a run makes, where, and from what."""

    work: Path
    out: Path
    exclude: tuple[Path, ...] = ()
    """Folders of evaluation data (*.jsonl) that the corpus must not contain."""
    shards: int = 24
    """Training shards of ROWS_PER_SHARD functions each, with bugs of all kinds."""
    name_shards: int = 8
    """Further shards with undefined names only, so that copying a suggested name is seen often enough."""
    budget: float | None = None
    """Seconds of training; None trains all steps."""
    config: TrainConfig = field(default_factory=TrainConfig)
    device: str = "cpu"
    threads: int = 2
    name: str = "default"
    init: Path | None = None
    """Weights to start from."""


def run(recipe: Recipe, say: Say) -> Path:
    """All stages; returns the folder of the finished checkpoint."""
    torch.set_num_threads(recipe.threads)
    prepare_data(recipe, say)
    train(recipe, say)
    return release(recipe, say)


def prepare_data(recipe: Recipe, say: Say) -> None:
    """Corpus, held-out functions, tokenizer and aligned rows."""
    heldout, train_folder = recipe.work / "heldout", recipe.work / "train"
    package = files("editflow_trainer")
    if not (heldout / FUNCTIONS).exists():
        count = build_corpus(
            Path(str(package / "heldout_packages.txt")), heldout, stdlib=False, exclude=recipe.exclude
        )
        say(f"{count} held-out functions")
    if not (train_folder / FUNCTIONS).exists():
        exclude = (*recipe.exclude, heldout)
        count = build_corpus(
            Path(str(package / "corpus_packages.txt")), train_folder, stdlib=True, exclude=exclude
        )
        say(f"{count} training functions")
    if not (recipe.work / TOKENIZER).exists():
        train_tokenizer(train_folder / FUNCTIONS, recipe.work / TOKENIZER)
    functions, tokenizer, out = train_folder / FUNCTIONS, recipe.work / TOKENIZER, recipe.work / "shards"
    available = _available_shards(functions)
    names = min(recipe.name_shards, available // 4)
    shards = min(recipe.shards, available - names)
    rows = prepare(functions, tokenizer, out, shards=shards)
    rows += prepare(functions, tokenizer, out, shards=names, first=shards, focus=UNBOUND)
    say(f"{rows} new training rows")


def _available_shards(functions: Path) -> int:
    with functions.open("rb") as lines:
        count = sum(1 for _ in lines)
    return max(1, (count - CALIBRATION_FUNCTIONS) // ROWS_PER_SHARD)


def train(recipe: Recipe, say: Say) -> None:
    """Train, or go on training, until the steps or the budget are used up; averaged weights at the end."""
    train_shards(recipe.work, recipe.config, recipe.device, recipe.budget, say, recipe.init)


def release(recipe: Recipe, say: Say) -> Path:
    """Assemble and card the checkpoint; calibrate it where it decodes in a few passes."""
    run, staging = run_folder(recipe.work, recipe.config), recipe.work / "release"
    staging.mkdir(exist_ok=True)
    shutil.copyfile(run / "weights.safetensors", staging / WEIGHTS)
    shutil.copyfile(recipe.work / TOKENIZER, staging / TOKENIZER)
    last = json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    (staging / CARD).write_text(flow_card(recipe.config, last), encoding="utf-8")
    backbone, flow = recipe.config.backbone, recipe.config.flow
    write_config(staging, recipe.name, backbone, Thresholds(), Calibration(), flow)
    if flow is None:
        settled = _calibrate(recipe, Engine.load(str(staging), "auto" if recipe.device == "cuda" else "cpu"))
        say(
            f"calibrated: exact {settled.exact:.3f}, clean touched {settled.touched:.4f}, {settled.thresholds}"
        )
        card = model_card(recipe.config, settled, last, 2 * CALIBRATION_CASES)
        (staging / CARD).write_text(card, encoding="utf-8")
        write_config(staging, recipe.name, backbone, settled.thresholds, settled.calibration)
    recipe.out.mkdir(parents=True, exist_ok=True)
    for file in staging.iterdir():
        shutil.copyfile(file, recipe.out / file.name)
    return recipe.out


def _calibrate(recipe: Recipe, engine: Engine) -> Settled:
    functions = recipe.work / "train" / FUNCTIONS
    first = _available_shards(functions) * ROWS_PER_SHARD
    held = list(islice(read_functions(functions), first, None))
    return calibrate(engine, list(samples(held, CALIBRATION_CASES, seed=1)))

"""The stages of a recipe: corpus, tokenizer, shards, training, calibration, release.

Every stage leaves its result in one work folder and is skipped when that result is there, so a run that was
interrupted goes on where it stopped, and a prepared folder can be carried to another machine for training alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import islice
from pathlib import Path

from safetensors.torch import load_file, save_file

from editflow.checkpoint import CARD, TOKENIZER, WEIGHTS, Calibration, write_config
from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow.process.edit_flow import Thresholds
from editflow.quantization import encode
from editflow_trainer.calibration import calibrate, samples
from editflow_trainer.card import CardFacts, DataFacts, TrainingFacts, flow_card, model_card
from editflow_trainer.corpus import FUNCTIONS, build_corpus, read_functions
from editflow_trainer.data.preparation import MEBIBYTE, Output, prepare_functions, prepare_mined
from editflow_trainer.data.shards import open_shards
from editflow_trainer.recipe import Recipe
from editflow_trainer.tokenizer import train_tokenizer
from editflow_trainer.training.logs import LOG, Log, read_log
from editflow_trainer.training.train_shards import SHARDS, VALIDATION, check_split, run_folder, train_shards
from editflow_trainer.training.trainer import WEIGHTS as AVERAGED

CALIBRATION_FUNCTIONS = 6000
"""The last functions of the corpus, never made into training rows."""
CALIBRATION_CASES = 600
"""Buggy functions, and as many clean ones; half are fitted to, half reported on."""
METHODS = {"muon": "Muon and AdamW", "adamw": "AdamW"}
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """A recipe with the places of one run."""

    recipe: Recipe
    work: Path
    exclude: tuple[Path, ...] = ()
    """Folders of evaluation data (*.jsonl) that the corpus must not contain."""
    mined: tuple[Path, ...] = ()
    """Folders of `editflow mine`, of training repositories."""
    mined_validation: tuple[Path, ...] = ()
    """The same, of validation repositories."""
    command: str = ""
    """What starts this run again."""

    @property
    def out(self) -> Path:
        """Folder of the finished checkpoint."""
        return Path(self.recipe.out) if self.recipe.out else self.work / self.recipe.name

    @property
    def trained(self) -> Path:
        """Folder of the training run."""
        return run_folder(self.work, self.recipe)


def prepare_data(run: Run, say: Say) -> None:
    """Corpus, held-out functions, tokenizer, training and validation shards."""
    heldout, train_folder = run.work / "heldout", run.work / "train"
    _corpus(heldout, "heldout_packages.txt", run.exclude, say, stdlib=False)
    _corpus(train_folder, "corpus_packages.txt", (*run.exclude, heldout), say, stdlib=True)
    functions, wanted = train_folder / FUNCTIONS, run.recipe.prepare
    if not (run.work / TOKENIZER).exists():
        train_tokenizer(functions, run.work / TOKENIZER)
    most = min(wanted.functions, _trained_functions(functions))
    _shards(run, SHARDS, functions, most, run.mined, say)
    check_split(run.work)
    if wanted.validation:
        _shards(run, VALIDATION, heldout / FUNCTIONS, wanted.validation, run.mined_validation, say)


def _corpus(folder: Path, packages: str, exclude: tuple[Path, ...], say: Say, *, stdlib: bool) -> None:
    if not (folder / FUNCTIONS).exists():
        listed = Path(str(files("editflow_trainer") / packages))
        count = build_corpus(listed, folder, stdlib=stdlib, exclude=exclude)
        say(f"{count} functions in {folder}")


def _shards(run: Run, name: str, functions: Path, most: int, mined: tuple[Path, ...], say: Say) -> None:
    """One folder of shards, whole or not at all; mined edits come first where a limit holds."""
    done, partial = run.work / name, run.work / f"{name}.partial"
    if done.exists():
        return
    shutil.rmtree(partial, ignore_errors=True)
    limit = run.recipe.prepare.limit_mib * MEBIBYTE or (1 << 62)
    codec, workers = run.recipe.prepare.codec, run.recipe.machine.threads
    output = Output(partial, run.work / TOKENIZER, codec, workers=workers, most_bytes=limit)
    counts = []
    if mined:
        counts.append(prepare_mined(mined, output))
        limit -= sum(file.stat().st_size for file in partial.iterdir())
    counts.append(prepare_functions(functions, replace(output, most_bytes=limit), most=most))
    total = sum(count.total() for count in counts)
    if not total:
        raise EditFlowError(f"{functions} gives no examples for {done}: build the corpus again")
    partial.replace(done)
    say(f"{total} examples in {done}")


def _trained_functions(functions: Path) -> int:
    """Functions of the corpus that are not kept for calibration."""
    with functions.open("rb") as lines:
        return max(1, sum(1 for _ in lines) - CALIBRATION_FUNCTIONS)


def train(run: Run, log: Log) -> None:
    """Train, or go on training, until the steps or the budget are used up; averaged weights at the end."""
    train_shards(run.recipe, run.work, log)


def release(run: Run, say: Say) -> Path:
    """Assemble and card the checkpoint; calibrate it where it decodes in a few passes. Returns its folder."""
    recipe, staging = run.recipe, run.work / "release"
    staging.mkdir(exist_ok=True)
    averaged = {name: value.float() for name, value in load_file(run.trained / AVERAGED).items()}
    save_file(encode(averaged, recipe.weights), staging / WEIGHTS)
    shutil.copyfile(run.work / TOKENIZER, staging / TOKENIZER)
    if recipe.train.flow is None:
        _settle(run, staging, say)
    else:
        card = flow_card(recipe.train.backbone, recipe.train.flow, _training(run))
        _describe(recipe, staging, card, Thresholds(), Calibration())
    run.out.mkdir(parents=True, exist_ok=True)
    for file in staging.iterdir():
        shutil.copyfile(file, run.out / file.name)
    return run.out


def _settle(run: Run, staging: Path, say: Say) -> None:
    """Calibrate the checkpoint in `staging` on functions that were kept out, and card it."""
    recipe = run.recipe
    _describe(recipe, staging, "Not calibrated yet.\n", Thresholds(), Calibration())
    functions = run.work / "train" / FUNCTIONS
    held = list(islice(read_functions(functions), _trained_functions(functions), None))
    engine = Engine.load(str(staging), recipe.machine.device)
    settled = calibrate(engine, list(samples(held, CALIBRATION_CASES, seed=1)))
    say(
        f"calibrated: exact {settled.exact.value:.3f}, clean touched {settled.touched.value:.4f}, {settled.thresholds}"
    )
    facts = CardFacts(
        recipe.name,
        recipe.train.backbone,
        recipe.weights,
        (staging / WEIGHTS).stat().st_size,
        _training(run),
        DataFacts.of(shard.header for shard in open_shards(run.work / SHARDS)),
        settled,
        run.command,
    )
    _describe(recipe, staging, model_card(facts), settled.thresholds, settled.calibration)


def _describe(
    recipe: Recipe, staging: Path, card: str, thresholds: Thresholds, calibration: Calibration
) -> None:
    """Card and configuration beside weights and tokenizer."""
    (staging / CARD).write_text(card, encoding="utf-8")
    write_config(staging, recipe.name, recipe.train.backbone, thresholds, calibration, recipe.train.flow)


def _training(run: Run) -> TrainingFacts:
    """What the card says of the training run."""
    config, log = run.recipe.train, read_log(run.trained / LOG)
    method = METHODS[config.optimizer], config.precision, f"EMA {config.ema_decay}"
    start = [f"from {run.recipe.init}"] if run.recipe.init else []
    tokens = config.batch_tokens * config.micro_batches
    return TrainingFacts.of(log, tokens, ", ".join([*method, *start]))

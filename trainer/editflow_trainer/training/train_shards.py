"""The training stage alone: prepared shards in, averaged weights out.

It imports torch, numpy, safetensors, tokenizers and accelerate and nothing else, so it runs on a training machine that
has no package registry, alone or under a launcher:

    python -m editflow_trainer.training.train_shards --recipe recipes/h200.toml --work DIR
    torchrun --nproc-per-node 8 -m editflow_trainer.training.train_shards --recipe FILE --work DIR [--fsdp]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from editflow.backbone import Backbone
from editflow.checkpoint import TOKENIZER
from editflow.errors import EditFlowError
from editflow.tokens import CodeTokenizer
from editflow_trainer.data.shards import open_shards
from editflow_trainer.durations import seconds
from editflow_trainer.recipe import Recipe, read_recipe
from editflow_trainer.splits import check_training
from editflow_trainer.training.evaluation import Evaluator, exact_shares
from editflow_trainer.training.logs import LOG, Log, json_lines, read_log, sinks
from editflow_trainer.training.report import write_report
from editflow_trainer.training.trainer import Evaluate, Trainer

SHARDS, VALIDATION, REPORT, EVALUATIONS = "shards", "validation", "report.html", "evaluations.jsonl"


@dataclass(frozen=True, slots=True)
class Sinks:
    """Where log lines go beside `log.jsonl`."""

    tensorboard: bool = False
    wandb: str | None = None
    """Project of Weights & Biases."""


def run_folder(work: Path, recipe: Recipe) -> Path:
    """Where a recipe's run lives in its work folder."""
    return work / "runs" / recipe.name


def check_split(work: Path) -> None:
    """EditFlowError where the training shards hold code of a validation or reserved project."""
    check_training(source for shard in open_shards(work / SHARDS) for source in shard.header.sources)


def train_shards(
    recipe: Recipe, work: Path, say: Log, where: Sinks | None = None, pause: float | None = None
) -> bool:
    """Train over `work`/shards, or go on, until steps or budget are used up; True when the run is complete.

    `work`/validation, where it exists, is evaluated and shown on a page in the run's folder. `say` gets every line of
    the log, on the first process.

    Raises:
        EditFlowError: the shards hold code of a validation or reserved project, or do not fit the recipe.
    """
    check_split(work)
    torch.set_num_threads(recipe.machine.threads)
    folder, where = run_folder(work, recipe), where or Sinks()
    init = Path(recipe.init) if recipe.init else None
    trainer = Trainer(recipe.train, work / SHARDS, folder, recipe.machine, init)
    budget = seconds(recipe.budget) if recipe.budget else None
    with ExitStack() as stack:
        evaluate: Evaluate | None = None
        log: Log = say
        if trainer.speaks:
            write = stack.enter_context(
                sinks(folder, trainer.step, board=where.tensorboard, project=where.wandb)
            )
            log = both(write, say)
        if trainer.speaks and (work / VALIDATION).is_dir():
            append = stack.enter_context(json_lines(folder / EVALUATIONS, trainer.step))
            evaluate = reporter(recipe, work, append)
        elif (work / VALIDATION).is_dir():
            evaluate = _wait
        complete = trainer.run(log, evaluate, budget, pause)
    trainer.save_weights()
    trainer.accelerator.end_training()
    return complete


def both(one: Log, other: Log) -> Log:
    """A log that writes to two."""

    def log(line: dict[str, float]) -> None:
        one(line)
        other(line)

    return log


def reporter(recipe: Recipe, work: Path, append: Log) -> Evaluate:
    """An evaluation that appends a line and rewrites the page."""
    folder, evaluator = run_folder(work, recipe), Evaluator(work / VALIDATION, recipe.train)
    tokenizer = CodeTokenizer.from_file(work / TOKENIZER)

    def evaluate(network: Backbone, step: int) -> None:
        flows = list(evaluator.flows(network))
        append({"step": step, **evaluator.losses(network), **exact_shares(flows)})
        log, evaluations = read_log(folder / LOG), read_log(folder / EVALUATIONS)
        write_report(folder / REPORT, f"EditFlow: {recipe.name}", log, evaluations, flows, tokenizer)

    return evaluate


def _wait(network: Backbone, step: int) -> None:
    """The other processes have nothing to evaluate."""


def main() -> None:
    """Command line of the training stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", type=Path, required=True, help="TOML file of the run")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder with shards/, validation/, tokenizer.json"
    )
    parser.add_argument("--init", help="weights.safetensors or model.safetensors to start from")
    parser.add_argument("--budget", help="training time in all: 300s, 27m, 1.5h")
    parser.add_argument("--pause", help="leave after this time; the next call goes on")
    parser.add_argument("--device", help="cpu or cuda")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--workers", type=int, help="processes that draw rows")
    parser.add_argument("--fsdp", action="store_true", help="shard the network over the processes")
    parser.add_argument("--tensorboard", action="store_true", help="log to TensorBoard too")
    parser.add_argument("--wandb", metavar="PROJECT", help="log to Weights & Biases too")
    options = parser.parse_args()
    try:
        recipe = with_options(read_recipe(options.recipe), vars(options))
        pause = seconds(options.pause) if options.pause else None
        complete = train_shards(
            recipe, options.work, _print, Sinks(options.tensorboard, options.wandb), pause
        )
    except EditFlowError as error:
        sys.exit(str(error))
    if os.environ.get("RANK", "0") == "0":  # torchrun sets it
        print("complete" if complete else "paused: call again to go on", flush=True)


def with_options(recipe: Recipe, options: dict[str, object]) -> Recipe:
    """The recipe with what the command line says otherwise."""
    given = {name: value for name, value in options.items() if value is not None}
    machine: dict[str, Any] = {k: v for k, v in given.items() if k in ("device", "threads", "workers")}
    if given.get("fsdp"):
        machine["fsdp"] = True
    own: dict[str, Any] = {k: v for k, v in given.items() if k in ("init", "budget", "out")}
    return replace(recipe, machine=replace(recipe.machine, **machine), **own)


def _print(line: dict[str, float]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()

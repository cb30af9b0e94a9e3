"""The command `editflow train-default`: make the checkpoint that ships in the package, from nothing."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from editflow.checkpoint import WEIGHTS
from editflow_trainer.durations import seconds


class Preset(StrEnum):
    """Size of the network and of its batches; the last two are exact flows that start from trained weights."""

    cpu = "cpu"
    gpu = "gpu"
    published = "published"
    localized = "localized"


SHIPPED = Path("core/editflow/weights/default")


class Stage(StrEnum):
    """Part of the recipe to run."""

    all = "all"
    prepare = "prepare"
    train = "train"
    release = "release"


def train_default(
    work: Annotated[Path, typer.Option(help="Folder for corpus, rows and states; kept.")] = Path(
        "build/default"
    ),
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the finished checkpoint.  [default: the package's; of a flow, in WORK]"),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Training time: 90m, 1.5h.  [default: 100m on a CPU; of a flow 28m]")
    ] = None,
    preset: Annotated[Preset, typer.Option(help="Size of network and batches, or flow.")] = Preset.cpu,
    init: Annotated[
        Path | None, typer.Option(help="Weights to start from.  [default: of a flow, the package's]")
    ] = None,
    stage: Annotated[Stage, typer.Option(help="Part of the recipe to run.")] = Stage.all,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of *.jsonl evaluation data to keep out; may be repeated."),
    ] = None,
    shards: Annotated[int | None, typer.Option(min=1, help="Training shards to prepare.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
) -> None:
    """Make the default checkpoint: corpus, tokenizer, training, calibration.

    The corpus is the standard library and pinned packages, installed nowhere and never executed. A run that is
    interrupted goes on where it stopped.
    """
    from editflow_trainer import presets
    from editflow_trainer import recipe as recipes

    gpu, flow = preset is Preset.gpu, preset in (Preset.published, Preset.localized)
    chosen = recipes.Recipe(
        work=work,
        out=out or (work / preset if flow else SHIPPED),
        exclude=tuple(exclude or ()),
        shards=shards or (48 if gpu else 24),
        budget=seconds(budget or ("27m" if gpu else "28m" if flow else "100m")),
        config=presets.PRESETS[preset](),
        device="cuda" if gpu else "cpu",
        threads=threads,
        name=preset if flow else "default",
        init=init or (SHIPPED / WEIGHTS if flow else None),
    )
    run = {
        Stage.all: recipes.run,
        Stage.prepare: recipes.prepare_data,
        Stage.train: recipes.train,
        Stage.release: recipes.release,
    }[stage]
    run(chosen, typer.echo)

"""The command `editflow train-default`: make a checkpoint by a recipe, from nothing to release."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

RECIPE = Path("recipes/cpu.toml")
Log = Callable[[dict[str, float]], None]


class Stage(StrEnum):
    """Part of the recipe to run."""

    all = "all"
    prepare = "prepare"
    train = "train"
    release = "release"


def train_default(
    recipe: Annotated[Path, typer.Option(help="TOML file that says what is made, and how.")] = RECIPE,
    work: Annotated[Path, typer.Option(help="Folder for corpus, shards and states; kept.")] = Path(
        "build/default"
    ),
    out: Annotated[
        Path | None, typer.Option(help="Folder of the finished checkpoint.  [default: the recipe's]")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Training time: 90m, 1.5h.  [default: the recipe's]")
    ] = None,
    init: Annotated[Path | None, typer.Option(help="Weights to start from.  [default: the recipe's]")] = None,
    stage: Annotated[Stage, typer.Option(help="Part of the recipe to run.")] = Stage.all,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of *.jsonl evaluation data to keep out; may be repeated."),
    ] = None,
    mined: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of `editflow mine` to train on too; may be repeated."),
    ] = None,
    mined_validation: Annotated[
        list[Path] | None,
        typer.Option(help="The same, of validation repositories, to evaluate on while training."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.  [default: the recipe's]")] = None,
) -> None:
    """Make a checkpoint by a recipe: corpus, tokenizer, training, calibration.

    The corpus is the standard library and pinned packages, installed nowhere and never executed. A run that is
    interrupted goes on where it stopped.
    """
    from editflow_trainer import stages
    from editflow_trainer.recipe import read_recipe
    from editflow_trainer.training.train_shards import with_options

    given = {"out": out, "budget": budget, "init": init, "threads": threads}
    chosen = with_options(
        read_recipe(recipe), {k: str(v) if isinstance(v, Path) else v for k, v in given.items()}
    )
    run = stages.Run(
        chosen,
        work,
        tuple(exclude or ()),
        tuple(mined or ()),
        tuple(mined_validation or ()),
        f"editflow train-default --recipe {recipe}",
    )
    if stage in (Stage.all, Stage.prepare):
        stages.prepare_data(run, typer.echo)
    if stage in (Stage.all, Stage.train):
        with progress() as log:
            stages.train(run, log)
    if stage in (Stage.all, Stage.release):
        typer.echo(f"checkpoint: {stages.release(run, typer.echo)}")


@contextmanager
def progress() -> Iterator[Log]:
    """A bar with the loss, on a terminal; lines elsewhere."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("waiting for the first line of the log", total=1.0)

        def log(line: dict[str, float]) -> None:
            said = (
                f"step {line['step']:.0f}  loss {line['loss']:.3f}  {line['tokens_per_second']:.0f} tokens/s"
            )
            bar.update(task, completed=line["progress"], description=said)
            if not bar.console.is_terminal:
                typer.echo(said)

        yield log

"""Training runs at equal compute: held-back loss of each over what its training has cost.

Run from the repository's root as `python -m benchmarks.adaptation --work DIR RECIPE.toml ...`, after training with each
recipe in that folder (`python -m editflow_trainer.training.train_shards`); `--picture` needs matplotlib.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.report import print_table, write_json
from editflow_trainer.recipe import Recipe, read_recipe
from editflow_trainer.training.logs import LOG, read_log
from editflow_trainer.training.train_shards import EVALUATIONS, run_folder

PASSES = 6
"""Floating-point operations a weight and token, forward and backward (arXiv 2001.08361, section 2.1)."""
TERMS = ("loss", "operation", "gap", "substitute", "insert")


@dataclass(frozen=True, slots=True)
class Trained:
    """What one run cost and reached."""

    name: str
    start: str
    optimizer: str
    weights: float  # millions in matrices, the embedding's included
    steps: int
    tokens: int  # at most: steps times the budget of a batch
    minutes: float
    compute: list[float]  # PFLOP at each evaluation
    evaluations: list[dict[str, float]]

    @classmethod
    def of(cls, recipe: Recipe, work: Path) -> Trained:
        """Read a run's folder."""
        folder, train = run_folder(work, recipe), recipe.train
        evaluations, log = read_log(folder / EVALUATIONS), read_log(folder / LOG)
        weights, batch = train.backbone.matrix_size(), train.batch_tokens * train.micro_batches
        steps = int(evaluations[-1]["step"])
        return cls(
            recipe.name,
            "pretrained" if recipe.init else "random",
            train.optimizer,
            weights / 1e6,
            steps,
            steps * batch,
            log[-1]["elapsed"] / 60,
            [PASSES * weights * line["step"] * batch / 1e15 for line in evaluations],
            evaluations,
        )

    def at(self, compute: float) -> dict[str, float]:
        """Loss terms where `compute` PFLOP were spent, between two evaluations by a straight line."""
        spent = self.compute
        return {t: float(np.interp(compute, spent, [line[t] for line in self.evaluations])) for t in TERMS}

    def row(self, terms: Mapping[str, float], compute: float) -> list[str]:
        """Cells of the table."""
        shape = [self.name, self.start, self.optimizer, f"{self.weights:.1f}"]
        cost = [str(self.steps), f"{self.tokens / 1e6:.2f}", f"{self.minutes:.1f}", f"{compute:.3f}"]
        return [*shape, *cost, *(f"{terms[term]:.3f}" for term in TERMS)]


HEADER = ("run", "start", "optimizer", "M weights", "steps", "M tokens", "minutes", "PFLOP", *TERMS)


def adaptation(
    recipes: Annotated[list[Path], typer.Argument(metavar="RECIPE.toml...")],
    work: Annotated[Path, typer.Option(help="Folder with the runs.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write everything.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the curves, as SVG.")] = None,
) -> None:
    """Print what each run reached at its end, and all of them where the cheapest one ended."""
    runs = [Trained.of(read_recipe(recipe), work) for recipe in recipes]
    least = min(run.compute[-1] for run in runs)
    print("At the end\n")
    print_table(HEADER, [run.row(run.evaluations[-1], run.compute[-1]) for run in runs])
    print("At equal compute\n")
    print_table(HEADER, [run.row(run.at(least), least) for run in runs])
    if json_file:
        write_json(json_file, {"runs": [asdict(run) for run in runs]})
    if picture:
        draw(runs, picture)


def draw(runs: Sequence[Trained], picture: Path) -> None:
    """Held-back loss and its terms over compute, a panel each."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "editflow", "font.size": 9}):
        figure = Figure((11, 3.4), layout="constrained")
        for axes, term in zip(figure.subplots(1, 3), ("loss", "substitute", "insert"), strict=True):
            for run in runs:
                axes.plot(run.compute, [line[term] for line in run.evaluations], label=run.name)
            axes.set_title(f"held back: {term}")
            axes.set_xlabel("PFLOP")
            axes.grid(alpha=0.3)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(runs))
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    typer.run(adaptation)

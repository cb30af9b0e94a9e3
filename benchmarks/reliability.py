"""The reliability diagram of a checkpoint on functions it was not trained on: numbers, and a picture of them.

Run from the repository's root as `python -m benchmarks.reliability --data DIR`; the picture needs matplotlib.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import matplotlib
import torch
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.report import write_json
from editflow.engine import Engine
from editflow_trainer.calibration import Reliability, outcomes, samples
from editflow_trainer.calibration.diagram import diagrams, table
from editflow_trainer.calibration.reliability import by_operation
from editflow_trainer.evaluation.case import Settings, read_pool

PANEL = (3.0, 3.0)  # inches


def reliability(
    data: Annotated[Path, typer.Option(help="functions.jsonl, or the folder of one, of functions held out.")],
    model: Annotated[str, typer.Option(help="Name or folder of a checkpoint.")] = "default",
    count: Annotated[int, typer.Option(min=1, help="Clean functions, and as many with a bug.")] = 300,
    seed: Annotated[int, typer.Option(help="Draws them.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
    output: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers.")] = None,
    picture: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw the diagram.")] = None,
) -> None:
    """Print how often edits are right by the confidence they have, and the expected calibration error."""
    torch.set_num_threads(threads)
    engine = Engine.load(model, "cpu")
    chosen = list(samples(read_pool(Settings(data, seed=seed)), count, seed))
    groups = by_operation(list(outcomes(engine, chosen)))
    print(f"{table(groups)}\n\n{diagrams(groups)}")
    if output is not None:
        facts = {name: asdict(group) | {"ece": group.ece} for name, group in groups.items()}
        write_json(output, {"model": engine.name, "count": count, "seed": seed, "groups": facts})
    if picture is not None:
        draw(groups, picture)


def draw(groups: Mapping[str, Reliability], path: Path) -> None:
    """A panel a group, in a file that is the same for the same numbers."""
    with matplotlib.rc_context():
        matplotlib.rc("svg", fonttype="none", hashsalt="editflow")
        matplotlib.rc("font", size=9)
        matplotlib.rc("axes.spines", top=False, right=False)
        figure = Figure((PANEL[0] * len(groups), PANEL[1]), layout="constrained")
        panels = figure.subplots(1, len(groups), sharey=True, squeeze=False)[0]
        for axes, (name, group) in zip(panels, groups.items(), strict=True):
            _panel(axes, name, group)
        panels[0].set_ylabel("share of edits that are right")
        figure.savefig(path, metadata={"Date": None})


def _panel(axes: Axes, name: str, group: Reliability) -> None:
    """Bins with their 95 % interval, and the diagonal on which confidences are frequencies."""
    said = [b.confidence for b in group.bins]
    right = [b.right.hits / b.right.cases for b in group.bins]
    below = [share - b.right.interval[0] for share, b in zip(right, group.bins, strict=True)]
    above = [b.right.interval[1] - share for share, b in zip(right, group.bins, strict=True)]
    axes.plot([0, 1], [0, 1], "--", color="gray", linewidth=1)
    axes.errorbar(said, right, (below, above), fmt="o-", color="C0", markersize=3, elinewidth=0.6)
    axes.set_title(f"{name} ({group.right.cases}), ECE {group.ece:.3f}")
    axes.set_xlabel("confidence")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)


if __name__ == "__main__":
    typer.run(reliability)

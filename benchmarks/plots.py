"""Curves of what `benchmarks.samplers` measured, as SVG files that are the same for the same numbers.

Run from the repository's root as `python -m benchmarks.plots FOLDER RESULT.json ...`; needs matplotlib.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import matplotlib
import typer
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.sampler_runs import Result
from editflow_trainer.evaluation.statistics import Rate

PANEL = (4.2, 3.8)  # inches
APART = 1.06
"""Factor between the steps of two samplers, lest one hides the other."""
CURVES = {
    "exact": "buggy functions repaired exactly",
    "untouched": "clean functions left untouched",
    "spurious": "spurious token edits per clean function",
}


def plots(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")],
    files: Annotated[list[Path], typer.Argument(metavar="RESULT.json...", help="Written by samplers.")],
) -> None:
    """Draw exact.svg, untouched.svg and spurious.svg."""
    found = [row for file in files for row in json.loads(file.read_text("utf-8"))["results"]]
    draw([Result.from_json(row) for row in found], folder)


def draw(results: Sequence[Result], folder: Path) -> None:
    """Write one picture a curve, each with a panel a model."""
    folder.mkdir(parents=True, exist_ok=True)
    colours = {name: f"C{i}" for i, name in enumerate(dict.fromkeys(r.sampler for r in results))}
    models = list(dict.fromkeys(r.model for r in results))
    with matplotlib.rc_context():
        _set_style()
        for curve, label in CURVES.items():
            figure = Figure((PANEL[0] * len(models), PANEL[1]), layout="constrained")
            panels = figure.subplots(1, len(models), sharey=True, squeeze=False)[0]
            for axes, model in zip(panels, models, strict=True):
                _panel(axes, curve, [r for r in results if r.model == model], colours)
                axes.set_title(model)
            panels[0].set_ylim(0, None if curve == "spurious" else 1.02)  # of all panels
            panels[0].set_ylabel(label)
            figure.legend(*_legend(panels), loc="outside lower center", ncols=1 + len(models))
            figure.savefig(folder / f"{curve}.svg", metadata={"Date": None})


def _legend(panels: Iterable[Axes]) -> tuple[list[Artist], list[str]]:
    """A line and a name for each sampler, whatever panels it is in."""
    found: dict[str, Artist] = {}
    for axes in panels:
        for artist, name in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(name, artist)
    return list(found.values()), list(found)


def _set_style() -> None:
    matplotlib.rc("svg", fonttype="none", hashsalt="editflow")
    matplotlib.rc("font", size=9)
    matplotlib.rc("axes", grid=True)
    matplotlib.rc("axes.spines", top=False, right=False)
    matplotlib.rc("grid", alpha=0.3)


def _panel(axes: Axes, curve: str, results: Sequence[Result], colours: dict[str, str]) -> None:
    """The curve of every sampler of one model, slightly apart from each other."""
    for place, sampler in enumerate(dict.fromkeys(r.sampler for r in results)):
        rows = sorted((r for r in results if r.sampler == sampler), key=lambda r: r.steps)
        steps = [r.steps * APART**place for r in rows]
        if curve == "spurious":
            _edits(axes, steps, rows, colours[sampler])
        else:
            rates = [r.exact if curve == "exact" else r.untouched for r in rows]
            _rates(axes, steps, rates, colours[sampler], sampler)
    ticks = sorted({r.steps for r in results})
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [str(tick) for tick in ticks], rotation=45)
    axes.minorticks_off()
    axes.set_xlabel("steps")


def _edits(axes: Axes, steps: Sequence[float], rows: Sequence[Result], colour: str) -> None:
    """Measured, with its standard error, and dashed what the rates of the source predict."""
    means, errors = [r.spurious for r in rows], [r.spurious_error for r in rows]
    _curve(axes, steps, means, errors, colour, rows[0].sampler)
    predicted = [(r.steps, r.predicted) for r in rows if r.predicted is not None]
    if predicted:
        axes.plot(*zip(*predicted, strict=True), "--", color=colour, linewidth=1)
        axes.plot([], [], "--", color="gray", linewidth=1, label="predicted")


def _rates(axes: Axes, steps: Sequence[float], rates: Sequence[Rate], colour: str, label: str) -> None:
    """Shares with their 95 % interval."""
    shares = [rate.hits / rate.cases for rate in rates]
    below = [share - rate.interval[0] for share, rate in zip(shares, rates, strict=True)]
    above = [rate.interval[1] - share for share, rate in zip(shares, rates, strict=True)]
    _curve(axes, steps, shares, (below, above), colour, label)


def _curve(
    axes: Axes,
    steps: Sequence[float],
    values: Sequence[float],
    errors: Sequence[float] | tuple[Sequence[float], Sequence[float]],
    colour: str,
    label: str,
) -> None:
    axes.errorbar(steps, values, errors, fmt="o-", color=colour, label=label, markersize=3, elinewidth=0.6)


if __name__ == "__main__":
    typer.run(plots)

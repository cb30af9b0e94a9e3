"""Learning curves of training runs: loss terms over tokens seen, as a table and a picture.

Run from the repository's root as `python -m benchmarks.learning NAME=log.jsonl ...`; `--picture` needs matplotlib.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer

from benchmarks.report import print_table
from editflow_trainer.training.logs import read_log

TERMS = ("operation", "gap", "count", "substitute", "insert")
Lines = list[dict[str, float]]


def learning(
    logs: Annotated[list[str], typer.Argument(metavar="NAME=LOG...")],
    tokens: Annotated[int, typer.Option(help="Most tokens of a step.")] = 8192,
    points: Annotated[int, typer.Option(min=2, help="Rows for each run.")] = 8,
    picture: Annotated[Path | None, typer.Option(help="Draw the curves, as SVG.")] = None,
) -> None:
    """Print nats an event, each row the mean of an equal part of the run."""
    runs = {name: read_log(Path(file)) for name, _, file in (log.partition("=") for log in logs)}
    rows = [(name, *cells) for name, lines in runs.items() for cells in _rows(lines, tokens, points)]
    print_table(("run", "M tokens", *TERMS), rows)
    if picture:
        draw({name: _parts(lines, 3 * points) for name, lines in runs.items()}, tokens, picture)


def _parts(lines: Lines, count: int) -> list[Lines]:
    count = min(count, len(lines))
    cuts = [len(lines) * i // count for i in range(count + 1)]
    return [lines[a:b] for a, b in pairwise(cuts)]


def _rows(lines: Lines, tokens: int, points: int) -> list[list[str]]:
    parts = _parts(lines, points)
    means = [[f"{fmean(line[term] for line in part):.3f}" for term in TERMS] for part in parts]
    return [
        [f"{part[-1]['step'] * tokens / 1e6:.1f}", *cells] for part, cells in zip(parts, means, strict=True)
    ]


def draw(runs: dict[str, list[Lines]], tokens: int, picture: Path) -> None:
    """A panel for the operations, one for the tokens."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "editflow", "font.size": 9}):
        figure = Figure((9, 3.4), layout="constrained")
        groups: Sequence[Sequence[str]] = (("operation", "gap"), ("substitute", "insert"))
        for axes, terms in zip(figure.subplots(1, 2), groups, strict=True):
            for name, parts in runs.items():
                seen = [part[-1]["step"] * tokens / 1e6 for part in parts]
                for term in terms:
                    axes.plot(seen, [fmean(line[term] for line in p) for p in parts], label=f"{name}: {term}")
            axes.set_xlabel("million tokens")
            axes.set_ylabel("nats an event")
            axes.grid(alpha=0.3)
            axes.legend()
        figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    typer.run(learning)

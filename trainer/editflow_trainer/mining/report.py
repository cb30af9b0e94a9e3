"""What was mined, for people: tables of repositories, filters and kinds of fixes, and a plot of the kinds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from rich.console import Console
from rich.table import Table

from editflow.errors import EditFlowError
from editflow_trainer.evaluation.statistics import Rate
from editflow_trainer.mining.reasons import Stage
from editflow_trainer.mining.store import Entry

_STAGES = ("commits", "files", "edits")


def print_report(entries: dict[str, Entry], console: Console) -> None:
    """Three tables: repositories, filters with shares of what each stage saw, kinds of fixes."""
    console.print(_repositories(entries), _filters(entries.values()))
    kinds = count_kinds(entries.values())
    if kinds:
        console.print(_kinds(kinds))


def count_kinds(entries: Collection[Entry]) -> Counter[str]:
    """How many fixes of Python functions there are of each kind."""
    return sum((entry.kinds for entry in entries), Counter[str]())


def plot_kinds(kinds: Counter[str], file: Path) -> None:
    """Draw the shares with 95 % intervals; the file's suffix decides its format.

    Raises:
        EditFlowError: nothing to draw, or matplotlib is not installed.
    """
    if not kinds:
        raise EditFlowError(f"no fix of a Python function was mined, so {file} was not drawn")
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise EditFlowError("--plot needs matplotlib; run pip install matplotlib") from error
    names = [name for name, _ in reversed(kinds.most_common())]
    rates = [Rate(kinds[name], kinds.total()) for name in names]
    shares = [rate.hits / rate.cases for rate in rates]
    below = [max(0.0, share - rate.interval[0]) for share, rate in zip(shares, rates, strict=True)]
    above = [max(0.0, rate.interval[1] - share) for share, rate in zip(shares, rates, strict=True)]
    figure = Figure(figsize=(7, 0.6 + 0.28 * len(names)), layout="constrained")
    axes = figure.subplots()
    axes.barh(names, shares, xerr=(below, above), color="#4878a8", error_kw={"linewidth": 0.8})
    axes.set_xlabel(f"share of {kinds.total()} fixes, with 95 % interval")
    figure.savefig(file)


def _repositories(entries: dict[str, Entry]) -> Table:
    table = Table("repository", "licence")
    for name in ("commits", "a second", "edits", "functions", "fixes"):
        table.add_column(name, justify="right")
    for name, entry in sorted(entries.items()):
        rate = f"{entry.commits.seen / entry.seconds:.0f}" if entry.seconds else "-"
        counts = (entry.edits.kept, entry.levels["function"], entry.kinds.total())
        licence = entry.licence.guess or entry.licence.file or "-"
        table.add_row(name, licence, str(entry.commits.seen), rate, *map(str, counts))
    return table


def _filters(entries: Collection[Entry]) -> Table:
    table = Table("stage", "filter")
    table.add_column("count", justify="right")
    table.add_column("share", justify="right")
    for name in _STAGES:
        total = Stage()
        for entry in entries:
            total.add(getattr(entry, name))
        rows = [("seen", total.seen), *total.dropped.most_common(), ("kept", total.kept)]
        for label, count in rows:
            share = f"{count / total.seen:.1%}" if total.seen else "-"
            table.add_row(name, label, str(count), share, end_section=label == "kept")
    return table


def _kinds(kinds: Counter[str]) -> Table:
    table = Table("kind of fix")
    for name in ("count", "share", "95 %"):
        table.add_column(name, justify="right")
    for kind, count in kinds.most_common():
        low, high = Rate(count, kinds.total()).interval
        table.add_row(kind, str(count), f"{count / kinds.total():.1%}", f"{low:.1%} to {high:.1%}")
    return table

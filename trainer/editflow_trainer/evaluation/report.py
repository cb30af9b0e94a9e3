"""What a suite found, as a table for people and as one JSON object for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby, pairwise
from typing import Any

from rich.console import Console
from rich.table import Table

from editflow_trainer.evaluation.statistics import Rate

PIPE_WIDTH = 120  # columns where there is no terminal to ask
MANY = 200  # cases from which a tenth of a per cent is shown
BOOTSTRAP = (
    "in brackets: 95 % by 10,000 resamples of whole clusters (repository, solution or function), which are too narrow "
    "for few clusters; where all clusters agree, as at 0 % and 100 %, Wilson's for independent cases"
)


@dataclass(frozen=True, slots=True)
class Row:
    """The cases of one kind, group or size, with their shares."""

    section: str
    name: str
    cases: int
    rates: Mapping[str, Rate]
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its shares and numbers."""
        return (*self.rates, *self.numbers)

    def cells(self) -> list[str]:
        """Its name, cases, shares with their intervals in per cent, and numbers."""
        numbers = [f"{number:.3g}" for number in self.numbers.values()]
        return [self.name, str(self.cases), *map(shown_rate, self.rates.values()), *numbers]

    def as_json(self) -> dict[str, Any]:
        """Plain values; shares and their ends are between 0 and 1, a share of no cases is null."""
        rates = {name: _rate_as_json(rate) for name, rate in self.rates.items()}
        return {
            "section": self.section,
            "name": self.name,
            "cases": self.cases,
            "rates": rates,
            "numbers": dict(self.numbers),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """One run of one suite."""

    suite: str
    model: str
    device: str
    date: str  # ISO 8601, UTC
    seconds: float
    settings: Mapping[str, str | int | bool | None]
    notes: tuple[str, ...]
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        return {
            "suite": self.suite,
            "model": self.model,
            "device": self.device,
            "date": self.date,
            "seconds": round(self.seconds, 1),
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "rows": [row.as_json() for row in self.rows],
        }

    def blocks(self) -> Iterator[list[Row]]:
        """Runs of rows that have the same columns; each is a table."""
        for _, rows in groupby(self.rows, key=lambda row: row.columns):
            yield list(rows)

    @property
    def heading(self) -> str:
        """What was measured, where and when."""
        baseline = self.settings.get("baseline")
        subject = f"baseline {baseline} ({self.model})" if baseline else self.model
        return f"{self.suite}: {subject} on {self.device}, {self.date}, {self.seconds:.0f} s"

    def print(self, console: Console) -> None:
        """A heading, the tables, and what a reader must know about them."""
        console.print(self.heading, highlight=False, markup=False)
        for rows in self.blocks():
            console.print(_table(rows))
        for note in (*self.notes, *interval_notes(self.rows)):
            console.print(note, highlight=False, markup=False)


def summary(reports: Sequence[Report]) -> Table:
    """The first row of each suite, one line for each of its measures."""
    table = Table("", "cases", "measure", "")
    for report in reports:
        first = report.rows[0]
        for place, (measure, rate) in enumerate(first.rates.items(), start=1):
            lead = (report.suite, str(first.cases)) if place == 1 else ("", "")
            last = place == len(first.rates)
            table.add_row(*lead, measure.replace("_", " "), shown_rate(rate), end_section=last)
    return table


def standard_output() -> Console:
    """The terminal, or a pipe that folds nothing."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPE_WIDTH)


@cache
def standard_error() -> Console:
    """One for the whole process, since only the live displays of one console nest."""
    return Console(stderr=True)


def shown_rate(rate: Rate) -> str:
    """Per cent with the 95 % interval in brackets."""
    if rate.value is None:
        return "-"
    low, high = rate.interval
    return f"{rate.value:.{_digits(rate)}%} ({low * 100:.0f}-{high * 100:.0f})"


def interval_notes(rows: Sequence[Row]) -> tuple[str, ...]:
    """Which intervals the rows have."""
    methods = {rate.method for row in rows for rate in row.rates.values()}
    return (BOOTSTRAP,) if "bootstrap" in methods else ()


def _digits(rate: Rate) -> int:
    """Per cent to one decimal where there are enough cases to tell."""
    return int(rate.cases >= MANY)


def _table(rows: Sequence[Row]) -> Table:
    table = Table("")
    for name in ("cases", *rows[0].columns):
        table.add_column(name.replace("_", " "), justify="right")
    for row, following in pairwise((*rows, None)):
        if row is not None:
            ends = following is not None and following.section != row.section
            table.add_row(*row.cells(), end_section=ends)
    return table


def _rate_as_json(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval
    return {
        "value": rate.value,
        "low": low,
        "high": high,
        "hits": rate.hits,
        "cases": rate.cases,
        "interval": rate.method,
    }

"""What a suite found, as a table for people and as one JSON object for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from rich.console import Console
from rich.table import Table

from editflow_trainer.evaluation.statistics import Rate

PIPE_WIDTH = 120  # columns where there is no terminal to ask


@dataclass(frozen=True, slots=True)
class Row:
    """The cases of one kind, group or size, with their shares."""

    section: str
    name: str
    cases: int
    rates: Mapping[str, Rate]
    numbers: Mapping[str, float] = field(default_factory=dict)

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
    """One run of one suite; all rows have the same rates and numbers."""

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

    def table(self) -> Table:
        """Per cent with the 95 % interval in brackets."""
        table = Table("")
        columns = (*self.rows[0].rates, *self.rows[0].numbers) if self.rows else ()
        for name in ("cases", *columns):
            table.add_column(name.replace("_", " "), justify="right")
        for row, following in pairwise((*self.rows, None)):
            if row is not None:
                ends = following is not None and following.section != row.section
                table.add_row(*_cells(row), end_section=ends)
        return table

    def print(self, console: Console) -> None:
        """A heading, the table, and what a reader must know about it."""
        baseline = self.settings.get("baseline")
        subject = f"baseline {baseline} ({self.model})" if baseline else self.model
        heading = f"{self.suite}: {subject} on {self.device}, {self.date}, {self.seconds:.0f} s"
        console.print(heading, highlight=False, markup=False)
        console.print(self.table())
        for note in self.notes:
            console.print(note, highlight=False, markup=False)


def standard_output() -> Console:
    """The terminal, or a pipe that folds nothing."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPE_WIDTH)


def _cells(row: Row) -> list[str]:
    numbers = [f"{number:.1f}" for number in row.numbers.values()]
    return [row.name, str(row.cases), *map(_shown, row.rates.values()), *numbers]


def _shown(rate: Rate) -> str:
    if rate.value is None:
        return "-"
    low, high = rate.interval
    return f"{rate.value:.0%} ({low * 100:.0f}-{high * 100:.0f})"


def _rate_as_json(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval
    return {"value": rate.value, "low": low, "high": high, "hits": rate.hits, "cases": rate.cases}

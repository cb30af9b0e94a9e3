"""What a suite found: rows for the table, and cases that a person may look at one by one."""

from __future__ import annotations

from dataclasses import dataclass

from editflow.request import Request
from editflow_trainer.evaluation.report import Row


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One case, and how it went."""

    name: str
    request: Request
    expected: str
    """The text that the document should have."""
    verdict: str
    right: bool
    proposed: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of one suite."""

    rows: list[Row]
    exhibits: list[Exhibit]
    notes: tuple[str, ...] = ()
    """What a reader must know beside what the settings say."""

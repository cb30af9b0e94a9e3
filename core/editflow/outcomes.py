"""What became of proposed hunks: kept on this machine only, and only where the person has asked a surface for it.

One file in the user's data folder, readable by its person alone, an object a line: `time` (Unix seconds), `path` (of
the file, absolute; null where there was none), `model` (which answered, with its adapter), `instruction`, `text`
(what the model was allowed to edit, as it was) and `hunks`, each with `start` and `end` in characters of that text,
`new`, `confidence` and `accepted`, which is null where nothing was decided.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE = "outcomes.jsonl"
MAX_BYTES = 64 * 1024 * 1024
"""Of the file; nothing is added beyond."""


@dataclass(frozen=True, slots=True)
class HunkOutcome:
    """One replacement that was proposed, and what a person thought of it."""

    start: int
    end: int
    new: str
    confidence: float
    accepted: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One proposal and what became of it."""

    path: str | None
    model: str | None
    instruction: str
    text: str
    hunks: tuple[HunkOutcome, ...]
    time: int = field(default_factory=lambda: round(time.time()))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Outcome:
        """KeyError, TypeError or ValueError if it is not the JSON of an outcome."""
        hunks = tuple(HunkOutcome(**hunk) for hunk in values["hunks"])
        if not all(0 <= hunk.start <= hunk.end <= len(values["text"]) for hunk in hunks):
            raise ValueError("a hunk lies outside its text")
        return cls(**(values | {"hunks": hunks}))


def outcomes_file() -> Path:
    """Where outcomes are kept."""
    from platformdirs import user_data_path

    return user_data_path("editflow") / FILE


def record(outcome: Outcome, file: Path | None = None) -> None:
    """Append an outcome, unless the file has grown to its limit. OSError where it cannot be written."""
    file = file or outcomes_file()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as lines:
        if lines.tell() < MAX_BYTES:
            lines.write(json.dumps(asdict(outcome)) + "\n")


def read_outcomes(file: Path | None = None) -> Iterator[Outcome | None]:
    """The outcomes in order, None for a line that is none; nothing where nothing was ever recorded."""
    try:
        lines = (file or outcomes_file()).open("rb")
    except FileNotFoundError:
        return
    with lines:
        for line in lines:
            yield _outcome(line)


def _outcome(line: bytes) -> Outcome | None:
    try:
        return Outcome.from_json(json.loads(line))
    except (KeyError, TypeError, ValueError, RecursionError):
        return None

"""Why something in a history is not mined, and how often: every candidate that is dropped has exactly one reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Name of a filter."""

    merge = "merge"
    """A commit with several parents."""
    revert = "revert"
    """A commit whose message says that it takes another one back."""
    bot = "bot"
    """A commit by a program, by its author's name."""
    too_many_files = "too_many_files"
    not_code = "not_code"
    """A file whose name is of no programming language in the table."""
    vendored = "vendored"
    """A file in a folder of other projects' code."""
    generated = "generated"
    """A file that a program wrote, by its name or by what its first lines say."""
    missing = "missing"
    """A file that a partial clone lacks."""
    not_text = "not_text"
    """Not UTF-8, or with zero bytes."""
    too_large = "too_large"
    """A file, or an edit, with too many characters or lines."""
    formatting_only = "formatting_only"
    """Layout or comments: equal syntax trees, or equal text but for white space."""
    does_not_parse = "does_not_parse"
    docstring_only = "docstring_only"
    secret = "secret"
    evaluation = "evaluation"
    """Like a text of the evaluation data to keep out."""
    duplicate = "duplicate"
    """The same edit was met before, but for white space, in this repository or another."""
    near_duplicate = "near_duplicate"


@dataclass(slots=True)
class Stage:
    """Candidates of one sort: how many were seen, and how many each filter dropped."""

    seen: int = 0
    dropped: Counter[Reason] = field(default_factory=Counter)

    @property
    def kept(self) -> int:
        """What no filter dropped."""
        return self.seen - self.dropped.total()

    def passes(self, reason: Reason | None) -> bool:
        """Count a candidate; whether it stays."""
        self.seen += 1
        if reason is not None:
            self.dropped[reason] += 1
        return reason is None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"seen": self.seen, "kept": self.kept, "dropped": dict(sorted(self.dropped.items()))}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Stage:
        """The reverse of `as_json`."""
        return cls(value["seen"], Counter({Reason(k): n for k, n in value["dropped"].items()}))

    def add(self, other: Stage) -> None:
        """Count the other's candidates too."""
        self.seen += other.seen
        self.dropped += other.dropped

"""Why an answer of a causal model is not used: every reason is counted, none is repaired by guessing."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What is wrong with an answer."""

    unfinished = "no end within the limit"
    malformed = "not in the form of the format"
    out_of_order = "hunks that overlap or go back"
    no_such_line = "a hunk beyond the last line"
    other_lines = "removed lines that are not there"
    not_text = "bytes that are not UTF-8"


class Refused(ValueError):
    """An answer that cannot be applied as it stands."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason

"""The values of bug injection: what kinds of bugs there are, one bug, and a text with bugs put in."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class BugKind(StrEnum):
    """What is wrong; each kind has one finder."""

    wrong_comparison = "wrong_comparison"
    wrong_binary_operator = "wrong_binary_operator"
    wrong_boolean_operator = "wrong_boolean_operator"
    wrong_augmented_operator = "wrong_augmented_operator"
    negation = "negation"
    variable_misuse = "variable_misuse"
    argument_swap = "argument_swap"
    wrong_literal = "wrong_literal"
    off_by_one = "off_by_one"
    wrong_attribute = "wrong_attribute"
    missing_not = "missing_not"
    extra_not = "extra_not"
    missing_return = "missing_return"
    missing_await = "missing_await"
    missing_self = "missing_self"
    missing_guard = "missing_guard"
    missing_argument = "missing_argument"
    extra_argument = "extra_argument"
    missing_call = "missing_call"
    missing_colon = "missing_colon"
    missing_bracket = "missing_bracket"
    extra_bracket = "extra_bracket"
    missing_quote = "missing_quote"
    missing_comma = "missing_comma"
    broken_keyword = "broken_keyword"
    misspelt_name = "misspelt_name"
    undefined_name = "undefined_name"
    missing_equals = "missing_equals"
    wrong_indentation = "wrong_indentation"


UNBOUND: frozenset[BugKind] = frozenset({BugKind.misspelt_name, BugKind.undefined_name})
"""The kinds that parse but read a name bound nowhere."""

UNPARSABLE: frozenset[BugKind] = frozenset(
    {
        BugKind.missing_colon,
        BugKind.missing_bracket,
        BugKind.extra_bracket,
        BugKind.missing_quote,
        BugKind.missing_comma,
        BugKind.broken_keyword,
        BugKind.missing_equals,
        BugKind.wrong_indentation,
    }
)
"""The kinds that are syntax errors."""

VISIBLE: frozenset[BugKind] = UNBOUND | UNPARSABLE
"""The kinds that a parser or a linter underlines."""


@dataclass(frozen=True, slots=True)
class Bug:
    """Characters `start` to `end` of the clean text, replaced; `message` asks for the fix."""

    kind: BugKind
    start: int
    end: int
    replacement: str
    message: str


@dataclass(frozen=True, slots=True)
class Injected:
    """A clean text, the same text with bugs, and the bugs: sorted, never touching each other."""

    clean: str
    buggy: str
    bugs: tuple[Bug, ...]

    @classmethod
    def apply(cls, clean: str, bugs: tuple[Bug, ...]) -> Self:
        """Put `bugs` (sorted by start, at least one character apart) into `clean`."""
        pieces: list[str] = []
        done = 0
        for bug in bugs:
            pieces += clean[done : bug.start], bug.replacement
            done = bug.end
        return cls(clean, "".join(pieces) + clean[done:], bugs)

    def fixes(self) -> tuple[tuple[int, int, str], ...]:
        """The exact inverse: (start, end, replacement) on the buggy text that together give the clean one."""
        fixes, shift = [], 0
        for bug in self.bugs:
            start = bug.start + shift
            fixes.append((start, start + len(bug.replacement), self.clean[bug.start : bug.end]))
            shift += len(bug.replacement) - (bug.end - bug.start)
        return tuple(fixes)

"""What a model is told beside the code: every kind of hint is measured by itself and in any combination."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from editflow.errors import EditFlowError

NONE = "none"


class Hint(StrEnum):
    """A kind of hint."""

    line = "line"
    """The lines from the first to the last that the right fix changes; no other may change."""
    diagnostic = "diagnostic"
    """What a parser and a name checker complain of."""
    message = "message"
    """What the commit, or the injected bug, says in words."""
    test = "test"
    """The failing assertion, as text."""


Hints = frozenset[Hint]
DEFAULT: Hints = frozenset({Hint.diagnostic})
TOLD: dict[Hint, str] = {
    Hint.line: "the lines to change, from the first to the last",
    Hint.diagnostic: "the complaints of the parser and the name checker",
    Hint.message: "a message that says what is wrong",
    Hint.test: "the text of the failing test",
}


def parse_hints(text: str) -> Hints:
    """`none`, or kinds joined by `+`; EditFlowError names the kinds where one is unknown."""
    if text == NONE:
        return frozenset()
    try:
        return frozenset(map(Hint, text.split("+")))
    except ValueError as error:
        known = ", ".join((NONE, *Hint))
        raise EditFlowError(f"--hint {text}: write one of {known}, or several joined by +") from error


def shown_hints(hints: Collection[Hint]) -> str:
    """The reverse of `parse_hints`."""
    return "+".join(hint for hint in Hint if hint in hints) or NONE


def told(hints: Collection[Hint]) -> str:
    """A sentence about what the model was given."""
    given = [words for hint, words in TOLD.items() if hint in hints]
    return f"the model was given {', and '.join(given)}" if given else "the model was given the code alone"

"""One complaint about a text, whoever makes it, and the name that it may suggest."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SUGGESTION = re.compile(r"Did you mean: '(\w+)'\?")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One complaint about `text[start:end]`, in characters; the range is empty only when the text is."""

    start: int
    end: int
    message: str
    source: str  # "python", "pyflakes" or the name an editor gave


def suggestion(message: str) -> str | None:
    """The name that an undefined-name complaint offers instead."""
    found = _SUGGESTION.search(message)
    return found[1] if found else None

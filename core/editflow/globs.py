"""Patterns of files to leave alone, as in a .gitignore, less its negation and escapes.

Without a slash, or with one at its end only, a pattern matches a name at any depth; with any other it starts at the
folder that patterns are relative to. `*` and `?` stay within a name, `**` is any number of folders, a slash at the end
asks for a folder. What matches a folder matches everything in it. Matching is polynomial, whoever wrote the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache
from pathlib import PurePath

MAX_PATTERNS = 256
MAX_LENGTH = 256

Name = Callable[[str], object]
"""Whether a name matches, by truth."""


def matches(patterns: Iterable[str], path: PurePath) -> bool:
    """Whether one of the patterns matches a file, whose path is relative to the folder that they are relative to."""
    return any(_reaches(_names(pattern), path.parts) for pattern in patterns)


def usable(given: list[object]) -> tuple[tuple[str, ...], list[str]]:
    """The usable patterns of a list that somebody wrote, and what is wrong with it in words."""
    patterns = given[:MAX_PATTERNS]
    wrong = [reason for pattern in patterns if (reason := _problem(pattern))]
    if len(given) > MAX_PATTERNS:
        wrong.append(f"has more than {MAX_PATTERNS} patterns; the rest is left out")
    return tuple(str(pattern) for pattern in patterns if not _problem(pattern)), wrong


def _problem(pattern: object) -> str | None:
    if not isinstance(pattern, str):
        return "has a pattern that is not a string"
    if not pattern.strip("/") or len(pattern) > MAX_LENGTH or not pattern.isprintable():
        return f"has a pattern that is empty, longer than {MAX_LENGTH} characters or not printable"
    if pattern.startswith("!"):
        return f"cannot take back with {pattern!r}; leave the pattern out"
    if "\\" in pattern:
        return f"has a backslash in {pattern!r}; write / between folders"
    if not {".", ".."}.isdisjoint(pattern.split("/")):
        return f"has a . or .. in {pattern!r}; patterns start at the folder itself"
    return None


@lru_cache(maxsize=4 * MAX_PATTERNS)
def _names(pattern: str) -> tuple[Name | None, ...]:
    """A pattern as one matcher a name of the path, None for any number of names."""
    names = [name for name in pattern.split("/") if name]
    if "/" not in pattern.rstrip("/"):
        names.insert(0, "**")
    if names[-1] == "**":
        names.append("*")
    if pattern.endswith("/"):
        names += ["**", "*"]
    return tuple(None if name == "**" else _name(name) for name in names)


def _name(pattern: str) -> Name:
    return re.compile(translate(pattern.replace("[^", "[!"))).match


def _reaches(names: tuple[Name | None, ...], parts: tuple[str, ...]) -> bool:
    """Whether the names match the path or a folder above: all ways at once, each a place among the names."""
    places = _with_skips({0}, names)
    for part in parts:
        ahead = {place + 1 for place in places if (name := names[place]) is not None and name(part)}
        places = _with_skips(ahead | {place for place in places if names[place] is None}, names)
        if len(names) in places:
            return True
    return False


def _with_skips(places: set[int], names: tuple[Name | None, ...]) -> set[int]:
    """The places, and those behind any number of names that may be none."""
    reached = set(places)
    for place in places:
        while place < len(names) and names[place] is None:
            place += 1
            reached.add(place)
    return reached

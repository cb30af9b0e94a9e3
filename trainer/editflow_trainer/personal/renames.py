"""Edits that their message spells out, made from a repository's own code: one name is another, and the message says so.

A history has few edits whose message names what comes in, and each in words of its own; these teach a model to read
both names off the message and to change every place, in the names that this repository uses.
"""

from __future__ import annotations

import io
import keyword
import random
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import PurePosixPath

from editflow.document import split_lines
from editflow_trainer.mining.edits import Level, MinedEdit
from editflow_trainer.sources import SourceFunction

MESSAGES = (
    "Rename {old} to {new}",
    "Rename `{old}` to `{new}`",
    "{old} is now {new}",
    "{old} -> {new}",
    "Use {new} instead of {old}",
    "Use `{new}` instead of `{old}`",
    "Use {new}",
    "Use `{new}` in {name}",
    "Switch from {old} to {new}",
    "Switch to {new}",
    "Replace {old} with {new}",
    "Replace `{old}` by `{new}`",
    "Change {old} to {new} in {name}",
    "Fix {name}: {new}, not {old}",
    "{stem}: use {new}",
    "Adapt to the new name of {old}, {new}",
)
LEAST = 3
"""Characters of a name that is exchanged."""
_BOUND = {"self", "cls", "None", "True", "False"}
Span = tuple[int, int]


def renames(functions: Sequence[SourceFunction], count: int, seed: int) -> Iterator[MinedEdit]:
    """At most `count` edits whose right side is one of the functions, drawn by the seed."""
    rng = random.Random(seed)
    pool = _Names(functions)
    chosen = rng.sample(functions, min(count, len(functions)))
    for function in chosen:
        if edit := _rename(function, pool, rng):
            yield edit


def names_in(text: str) -> dict[str, list[Span]]:
    """The names in a function's text with their places in characters; empty where it cannot be read."""
    starts = list(accumulate(map(len, split_lines(text)), initial=0))
    found: dict[str, list[Span]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME and _is_exchangeable(token.string):
                place = starts[token.start[0] - 1] + token.start[1]
                found.setdefault(token.string, []).append((place, place + len(token.string)))
    except (tokenize.TokenError, SyntaxError):
        return {}
    return found


class _Names:
    """The names of a repository by the way they are written."""

    def __init__(self, functions: Iterable[SourceFunction]) -> None:
        self._by_style: dict[str, list[str]] = {}
        for name in sorted({name for function in functions for name in names_in(function.text)}):
            self._by_style.setdefault(_style(name), []).append(name)

    def other(self, name: str, rng: random.Random) -> str | None:
        """Another name for the same thing: one word more or less, or any name written alike."""
        words = name.split("_")
        if len(words) > 1 and rng.random() < 0.5:
            words.pop(rng.randrange(len(words)))
            return "_".join(words) or None
        return rng.choice(self._by_style.get(_style(name), [name]))


def _rename(function: SourceFunction, pool: _Names, rng: random.Random) -> MinedEdit | None:
    """The function with one of its names exchanged; None where it has none, or the other name is in it too."""
    found = names_in(function.text)
    if not found:
        return None
    new = rng.choice(sorted(found))
    old = pool.other(new, rng)
    if old is None or old in found or not _is_exchangeable(old):
        return None
    stem = PurePosixPath(function.path).stem
    message = rng.choice(MESSAGES).format(old=old, new=new, name=function.name, stem=stem)
    before = _replaced(function.text, found[new], old)
    scope = ".".join([*_classes(function.header), function.name])
    return MinedEdit(
        before=before,
        after=function.text,
        repository=function.package,
        commit="",
        date=0,
        path=function.path,
        language="python",
        level=Level.function,
        scope=scope,
        line=1,
        message=message,
    )


def _replaced(text: str, spans: Sequence[Span], new: str) -> str:
    for start, end in reversed(spans):
        text = text[:start] + new + text[end:]
    return text


def _classes(header: str) -> list[str]:
    """The names of the class statements around a function."""
    lines = (line.split() for line in header.splitlines())
    return [words[1].partition("(")[0].rstrip(":") for words in lines if words[:1] == ["class"]]


def _is_exchangeable(name: str) -> bool:
    reserved = keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _BOUND
    return len(name) >= LEAST and name.isidentifier() and not reserved and not name.startswith("__")


def _style(name: str) -> str:
    """Constant, class, or other."""
    plain = name.strip("_")
    return "constant" if plain.isupper() else "class" if plain[:1].isupper() else "other"

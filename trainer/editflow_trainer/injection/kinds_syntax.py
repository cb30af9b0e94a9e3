"""Bugs that a parser refuses: a lost colon, bracket, quote or comma, a mistyped keyword, a shifted line."""

import keyword
import random
import tokenize
from collections.abc import Iterator

from editflow_trainer.injection.edit import Edit, shuffled
from editflow_trainer.injection.source import Source, Token
from editflow_trainer.injection.typo import mistype

_OPENING = "([{"
_CLOSING = ")]}"


def missing_colon(source: Source, rng: random.Random) -> Iterator[Edit]:
    """The colon of a block, less often that of a dictionary or a lambda."""
    colons = _operators(source, ":")
    ends = [token for token in colons if source.text[token.end : token.end + 1] in ("\n", "")]
    yield from _deleted(rng, ends if ends and rng.random() < 0.8 else colons)


def missing_comma(source: Source, rng: random.Random) -> Iterator[Edit]:
    """A comma between two elements."""
    yield from _deleted(rng, _operators(source, ","))


def missing_bracket(source: Source, rng: random.Random) -> Iterator[Edit]:
    """One bracket of a pair, more often the closing one."""
    wanted = _CLOSING if rng.random() < 0.65 else _OPENING
    yield from _deleted(rng, _operators(source, wanted))


def extra_bracket(source: Source, rng: random.Random) -> Iterator[Edit]:
    """A bracket typed twice, or one of the wrong shape."""
    for token in shuffled(rng, _operators(source, _OPENING + _CLOSING)):
        shapes = _OPENING if token.string in _OPENING else _CLOSING
        if rng.random() < 0.75:
            yield Edit(token.end, token.end, token.string, token.string)
        else:
            wrong = rng.choice([shape for shape in shapes if shape != token.string])
            yield Edit(token.start, token.end, wrong, token.string)


def missing_quote(source: Source, rng: random.Random) -> Iterator[Edit]:
    """The opening or the closing quote of a string on one line."""
    heads = {token.start for token in source.line_heads}
    for token in shuffled(rng, [t for t in source.tokens if t.type == tokenize.STRING]):
        prefix = len(token.string) - len(token.string.lstrip("rRbBuUfFtT"))
        if token.start in heads or token.string[prefix : prefix + 3] in ('"""', "'''"):
            continue
        at = token.end - 1 if rng.random() < 0.65 else token.start + prefix
        yield Edit(at, at + 1, "", source.text[at])


def broken_keyword(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`retrun`, `whlie`, `else if`."""
    places: dict[str, list[Token]] = {}
    for token in source.tokens:
        if keyword.iskeyword(token.string) and token.string not in ("True", "False", "None"):
            places.setdefault(token.string, []).append(token)
    for word in shuffled(rng, list(places)):
        token = rng.choice(places[word])
        wrong = mistype(token.string, rng)
        if token.string == "elif" and rng.random() < 0.4:
            wrong = rng.choice(("else if", "elseif"))
        if wrong != token.string:
            yield Edit(token.start, token.end, wrong, token.string)


def wrong_indentation(source: Source, rng: random.Random) -> Iterator[Edit]:
    """A line shifted by a few spaces to where no block is."""
    for token in shuffled(rng, [t for t in source.line_heads[1:] if t.type != tokenize.STRING]):
        start = source.line_start(token.start)
        width = token.start - start
        if source.text[start : token.start].strip(" "):
            continue
        wrong = max(0, width + rng.choice((-4, -2, -1, -1, 1, 1, 2, 4)))
        if wrong != width:
            yield Edit(start, token.start, " " * wrong)


def _operators(source: Source, wanted: str) -> list[Token]:
    return [token for token in source.tokens if token.type == tokenize.OP and token.string in wanted]


def _deleted(rng: random.Random, tokens: list[Token]) -> Iterator[Edit]:
    for token in shuffled(rng, tokens):
        yield Edit(token.start, token.end, "", token.string)

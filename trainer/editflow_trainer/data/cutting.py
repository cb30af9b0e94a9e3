"""Which lines of a long function are editable, with the rest as context: only line-aligned cuts are made."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate

from editflow.document import split_lines
from editflow.tokens import CodeTokenizer


@dataclass(frozen=True, slots=True)
class Cut:
    """Lines first to last (0-based, last exclusive) of a text; each line keeps its newline."""

    lines: tuple[str, ...]
    first: int
    last: int

    @property
    def text(self) -> str:
        """The lines inside."""
        return "".join(self.lines[self.first : self.last])

    @property
    def before(self) -> str:
        """The lines above."""
        return "".join(self.lines[: self.first])

    @property
    def after(self) -> str:
        """The lines below."""
        return "".join(self.lines[self.last :])


def cut(
    text: str, tokenizer: CodeTokenizer, most: int, rng: random.Random, changed: tuple[int, int] | None = None
) -> Cut | None:
    """Lines of at most `most` tokens that hold the `changed` ones, more of them drawn above and below.

    Without `changed` any line may be in. None where the changed lines alone are too long.
    """
    lines = tuple(split_lines(text))
    sizes = _line_tokens(lines, tokenizer)
    if sum(sizes) <= most:
        return Cut(lines, 0, len(lines))
    at = rng.randrange(len(lines))
    first, last = changed or (at, at + 1)
    left = most - sum(sizes[first:last])
    if left < 0:
        return None
    above = int(left * rng.random())
    for budget in (above, most):  # what the lines below leave goes to those above
        spent = _fitting(sizes[:first][::-1], min(budget, left))
        first, left = first - spent, left - sum(sizes[first - spent : first])
        spent = _fitting(sizes[last:], left)
        last, left = last + spent, left - sum(sizes[last : last + spent])
    return Cut(lines, first, last)


def _fitting(sizes: list[int], budget: int) -> int:
    """How many of the first lines fit."""
    return sum(total <= budget for total in accumulate(sizes))


def _line_tokens(lines: tuple[str, ...], tokenizer: CodeTokenizer) -> list[int]:
    """Tokens of each line by itself; a few more than in the whole text, where indentation joins the newline."""
    return [len(ids) for ids in tokenizer.encode_batch(list(lines))]

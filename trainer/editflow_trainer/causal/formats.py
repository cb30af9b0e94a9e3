"""The two languages in which a causal model answers: the whole region anew, or a diff of its lines.

A prompt is the window as the flow sees it, `<bos> context <edit> region <after> text <eos>`; the answer follows,
and `<eos>` ends it. What the flow is told by a role, a causal model is told by a token: MARK stands before and
after every underlined run.

The diff is a unified diff without context lines, in reserved tokens and text: `NUMBER n REMOVED lines ADDED lines`
for each hunk, nothing where nothing changes. So that a line's number is read and not counted, the prompt has
`NUMBER n` before each line too. A line ends with the token that holds its newline; that token may also hold blank
lines and the indentation of the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import accumulate
from typing import Protocol

from editflow.canvas import FIRST_TEXT_ID
from editflow.tokens import SPECIAL_TOKENS, CodeTokenizer
from editflow_trainer.causal.line_diff import Line, LineHunk, apply_hunks, line_hunks, split_lines
from editflow_trainer.causal.parts import Parts
from editflow_trainer.causal.refusal import Reason, Refused

MARK, NUMBER, REMOVED, ADDED = (SPECIAL_TOKENS.index(f"<reserved{i}>") for i in range(4))
MAX_DIGITS = 6


class FormatName(StrEnum):
    """How an answer is written."""

    rewrite = "rewrite"
    diff = "diff"


class Format(Protocol):
    """What an answer looks like; neither side holds the `<eos>` at its end."""

    def prompt(self, parts: Parts) -> list[int]:
        """Tokens that the answer follows."""

    def write(self, parts: Parts, target: list[int]) -> list[int]:
        """The answer that turns the editable tokens into `target`."""

    def read(self, parts: Parts, answer: list[int]) -> list[int]:
        """The tokens that an answer turns the editable ones into; Refused where it does not apply."""


class Rewrite:
    """All tokens of the fixed region."""

    def prompt(self, parts: Parts) -> list[int]:
        """The window with its marks."""
        return [*parts.head, *_region(parts, {}), *parts.tail]

    def write(self, parts: Parts, target: list[int]) -> list[int]:
        """The target itself."""
        return target

    def read(self, parts: Parts, answer: list[int]) -> list[int]:
        """The answer itself, if it is text."""
        if any(token < FIRST_TEXT_ID for token in answer):
            raise Refused(Reason.malformed)
        return answer


class Diff:
    """The lines that change, by number."""

    def __init__(self, tokenizer: CodeTokenizer) -> None:
        self.tokenizer = tokenizer

    def prompt(self, parts: Parts) -> list[int]:
        """The window with its marks and a number before each line."""
        lines = self._lines(parts.editable)
        starts = accumulate((len(line) for line in lines[:-1]), initial=0)
        labels = {start: self._label(number) for number, start in enumerate(starts, 1)} if lines else {}
        return [*parts.head, *_region(parts, labels), *parts.tail]

    def write(self, parts: Parts, target: list[int]) -> list[int]:
        """The hunks in order; nothing where nothing changes."""
        answer: list[int] = []
        for hunk in line_hunks(self._lines(parts.editable), self._lines(target)):
            removed, added = (token_run(lines) for lines in (hunk.removed, hunk.added))
            answer += [*self._label(hunk.number), REMOVED, *removed, ADDED, *added]
        return answer

    def read(self, parts: Parts, answer: list[int]) -> list[int]:
        """Apply the hunks, each to exactly the lines that it names."""
        ends = self.tokenizer.line_ends
        return apply_hunks(self._hunks(answer), self._lines(parts.editable), ends)

    def _lines(self, tokens: list[int]) -> list[Line]:
        return split_lines(tokens, self.tokenizer.line_ends)

    def _label(self, number: int) -> list[int]:
        return [NUMBER, *self.tokenizer.encode(str(number)).ids]

    def _hunks(self, answer: list[int]) -> Iterator[LineHunk]:
        """Hunks of an answer; Refused where it is not a sequence of `NUMBER n REMOVED lines ADDED lines`."""
        pieces = list(_pieces(answer))
        if [marker for marker, _ in pieces] != [NUMBER, REMOVED, ADDED] * (len(pieces) // 3):
            raise Refused(Reason.malformed)
        for i in range(0, len(pieces), 3):
            number, removed, added = (tokens for _, tokens in pieces[i : i + 3])
            yield LineHunk(self._number(number), tuple(self._lines(removed)), tuple(self._lines(added)))

    def _number(self, tokens: list[int]) -> int:
        digits = b"".join(map(self.tokenizer.token_bytes, tokens))
        if not digits.isdigit() or digits.startswith(b"0") or len(digits) > MAX_DIGITS:
            raise Refused(Reason.malformed)
        return int(digits)


def make_format(name: FormatName, tokenizer: CodeTokenizer) -> Format:
    """The format of this name."""
    return Rewrite() if name is FormatName.rewrite else Diff(tokenizer)


def token_run(lines: tuple[Line, ...]) -> Iterator[int]:
    """The tokens of lines, one after the other."""
    return (token for line in lines for token in line)


def _region(parts: Parts, labels: Mapping[int, list[int]]) -> Iterator[int]:
    """The editable tokens, `labels[i]` before token i, and MARK where an underlined run starts and where it ends."""
    underlined = False
    for i, (token, marked) in enumerate(zip(parts.editable, parts.marked, strict=True)):
        if underlined and not marked:
            yield MARK
        yield from labels.get(i, ())
        if marked and not underlined:
            yield MARK
        yield token
        underlined = marked
    if underlined:
        yield MARK


def _pieces(answer: list[int]) -> Iterator[tuple[int, list[int]]]:
    """Each special token of an answer with the text tokens after it; text before the first has the marker -1."""
    marker, tokens = -1, list[int]()
    for token in answer:
        if token >= FIRST_TEXT_ID:
            tokens.append(token)
            continue
        if marker >= 0 or tokens:
            yield marker, tokens
        marker, tokens = token, []
    if answer:
        yield marker, tokens

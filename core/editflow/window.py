"""The part of a document that the model sees: frozen context around one editable region, as tokens.

A row reads `<bos> <file> name <diagnostic> message ... <edit> editable text <after> text <eos>`. Every part of
the context is optional and cut to its own budget; training drops each at random, so any subset works.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from editflow.canvas import BOS, EOS, Role
from editflow.diagnostic import Diagnostic, suggestion
from editflow.tokens import SPECIAL_TOKENS, CodeTokenizer

FILE, DIAGNOSTIC, INSTRUCTION, IMPORTS, SCOPE, BEFORE, EDIT, AFTER = MARKERS = tuple(
    SPECIAL_TOKENS.index(name)
    for name in (
        "<file>",
        "<diagnostic>",
        "<instruction>",
        "<imports>",
        "<scope>",
        "<before>",
        "<edit>",
        "<after>",
    )
)
BUDGETS = {FILE: 16, DIAGNOSTIC: 32, INSTRUCTION: 48, IMPORTS: 64, SCOPE: 32, BEFORE: 48, AFTER: 32}
"""Most tokens of each part; what is nearest to the editable region is kept."""
LONGEST_TOKEN = 40
"""Characters: context beyond this many a token of its budget is not even tokenised."""
MAX_DIAGNOSTICS = 4
EDITABLE_TOKENS = 320
"""Longest editable region that training sees."""


@dataclass(frozen=True, slots=True)
class Window:
    """An editable region and its context; `text` uses "\\n" line ends only."""

    text: str
    diagnostics: tuple[Diagnostic, ...] = ()
    """Ranges are characters of `text`."""
    file: str = ""
    instruction: str = ""
    imports: str = ""
    scope: str = ""
    before: str = ""
    after: str = ""
    pointed: tuple[int, int] | None = field(default=None, kw_only=True)
    """Characters of `text` that a person points at as wrong."""


@dataclass(frozen=True, slots=True)
class WindowTokens:
    """A window as one row of tokens."""

    ids: list[int]
    roles: list[int]
    segments: list[int]
    """The marker id of the context part that a token belongs to; 0 for what is never dropped."""
    start: int
    """Index of the first editable token."""
    spans: list[tuple[int, int]]
    """Character range in the window's text of each editable token."""

    @property
    def end(self) -> int:
        """Index after the last editable token."""
        return self.start + len(self.spans)


def encode_window(window: Window, tokenizer: CodeTokenizer) -> WindowTokens:
    """Tokenise a window, mark what is underlined or pointed at, and cut each context part to its budget."""
    parts = [(FILE, window.file)]
    parts += [(DIAGNOSTIC, _worded(d.message)) for d in window.diagnostics[:MAX_DIAGNOSTICS]]
    parts += [(INSTRUCTION, window.instruction), (IMPORTS, window.imports)]
    parts += [(SCOPE, window.scope), (BEFORE, window.before)]
    ids, segments = [BOS], [0]
    for marker, text in parts:
        if text:
            tokens = _cut(text, marker, tokenizer)
            ids += [marker, *tokens]
            segments += [marker] * (1 + len(tokens))
    editable = tokenizer.encode(window.text)
    start = len(ids) + 1
    after = _cut(window.after, AFTER, tokenizer) if window.after else []
    tail = [AFTER, *after, EOS] if after else [EOS]
    marked = [(d.start, d.end) for d in window.diagnostics[:MAX_DIAGNOSTICS]]
    marked += [window.pointed] if window.pointed else []
    roles = [int(Role.CONTEXT)] * start + mark_tokens(editable.spans, marked)
    roles += [int(Role.CONTEXT)] * len(tail)
    segments += [0] * (1 + len(editable.ids)) + [AFTER] * (len(tail) - 1) + [0]
    return WindowTokens([*ids, EDIT, *editable.ids, *tail], roles, segments, start, editable.spans)


def mark_tokens(spans: list[tuple[int, int]], marked: list[tuple[int, int]]) -> list[int]:
    """Role of each editable token: MARKED where a marked range touches its span, else ORIGINAL."""
    roles = [int(Role.ORIGINAL)] * len(spans)
    for first, last in marked:
        for i, (start, end) in enumerate(spans):
            if start < max(last, first + 1) and first < end:
                roles[i] = int(Role.MARKED)
    return roles


def _worded(message: str) -> str:
    """The message without line numbers, which count from the file's top while a window starts anywhere.

    A suggested name is repeated after a space: names have two first tokens, and either may be copied.
    """
    message = re.sub(r" \(detected at line \d+\)| on line \d+", "", message)
    name = suggestion(message)
    return f"{message} {name}" if name else message


def _cut(text: str, marker: int, tokenizer: CodeTokenizer) -> list[int]:
    """The last tokens of what precedes the region, the first ones of everything else."""
    budget = BUDGETS[marker]
    most = budget * LONGEST_TOKEN
    if marker == BEFORE:
        return tokenizer.encode(text[-most:]).ids[-budget:]
    return tokenizer.encode(text[:most]).ids[:budget]

"""From a window, as the engine encodes it, to the parts that an example keeps: so training sees what inference sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from editflow.canvas import Role
from editflow.diagnostic import Diagnostic
from editflow.tokens import CodeTokenizer
from editflow.window import (
    AFTER,
    BEFORE,
    DIAGNOSTIC,
    FILE,
    IMPORTS,
    SCOPE,
    Window,
    WindowTokens,
    encode_window,
)
from editflow_trainer.data.example import Complaint
from editflow_trainer.data.row import Ids

CONTEXT = (FILE, IMPORTS, SCOPE, BEFORE, AFTER)


def ids_of(tokens: list[int]) -> Ids:
    """Tokens as an array."""
    return np.array(tokens, np.int32)


def editable(tokens: WindowTokens) -> list[int]:
    """The ids of the editable region."""
    return tokens.ids[tokens.start : tokens.end]


def parts(tokens: WindowTokens) -> dict[int, list[int]]:
    """The ids of each part of the context, by marker, without the marker."""
    found: dict[int, list[int]] = {}
    for token, segment in zip(tokens.ids, tokens.segments, strict=True):
        if segment and token != segment:
            found.setdefault(segment, []).append(token)
    return found


def make_context(window: Window, tokenizer: CodeTokenizer) -> tuple[tuple[int, Ids], ...]:
    """The parts of an example's context that the window has."""
    found = parts(encode_window(window, tokenizer))
    return tuple((marker, ids_of(found[marker])) for marker in CONTEXT if marker in found)


def make_complaints(
    window: Window, diagnostics: Iterable[Diagnostic], tokenizer: CodeTokenizer, origin: int = 0
) -> tuple[Complaint, ...]:
    """Diagnostics of the window's text in tokens counted from `origin`; those that underline nothing are left out."""
    found = []
    for diagnostic in diagnostics:
        tokens = encode_window(replace(window, diagnostics=(diagnostic,)), tokenizer)
        marked = [i for i, role in enumerate(tokens.roles) if role == Role.MARKED]
        if marked and (message := parts(tokens).get(DIAGNOSTIC)):
            start, end = (place - tokens.start - origin for place in (marked[0], marked[-1] + 1))
            found.append(Complaint(ids_of(message), start, end))
    return tuple(found)

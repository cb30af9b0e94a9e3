"""From windows to canvases and back: rows for the model, and the text edits that a finished canvas stands for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import torch

from editflow.canvas import Canvas
from editflow.pieces import Pieces, TextEdit
from editflow.tokens import CodeTokenizer
from editflow.window import WindowTokens


def canvas_of(
    windows: Sequence[WindowTokens],
    strictness: Sequence[float] = (),
    temperature: Sequence[float] = (),
    branch: Sequence[int] = (),
) -> Canvas:
    """One row a window, on the CPU; what is given per row explores (see Canvas), what is not does not."""
    canvas = Canvas.from_rows([(window.ids, window.roles) for window in windows])
    if strictness:
        canvas.strictness.copy_(torch.tensor(strictness))
    if temperature:
        canvas.temperature.copy_(torch.tensor(temperature))
    if branch:
        canvas.branch.copy_(torch.tensor(branch))
    return canvas


def read_edits(row: Canvas, source: WindowTokens, tokenizer: CodeTokenizer) -> list[TextEdit]:
    """Edits of the window's text that a one-row canvas stands for, each with the product of its probabilities.

    Empty where the row's bytes are not UTF-8, or where an edit would cut a character in two.
    """
    ids, origin = row.ids[0].tolist(), row.origin[0].tolist()
    sure, gap = row.confidence[0].tolist(), row.gap_confidence[0].tolist()
    kept = [i for i, at in enumerate(origin) if at >= 0 and ids[i] == source.ids[at]]
    edits: list[TextEdit] = []
    try:
        for left, right in pairwise(kept):
            if right == left + 1 and origin[right] == origin[left] + 1:
                continue
            probability = gap[left] * prod(sure[i] * gap[i] for i in range(left + 1, right))
            start, end = _offset(source, origin[left] + 1), _offset(source, origin[right])
            edits.append((start, end, tokenizer.decode(ids[left + 1 : right]), probability))
        written = tokenizer.decode(ids[origin.index(source.start - 1) + 1 : origin.index(source.end)])
    except UnicodeDecodeError:
        return []
    text = tokenizer.decode(source.ids[source.start : source.end])
    return edits if Pieces.of(text).edited(edits).text == written else []


def _offset(source: WindowTokens, index: int) -> int:
    """Character offset where the source token at this row index starts."""
    place = index - source.start
    if place <= 0 or not source.spans:
        return 0
    return source.spans[place][0] if place < len(source.spans) else source.spans[-1][1]

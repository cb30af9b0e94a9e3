"""Cases for raw samplers: windows over held-out functions, with one visible bug or none, and their right tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
from rapidfuzz.distance import Levenshtein

from editflow.canvas import Canvas
from editflow.errors import EditFlowError
from editflow.readout import canvas_of
from editflow.scopes import place_windows
from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS, WindowTokens, encode_window
from editflow_trainer.evaluation.case import Case, Settings, read_pool
from editflow_trainer.evaluation.clean import draw_clean
from editflow_trainer.evaluation.injected import Stratum, draw
from editflow_trainer.injection import VISIBLE

BATCH = 16
"""Most rows of a canvas."""
SPARE = 2
"""Cases drawn for each one asked for: some need several windows."""
BUGS = Stratum("visible", VISIBLE, range(1, 2))


@dataclass(frozen=True, slots=True)
class Pair:
    """A window as tokens, and what its editable text should become."""

    source: WindowTokens
    target: bytes
    target_ids: list[int]

    def tokens_of(self, row: Canvas) -> list[int]:
        """The editable ids of this window's row, a canvas [1, L], after sampling."""
        ids, origin = row.ids[0].tolist(), row.origin[0].tolist()
        return list(ids[origin.index(self.source.start - 1) + 1 : origin.index(self.source.end)])

    def spurious(self, ids: Sequence[int]) -> int:
        """Token edits from the source to these editable ids, as few as explain them."""
        return Levenshtein.distance(self.source.ids[self.source.start : self.source.end], ids)

    def distance(self, ids: Sequence[int]) -> int:
        """Token edits from these editable ids to the target's."""
        return Levenshtein.distance(ids, self.target_ids)


def buggy_pairs(settings: Settings, tokenizer: CodeTokenizer, count: int) -> list[Pair]:
    """Functions with one injected bug of a visible kind, and its diagnostics unless the settings say none.

    Raises:
        EditFlowError: there are no functions, or too few that fit into one window.
    """
    more = replace(settings, limit=SPARE * count)
    cases = draw(BUGS, read_pool(more), more, lambda text: _fits(text, tokenizer))
    return _first(count, cases, tokenizer)


def clean_pairs(settings: Settings, tokenizer: CodeTokenizer, count: int) -> list[Pair]:
    """Functions as they are; errors as `buggy_pairs`."""
    more = replace(settings, limit=SPARE * count)
    return _first(count, draw_clean(more, lambda text: _fits(text, tokenizer)), tokenizer)


def canvases(pairs: Sequence[Pair], device: torch.device) -> list[Canvas]:
    """The pairs in their order, at most BATCH rows each."""
    starts = range(0, len(pairs), BATCH)
    return [canvas_of([pair.source for pair in pairs[at : at + BATCH]]).to(device) for at in starts]


def pair_of(case: Case, tokenizer: CodeTokenizer) -> Pair | None:
    """The case's only window; None where it needs several, or where something outside of it has to change."""
    request = case.request
    text, path = request.document.text, request.document.path
    placed = place_windows(
        text,
        tokenizer,
        file=path.name if path else "",
        lines=request.lines,
        diagnostics=request.diagnostics or (),
    )
    if len(placed) != 1:
        return None
    window, start = placed[0].window, placed[0].start
    end = start + len(window.text)
    target = case.expected[start : len(case.expected) - len(text[end:])]
    whole = text[start:end] == window.text and text[:start] + target + text[end:] == case.expected
    return (
        Pair(encode_window(window, tokenizer), target.encode(), tokenizer.encode(target).ids)
        if whole
        else None
    )


def _fits(text: str, tokenizer: CodeTokenizer) -> bool:
    return len(tokenizer.encode(text).ids) <= EDITABLE_TOKENS


def _first(count: int, cases: Iterable[Case], tokenizer: CodeTokenizer) -> list[Pair]:
    """The first pairs, sorted by length so that a canvas holds little padding."""
    pairs = (pair_of(case, tokenizer) for case in cases)
    found = list(islice((pair for pair in pairs if pair is not None), count))
    if len(found) < count:
        raise EditFlowError(f"the data gives only {len(found)} functions of one window: ask for fewer cases")
    return sorted(found, key=lambda pair: len(pair.source.ids))

"""Dense supervision: random masks, tokens and spans on top of the typed bugs of a row.

One bug a function supervises one token of a hundred and teaches almost nothing in a short training. Placeholders
that must be refilled teach the language through the same head that fills insertions; random substitutions,
deleted spans and stray tokens teach the operations. Context parts are dropped here too, each on its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from editflow.canvas import FIRST_TEXT_ID, PLACEHOLDER, Role
from editflow.process.base import BLANK
from editflow.window import AFTER, BEFORE, DIAGNOSTIC, FILE, IMPORTS, INSTRUCTION, SCOPE
from editflow_trainer.shards import Ids, Row

Rng = np.random.Generator
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NoiseConfig:
    """How much of what; probabilities are per row unless they say otherwise."""

    mask_rows: float = 0.7
    """Rows of which some tokens become placeholders."""
    mask_most: float = 0.3
    """Largest share of a row's tokens that become placeholders; the share is uniform up to it."""
    mask_span: float = 3.0
    """Mean length of a masked span, in tokens."""
    corrupt_rows: float = 0.35
    """Buggy rows that also get random edits; clean rows never do."""
    corrupt_tokens: float = 0.02
    """Mean share of tokens replaced in such a row."""
    spans: float = 1.5
    """Mean number of deleted, and of stray, spans in such a row."""
    span_length: float = 2.0
    """Mean length of such a span."""
    vocabulary: int = 4096
    """Random tokens that are not from the row come from the ids below this one: the frequent ones."""
    drop_file: float = 0.3
    drop_diagnostic: float = 0.3
    drop_instruction: float = 0.6
    drop_imports: float = 0.75
    drop_scope: float = 0.3
    drop_around: float = 0.3


def drop_context(row: Row, config: NoiseConfig, rng: Rng) -> Row:
    """Leave out context parts at random; without its diagnostics a row has no underlined tokens either."""
    chances = {
        FILE: config.drop_file,
        DIAGNOSTIC: config.drop_diagnostic,
        INSTRUCTION: config.drop_instruction,
        IMPORTS: config.drop_imports,
        SCOPE: config.drop_scope,
        BEFORE: config.drop_around,
        AFTER: config.drop_around,
    }
    dropped = [marker for marker, chance in chances.items() if rng.random() < chance]
    keep = ~np.isin(row.segment, dropped)
    role = row.role[keep]
    if DIAGNOSTIC in dropped:
        role = np.where(role == Role.MARKED, Role.ORIGINAL, role).astype(np.uint8)
    return Row(row.z0[keep], row.z1[keep], role, row.segment[keep])


def add_noise(row: Row, config: NoiseConfig, rng: Rng) -> Row:
    """A row with masks and, where it is buggy, random edits; targets are unchanged."""
    if not row.clean and rng.random() < config.corrupt_rows:
        row = _insert_stray(_corrupt(row, config, rng), config, rng)
    return _mask(row, config, rng) if rng.random() < config.mask_rows else row


def _kept(row: Row) -> Mask:
    """Editable slots that are equal on both sides: the ones noise may touch."""
    kept: Mask = (row.role != Role.CONTEXT) & (row.z0 == row.z1)
    return kept


def _spans(length: int, count: int, mean: float, rng: Rng) -> Mask:
    """`count` random spans of geometric length as a mask over `length` slots."""
    chosen = np.zeros(length, bool)
    starts = rng.integers(0, max(1, length), count)
    for start, size in zip(starts, rng.geometric(1 / mean, count), strict=True):
        chosen[start : start + min(size, 12)] = True
    return chosen


def _mask(row: Row, config: NoiseConfig, rng: Rng) -> Row:
    kept = _kept(row)
    count = rng.uniform(0, config.mask_most) * kept.sum() / config.mask_span
    hit = kept & _spans(len(row), rng.poisson(count), config.mask_span, rng)
    z0, role = row.z0.copy(), row.role.copy()
    z0[hit], role[hit] = PLACEHOLDER, Role.EDITED
    return Row(z0, row.z1, role, row.segment)


def _random_tokens(row: Row, count: int, config: NoiseConfig, rng: Rng) -> Ids:
    """Half from the row's own tokens, half uniform over the frequent part of the vocabulary."""
    own = rng.choice(row.z1[row.z1 >= FIRST_TEXT_ID], count)
    drawn = np.where(rng.random(count) < 0.5, own, rng.integers(FIRST_TEXT_ID, config.vocabulary, count))
    return drawn.astype(np.int16)


def _corrupt(row: Row, config: NoiseConfig, rng: Rng) -> Row:
    """Replace random tokens and delete random spans."""
    z0, role = row.z0.copy(), row.role.copy()
    wrong = _kept(row) & (rng.random(len(row)) < rng.exponential(config.corrupt_tokens))
    z0[wrong] = _random_tokens(row, int(wrong.sum()), config, rng)
    gone = _kept(row) & ~wrong & _spans(len(row), rng.poisson(config.spans), config.span_length, rng)
    z0[gone], role[gone] = BLANK, 0
    return Row(z0, row.z1, role, row.segment)


def _insert_stray(row: Row, config: NoiseConfig, rng: Rng) -> Row:
    """Put spans of stray tokens, half of them copies from the row, before editable slots."""
    editable = np.flatnonzero(_kept(row))
    count = rng.poisson(config.spans)
    if not count or not len(editable):
        return row
    at: list[int] = []
    for start, size in zip(
        rng.choice(editable, count), rng.geometric(1 / config.span_length, count), strict=True
    ):
        at += [int(start)] * min(int(size), 8)
    stray = _random_tokens(row, len(at), config, rng)
    return Row(
        np.insert(row.z0, at, stray),
        np.insert(row.z1, at, np.int16(BLANK)),
        np.insert(row.role, at, np.uint8(Role.ORIGINAL)),
        np.insert(row.segment, at, np.uint8(0)),
    )

"""Dense supervision: random masks, tokens and spans on top of the edits of a row.

One bug a function supervises one token of a hundred and teaches almost nothing in a short training. Placeholders
that must be refilled teach the language through the same head that fills insertions; random substitutions,
deleted spans and stray tokens teach the operations; missing lines and line ends teach long insertions.
"""

from __future__ import annotations

import numpy as np

from editflow.canvas import FIRST_TEXT_ID, PLACEHOLDER, Role
from editflow.process.base import BLANK
from editflow_trainer.data.config import NoiseConfig
from editflow_trainer.data.row import Ids, Mask, Row

Rng = np.random.Generator
LONGEST_SPAN = 12
LONGEST_STRAY = 8


def add_noise(row: Row, line_end: Mask, config: NoiseConfig, rng: Rng) -> Row:
    """A row with masks and, where it is edited, random edits; targets are unchanged.

    `line_end` says of every token id whether it ends a line.
    """
    if not row.clean:
        if rng.random() < config.corrupt_rows:
            row = _insert_stray(_corrupt(row, config, rng), config, rng)
        if rng.random() < config.line_rows:
            row = _without(row, _lines(row, line_end, int(rng.integers(1, 3)), rng))
        if rng.random() < config.tail_rows:
            row = _without(row, _tail(row, line_end, rng))
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
        chosen[start : start + min(size, LONGEST_SPAN)] = True
    return chosen


def _mask(row: Row, config: NoiseConfig, rng: Rng) -> Row:
    kept = _kept(row)
    count = rng.uniform(0, config.mask_most) * kept.sum() / config.mask_span
    hit = kept & _spans(len(row), rng.poisson(count), config.mask_span, rng)
    z0, role = row.z0.copy(), row.role.copy()
    z0[hit], role[hit] = PLACEHOLDER, Role.EDITED
    return Row(z0, row.z1, role)


def _random_tokens(row: Row, count: int, config: NoiseConfig, rng: Rng) -> Ids:
    """Half from the row's own tokens, half uniform over the frequent part of the vocabulary."""
    own = row.z1[row.z1 >= FIRST_TEXT_ID]
    drawn = rng.integers(FIRST_TEXT_ID, config.vocabulary, count).astype(np.int32)
    if not len(own):
        return drawn
    return np.where(rng.random(count) < 0.5, own[rng.integers(0, len(own), count)], drawn)


def _corrupt(row: Row, config: NoiseConfig, rng: Rng) -> Row:
    """Replace random tokens and delete random spans."""
    z0, role = row.z0.copy(), row.role.copy()
    wrong = _kept(row) & (rng.random(len(row)) < rng.exponential(config.corrupt_tokens))
    z0[wrong] = _random_tokens(row, int(wrong.sum()), config, rng)
    gone = _kept(row) & ~wrong & _spans(len(row), rng.poisson(config.spans), config.span_length, rng)
    z0[gone], role[gone] = BLANK, 0
    return Row(z0, row.z1, role)


def _insert_stray(row: Row, config: NoiseConfig, rng: Rng) -> Row:
    """Put spans of stray tokens, half of them copies from the row, before editable slots."""
    editable = np.flatnonzero(_kept(row))
    count = rng.poisson(config.spans)
    if not count or not len(editable):
        return row
    starts = editable[rng.integers(0, len(editable), count)]
    sizes = np.minimum(rng.geometric(1 / config.span_length, count), LONGEST_STRAY)
    at = np.repeat(starts, sizes)
    return Row(
        np.insert(row.z0, at, _random_tokens(row, len(at), config, rng)),
        np.insert(row.z1, at, np.int32(BLANK)),
        np.insert(row.role, at, np.uint8(Role.ORIGINAL)),
    )


def _without(row: Row, gone: Mask) -> Row:
    """The row without the tokens of a mask that noise may touch."""
    gone &= _kept(row)
    z0, role = row.z0.copy(), row.role.copy()
    z0[gone], role[gone] = BLANK, 0
    return Row(z0, row.z1, role)


def _lines(row: Row, line_end: Mask, count: int, rng: Rng) -> Mask:
    """`count` whole lines in a row, of the target."""
    line = line_of(row.z1, line_end)
    first = rng.integers(0, line[-1] + 1) if len(line) else 0
    chosen: Mask = (line >= first) & (line < first + count)
    return chosen


def _tail(row: Row, line_end: Mask, rng: Rng) -> Mask:
    """From a random slot to the end of its line, the line's own end left out."""
    line, at = line_of(row.z1, line_end), int(rng.integers(0, max(1, len(row))))
    tail = (line == line[at]) & (np.arange(len(row)) >= at) if len(row) else np.zeros(0, bool)
    chosen: Mask = tail & ~_ends(row.z1, line_end)
    return chosen


def line_of(ids: Ids, line_end: Mask) -> Ids:
    """The line, from 0, that each slot stands in; a blank stands in that of the token after it."""
    ends = _ends(ids, line_end)
    lines: Ids = np.cumsum(ends, dtype=np.int32) - ends
    return lines


def _ends(ids: Ids, line_end: Mask) -> Mask:
    ends: Mask = line_end[ids] & (ids != BLANK)  # BLANK reads the last entry
    return ends

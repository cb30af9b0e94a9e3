"""Noise changes the source alone: never the context, never the target."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.canvas import BOS, EOS, FIRST_TEXT_ID, PLACEHOLDER, Role
from editflow.process.base import BLANK
from editflow_trainer.data.config import NoiseConfig
from editflow_trainer.data.noise import add_noise, line_of
from editflow_trainer.data.row import Row
from tests.trainer.data.examples import LINE_END, VOCABULARY, ids, make_mined

SEED = st.integers(0, 2**32)
ALWAYS = NoiseConfig(
    mask_rows=1, corrupt_rows=1, corrupt_tokens=0.1, spans=3, line_rows=1, tail_rows=1, vocabulary=VOCABULARY
)
ENDS = np.zeros(VOCABULARY + 1, bool)
ENDS[LINE_END] = True


NEVER = NoiseConfig(mask_rows=0, corrupt_rows=0, line_rows=0, tail_rows=0, vocabulary=VOCABULARY)


def make_row(seed: int, *, clean: bool = False, tokens: int = 0) -> Row:
    """A mined pair, or `tokens` random ones, between frozen tokens."""
    example = make_mined(seed)
    z1 = (
        np.random.default_rng(seed).integers(FIRST_TEXT_ID, 90, tokens).astype(np.int32)
        if tokens
        else example.z1
    )
    z0 = example.z0 if not tokens else z1.copy()
    if tokens and not clean:
        z0[0] = BLANK
    if clean:
        z0 = z1 = z1[z1 != BLANK]
    role = np.where(z0 == BLANK, 0, int(Role.ORIGINAL))
    return Row(
        np.array([BOS, *z0, EOS], np.int32),
        np.array([BOS, *z1, EOS], np.int32),
        np.array([0, *role, 0], np.uint8),
    )


def columns(row: Row) -> list[list[int]]:
    return [row.z0.tolist(), row.z1.tolist(), row.role.tolist()]


@given(SEED, SEED, st.booleans())
def test_target_and_context_stay_as_they_are(row_seed: int, seed: int, clean: bool) -> None:
    row = make_row(row_seed, clean=clean)
    noisy = add_noise(row, ENDS, ALWAYS, np.random.default_rng(seed))
    assert noisy.z1[noisy.z1 != BLANK].tolist() == row.z1[row.z1 != BLANK].tolist()
    assert [noisy.z0[0], noisy.z0[-1], noisy.role[0], noisy.role[-1]] == [BOS, EOS, 0, 0]
    assert columns(row) == columns(make_row(row_seed, clean=clean))  # the input itself is not written to
    assert len(noisy.z0) == len(noisy.z1) == len(noisy.role)
    assert not ((noisy.z0 == BLANK) & (noisy.z1 == BLANK)).any()


@given(SEED, SEED)
def test_slots_keep_their_form(row_seed: int, seed: int) -> None:
    noisy = add_noise(make_row(row_seed), ENDS, ALWAYS, np.random.default_rng(seed))
    assert (noisy.role[noisy.z0 == BLANK] == 0).all()
    assert (noisy.role[noisy.z0 == PLACEHOLDER] == Role.EDITED).all()
    body = (noisy.role != Role.CONTEXT) & (noisy.z0 != PLACEHOLDER)
    assert (noisy.z0[body] >= FIRST_TEXT_ID).all()
    assert not (noisy.z1 == PLACEHOLDER).any()


@given(SEED, SEED)
def test_clean_rows_get_masks_only(row_seed: int, seed: int) -> None:
    row = make_row(row_seed, clean=True)
    noisy = add_noise(row, ENDS, ALWAYS, np.random.default_rng(seed))
    assert len(noisy) == len(row)
    changed = noisy.z0 != noisy.z1
    assert (noisy.z0[changed] == PLACEHOLDER).all()
    assert (row.role[changed] != Role.CONTEXT).all()


def test_masks_and_spans_occur_at_about_their_rates() -> None:
    rng, rows = np.random.default_rng(0), 300
    clean = [add_noise(make_row(n, clean=True, tokens=100), ENDS, ALWAYS, rng) for n in range(rows)]
    masked = float(np.mean([(row.z0 == PLACEHOLDER).sum() / 100 for row in clean]))
    assert masked == pytest.approx(ALWAYS.mask_most / 2, abs=0.04)
    spans = replace(NEVER, corrupt_rows=1, corrupt_tokens=0.05, spans=2, span_length=2)
    noisy = [add_noise(make_row(n, tokens=100), ENDS, spans, rng) for n in range(rows)]
    for side, own in (("z0", 1), ("z1", 0)):  # deleted, and stray: two spans of two tokens each
        blanks = float(np.mean([(getattr(row, side) == BLANK).sum() for row in noisy]))
        assert blanks - own == pytest.approx(4, abs=1)
    assert all(add_noise(row, ENDS, NEVER, rng) is row for row in noisy[:20])


@given(SEED, SEED)
def test_whole_lines_and_line_ends_go_missing(row_seed: int, seed: int) -> None:
    row = make_row(row_seed, tokens=40)
    for config, ends_too in ((replace(NEVER, line_rows=1), True), (replace(NEVER, tail_rows=1), False)):
        noisy = add_noise(row, ENDS, config, np.random.default_rng(seed))
        gone = np.flatnonzero((noisy.z0 == BLANK) & (row.z0 != BLANK))
        assert len(noisy) == len(row)
        lines = set(line_of(row.z1, ENDS)[gone].tolist())
        assert len(lines) <= (2 if ends_too else 1)
        if ends_too:  # all that may go of these lines is gone
            kept = (noisy.z0 == noisy.z1) & (row.role != Role.CONTEXT)
            assert not lines & set(line_of(row.z1, ENDS)[kept].tolist())
        elif len(gone):
            assert not (row.z1[gone] == LINE_END).any()
            rest = row.z1[gone[-1] + 1]
            assert rest in (LINE_END, EOS)


def test_a_blank_stands_in_the_line_of_the_token_after_it() -> None:
    values = ids(40, LINE_END, BLANK, 41, LINE_END, BLANK)
    assert line_of(values, ENDS).tolist() == [0, 0, 1, 1, 1, 2]

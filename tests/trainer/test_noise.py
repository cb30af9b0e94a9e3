"""Noise changes the source alone: never the context, never the target."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.canvas import FIRST_TEXT_ID, PLACEHOLDER, Role
from editflow.process.base import BLANK
from editflow.window import AFTER, DIAGNOSTIC, FILE
from editflow_trainer.noise import NoiseConfig, add_noise, drop_context
from editflow_trainer.shards import Row
from tests.trainer.rows import make_row

SEED = st.integers(0, 2**32)
ALWAYS = NoiseConfig(mask_rows=1, corrupt_rows=1, corrupt_tokens=0.1, spans=3)
NEVER = NoiseConfig(
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    drop_file=0,
    drop_diagnostic=0,
    drop_instruction=0,
    drop_imports=0,
    drop_scope=0,
    drop_around=0,
)


def target(row: Row) -> list[int]:
    ids: list[int] = row.z1[row.z1 != BLANK].tolist()
    return ids


def context(row: Row) -> list[tuple[int, ...]]:
    """Slots that hold a frozen token."""
    frozen = (row.role == Role.CONTEXT) & (row.z0 != BLANK)
    columns = (row.z0, row.z1, row.role, row.segment)
    return list(zip(*(column[frozen].tolist() for column in columns), strict=True))


def equal(a: Row, b: Row) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in Row.__slots__)


@given(SEED, SEED, st.booleans())
def test_target_and_context_stay_as_they_are(row_seed: int, seed: int, clean: bool) -> None:
    row = make_row(row_seed, clean=clean)
    noisy = add_noise(row, ALWAYS, np.random.default_rng(seed))
    assert target(noisy) == target(row)
    assert context(noisy) == context(row)
    assert equal(row, make_row(row_seed, clean=clean))  # the input itself is not written to
    assert len({len(getattr(noisy, name)) for name in Row.__slots__}) == 1
    assert not ((noisy.z0 == BLANK) & (noisy.z1 == BLANK)).any()


@given(SEED, SEED)
def test_slots_keep_their_form(row_seed: int, seed: int) -> None:
    noisy = add_noise(make_row(row_seed), ALWAYS, np.random.default_rng(seed))
    assert (noisy.role[noisy.z0 == BLANK] == 0).all()
    assert (noisy.role[noisy.z0 == PLACEHOLDER] == Role.EDITED).all()
    body = (noisy.role != Role.CONTEXT) & (noisy.z0 != PLACEHOLDER)
    assert (noisy.z0[body] >= FIRST_TEXT_ID).all()
    assert not (noisy.z1 == PLACEHOLDER).any()


@given(SEED, SEED)
def test_clean_rows_get_masks_only(row_seed: int, seed: int) -> None:
    row = make_row(row_seed, clean=True)
    noisy = add_noise(row, ALWAYS, np.random.default_rng(seed))
    assert len(noisy) == len(row)
    changed = noisy.z0 != noisy.z1
    assert (noisy.z0[changed] == PLACEHOLDER).all()
    assert (row.role[changed] != Role.CONTEXT).all()


def test_every_kind_of_noise_occurs_at_about_its_rate() -> None:
    rng, rows = np.random.default_rng(0), 400
    clean = [add_noise(make_row(seed, 100, clean=True), ALWAYS, rng) for seed in range(rows)]
    masked = float(np.mean([(row.z0 == PLACEHOLDER).sum() / 100 for row in clean]))
    assert masked == pytest.approx(ALWAYS.mask_most / 2, abs=0.04)
    unmasked = NoiseConfig(mask_rows=0, corrupt_rows=1, corrupt_tokens=0.05, spans=2, span_length=2)
    source = [make_row(seed, 100) for seed in range(rows)]
    noisy = [add_noise(row, unmasked, rng) for row in source]

    def blanks(rows: list[Row], side: str) -> float:
        return float(np.mean([(getattr(row, side) == BLANK).sum() for row in rows]))

    for side in ("z0", "z1"):  # deleted, and stray: two spans of two tokens each
        assert blanks(noisy, side) - blanks(source, side) == pytest.approx(4, abs=1)
    assert all(add_noise(row, NEVER, rng) is row for row in source[:20])


@given(SEED, SEED)
def test_without_its_diagnostics_a_row_has_no_underlined_token(row_seed: int, seed: int) -> None:
    row = make_row(row_seed)
    short = drop_context(row, NoiseConfig(drop_diagnostic=0.5), np.random.default_rng(seed))
    assert (row.role == Role.MARKED).sum() == 1
    assert (short.role == Role.MARKED).any() == (short.segment == DIAGNOSTIC).any()
    assert target(short)[-1] == target(row)[-1]


@pytest.mark.parametrize(
    ("option", "marker"), [("drop_file", FILE), ("drop_diagnostic", DIAGNOSTIC), ("drop_around", AFTER)]
)
def test_a_part_is_dropped_whole_and_alone(option: str, marker: int) -> None:
    row, rng = make_row(0), np.random.default_rng(0)
    assert equal(drop_context(row, NEVER, rng), row)
    dropped = drop_context(row, replace(NEVER, **{option: 1.0}), rng)  # type: ignore[arg-type]
    keep = row.segment != marker
    assert keep.sum() < len(row)
    assert dropped.z0.tolist() == row.z0[keep].tolist()
    assert dropped.z1.tolist() == row.z1[keep].tolist()
    assert dropped.segment.tolist() == row.segment[keep].tolist()

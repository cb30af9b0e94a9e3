"""Rows: the target is exact whatever is drawn, every subset of hints occurs, nothing is told that is not so."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.canvas import BOS, EDIT, EOS, Role
from editflow.errors import EditFlowError
from editflow.process.base import BLANK
from editflow.window import AFTER, DIAGNOSTIC, FILE, INSTRUCTION
from editflow_trainer.data.config import BugConfig, DataConfig, HintConfig, Mixture, NoiseConfig
from editflow_trainer.data.draw import Drawer, Stream
from editflow_trainer.data.row import Row
from editflow_trainer.injection import BugKind
from tests.trainer.data.examples import HEADER, KINDS, make_function, make_mined, stripped

QUIET = NoiseConfig(mask_rows=0, corrupt_rows=0, line_rows=0, tail_rows=0)
BOTH = frozenset({FILE, AFTER})
WEIGHTS = [1.0] * len(KINDS)
VISIBLE_KINDS = (BugKind.misspelt_name, BugKind.undefined_name, BugKind.negation, BugKind.missing_not)
SEEDS = st.integers(0, 2**32)


def drawer(hints: HintConfig | None = None, bugs: BugConfig | None = None) -> Drawer:
    config = DataConfig(hints=hints or HintConfig(), noise=QUIET, bugs=bugs or BugConfig())
    return Drawer(config, HEADER, WEIGHTS)


def region(row: Row, side: str) -> list[int]:
    """The editable tokens of one side."""
    inner = np.flatnonzero(row.z0 == EDIT)[0] + 1
    end = np.flatnonzero(row.z0 == AFTER)[0] if AFTER in row.z0 else len(row) - 1
    return stripped(getattr(row, side)[inner:end])


@given(SEEDS, st.sampled_from(Stream))
def test_the_target_is_the_right_text(seed: int, stream: Stream) -> None:
    mined = stream in (Stream.FIX, Stream.EDIT)
    example = make_mined(2 * (seed % 50) + (stream == Stream.FIX)) if mined else make_function(seed % 99)
    row = drawer().row(example, stream, BOTH, np.random.default_rng(seed))
    assert region(row, "z1") == example.target.tolist()
    if stream == Stream.CLEAN:
        assert row.clean
    elif mined:
        assert region(row, "z0") == stripped(example.z0)
    else:
        assert not row.clean
    assert (row.z0[0], row.z0[-1]) == (BOS, EOS)
    frozen = (row.role == Role.CONTEXT) & (row.z0 != BLANK)
    assert row.z0[frozen].tolist() == row.z1[frozen].tolist()


def test_parts_stand_in_the_order_of_a_window() -> None:
    hints = HintConfig(keep_diagnostic=1, keep_instruction=1, line=0)
    row = drawer(hints).row(make_mined(1), Stream.FIX, BOTH, np.random.default_rng(0))
    assert row.z0[:10].tolist() == [BOS, FILE, 21, DIAGNOSTIC, 52, INSTRUCTION, 50, 51, EDIT, row.z0[9]]
    assert (row.role == Role.MARKED).sum() == 2
    marked = make_mined(1).z0
    assert row.z0[row.role == Role.MARKED].tolist() == marked[marked != BLANK][4:6].tolist()
    bare = drawer(HintConfig(keep_diagnostic=0, keep_instruction=0, line=0)).row(
        make_mined(1), Stream.FIX, frozenset(), np.random.default_rng(0)
    )
    assert bare.z0[:2].tolist() == [BOS, EDIT]
    assert not (bare.role == Role.MARKED).any()


@pytest.mark.parametrize("stream", [Stream.INJECTED, Stream.FIX, Stream.EDIT])
def test_every_subset_of_hints_occurs(stream: Stream) -> None:
    """None, diagnostic, instruction and line; a line shows where other tokens than the complaint's are marked."""
    rng = np.random.default_rng(0)
    made, seen = drawer(HintConfig(line=0.3), BugConfig(single=1)), Counter[tuple[bool, bool, bool]]()
    for seed in range(400):
        mined = make_mined(2 * seed + (stream == Stream.FIX))
        example = mined if stream != Stream.INJECTED else make_function(seed, VISIBLE_KINDS[:2])
        row = made.row(example, stream, BOTH, rng)
        told = DIAGNOSTIC in row.z0
        line = int((row.role == Role.MARKED).sum()) > 2 * told
        seen[told, INSTRUCTION in row.z0, line] += 1
    assert len(seen) == 8


def test_a_pointed_line_is_one_that_changes() -> None:
    pointed = drawer(HintConfig(line=1, keep_diagnostic=0), BugConfig(single=1))
    rng = np.random.default_rng(0)
    for seed in range(50):
        row = pointed.row(make_function(seed), Stream.INJECTED, frozenset(), rng)
        marked, changed = row.role == Role.MARKED, row.z0 != row.z1
        first, last = np.flatnonzero(marked)[[0, -1]]
        assert last - first < 7  # lines have four tokens, a bug at most two, and the line end before counts
        assert (np.flatnonzero(changed) >= first).all()
        assert (np.flatnonzero(changed) <= last + 1).all()
        clean = pointed.row(make_function(seed), Stream.CLEAN, frozenset(), rng)
        assert 1 <= (clean.role == Role.MARKED).sum() <= 5


def test_names_only_has_unbound_names_and_single_has_one_bug() -> None:
    rng = np.random.default_rng(0)
    for seed in range(60):
        example = make_function(seed, VISIBLE_KINDS)
        row = drawer(HintConfig(keep_instruction=1)).row(example, Stream.NAMES, BOTH, rng)
        asked = set(row.z0[np.flatnonzero(row.z0 == INSTRUCTION)[0] + 1 : np.flatnonzero(row.z0 == EDIT)[0]])
        unbound = {100 + KINDS.index(kind) for kind in VISIBLE_KINDS[:2]}
        assert asked & unbound
        assert not asked & {100 + KINDS.index(kind) for kind in VISIBLE_KINDS[2:]}
        one = drawer(bugs=BugConfig(single=1)).row(example, Stream.INJECTED, BOTH, rng)
        changed = np.flatnonzero(one.z0 != one.z1)
        assert changed[-1] - changed[0] <= 1


def test_a_misleading_instruction_is_no_rule() -> None:
    rng, asked = np.random.default_rng(0), 0
    for seed in range(400):
        example = make_function(seed) if seed % 2 else make_mined(seed)
        row = drawer(HintConfig(misleading=0.25)).row(example, Stream.CLEAN, BOTH, rng)
        asked += INSTRUCTION in row.z0
    assert asked / 400 == pytest.approx(0.25, abs=0.06)


def test_impossible_settings_are_refused() -> None:
    for make in (
        lambda: DataConfig(hints=HintConfig(line=1.5)),
        lambda: DataConfig(noise=NoiseConfig(spans=-1)),
        lambda: DataConfig(noise=NoiseConfig(mask_span=0.5)),
        lambda: DataConfig(bugs=BugConfig(mean=2)),
        lambda: Mixture(0, 0, 0, 0, 0),
        lambda: Mixture(fix=-1),
    ):
        with pytest.raises(EditFlowError):
            make()

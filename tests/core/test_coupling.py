"""Couplings change the source alone: never a target, never the context, and in the stated proportions."""

import math
from collections import Counter
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from editflow.canvas import BOS, EOS, PLACEHOLDER, Role
from editflow.process.base import BLANK, IGNORE, AlignedBatch
from editflow.process.coupling import Aligned, Coupling, Empty, Mixture, Uniform, reversed_batch

Slot = tuple[int, int, int]  # z0, z1, role
Row = tuple[list[Slot], list[Slot], list[Slot]]  # context, region, context

TOKEN = st.integers(16, 20)
EDITABLE = st.sampled_from([int(Role.ORIGINAL), int(Role.MARKED)])
CONTEXT = st.lists(TOKEN.map(lambda token: (token, token, int(Role.CONTEXT))), max_size=3)
REAL_SLOT = (
    st.tuples(TOKEN, TOKEN | st.just(BLANK), EDITABLE)
    | st.builds(lambda token, role: (token, token, role), TOKEN, EDITABLE)
    | TOKEN.map(lambda token: (BLANK, token, 0))
)
BLANK_SLOT = st.tuples(st.just(PLACEHOLDER), TOKEN | st.just(BLANK), st.just(int(Role.EDITED)))
BEFORE = CONTEXT.map(lambda slots: [(BOS, BOS, 0), *slots])


def rows_of(slot: st.SearchStrategy[Slot]) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.tuples(BEFORE, st.lists(slot, max_size=9), CONTEXT), min_size=1, max_size=4)


ROWS = rows_of(REAL_SLOT | BLANK_SLOT)
SEED = st.integers(0, 2**32)
UNIGRAM = torch.tensor([0.0] * 18 + [0.1, 0.2, 0.3, 0.4])  # overlaps with the tokens of the rows
COUPLINGS: dict[str, Coupling] = {
    "aligned": Aligned(),
    "empty": Empty(),
    "uniform-1": Uniform(UNIGRAM, 1),
    "uniform-8": Uniform(UNIGRAM, 8),
    "mixture": Mixture([(1, Aligned()), (2, Empty()), (3, Uniform(UNIGRAM, 5))]),
}
each_coupling = pytest.mark.parametrize("coupling", COUPLINGS.values(), ids=COUPLINGS)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch_of(rows: list[Row]) -> AlignedBatch:
    flat = [[*before, *region, *after] for before, region, after in rows]
    width = max(map(len, flat))
    padded = [row + [(IGNORE, IGNORE, 0)] * (width - len(row)) for row in flat]
    return AlignedBatch(*torch.tensor(padded).unbind(-1))


def insertions(count: int) -> Row:
    """A row whose target has the tokens 100, 101, ... in its region and whose source has none."""
    return [(BOS, BOS, 0)], [(BLANK, 100 + i, 0) for i in range(count)], [(EOS, EOS, 0)]


def slots_of(batch: AlignedBatch, b: int) -> list[Slot]:
    """Row b without its padding, which must be at its end."""
    columns = (batch.z0[b].tolist(), batch.z1[b].tolist(), batch.role[b].tolist())
    slots: list[Slot] = list(zip(*columns, strict=True))
    live = [slot for slot in slots if IGNORE not in slot[:2]]
    assert slots[len(live) :] == [(IGNORE, IGNORE, 0)] * (len(slots) - len(live))
    return live


def region_of(batch: AlignedBatch, b: int, row: Row) -> list[Slot]:
    """The region of row b after checking that `row`'s context is still around it."""
    slots, (before, _, after) = slots_of(batch, b), row
    end = len(slots) - len(after)
    assert (slots[: len(before)], slots[end:]) == (before, after)
    return slots[len(before) : end]


def written(tokens: list[int]) -> list[int]:
    """f_rm."""
    return [token for token in tokens if token != BLANK]


def p_value(observed: Tensor, expected: Tensor) -> float:
    """Of Pearson's chi-square test."""
    statistic = ((observed - expected) ** 2 / expected).sum().double()
    freedom = torch.tensor((len(observed) - 1) / 2, dtype=torch.float64)
    return float(torch.special.gammaincc(freedom, statistic / 2))


@each_coupling
@given(rows=ROWS, seed=SEED)
def test_target_and_context_stay(coupling: Coupling, rows: list[Row], seed: int) -> None:
    drawn = coupling(batch_of(rows), seeded(seed))
    for b, row in enumerate(rows):
        region = region_of(drawn, b, row)
        assert written([new for _, new, _ in region]) == written([new for _, new, _ in row[1]])
        for old, new, role in region:
            assert (old, new) != (BLANK, BLANK)
            assert (role == 0) == (old == BLANK)


@each_coupling
@given(rows=ROWS, seed=SEED)
def test_the_generator_decides_everything(coupling: Coupling, rows: list[Row], seed: int) -> None:
    batch = batch_of(rows)
    first, second = coupling(batch, seeded(seed)), coupling(batch, seeded(seed))
    assert first.z0.equal(second.z0) and first.z1.equal(second.z1) and first.role.equal(second.role)


@given(ROWS)
def test_aligned_is_the_alignment_of_the_row(rows: list[Row]) -> None:
    drawn = Aligned()(batch_of(rows), seeded())
    assert [region_of(drawn, b, row) for b, row in enumerate(rows)] == [region for _, region, _ in rows]


@given(ROWS)
def test_empty_leaves_nothing_but_context(rows: list[Row]) -> None:
    drawn = Empty()(batch_of(rows), seeded())
    for b, row in enumerate(rows):
        assert all(old == BLANK for old, _, _ in region_of(drawn, b, row))
    assert drawn.z0.shape[1] == max(len(slots_of(drawn, b)) for b in range(len(rows)))


@given(ROWS, SEED, st.integers(1, 12))
def test_uniform_has_its_length_and_its_shares(rows: list[Row], seed: int, length: int) -> None:
    drawn = Uniform(UNIGRAM, length)(batch_of(rows), seeded(seed))
    assert drawn.z0.shape[1] == max(len(slots_of(drawn, b)) for b in range(len(rows)))
    for b, row in enumerate(rows):
        region = region_of(drawn, b, row)
        if not row[1]:
            assert not region
            continue
        tokens = len(written([new for _, new, _ in row[1]]))
        deleted = [old for old, new, _ in region if new == BLANK]
        source = [(old, role) for old, _, role in region if old != BLANK]
        assert len(source) == length
        assert len(deleted) == max(length // 2, length - tokens)
        assert len(region) - len(source) == max(0, tokens - (length - length // 2))
        assert all(old in range(18, 22) and role == Role.ORIGINAL for old, role in source)


def test_uniform_draws_from_the_unigram() -> None:
    drawn = Uniform(7 * UNIGRAM, 20)(batch_of([insertions(30)] * 400), seeded())
    noise = drawn.z0[:, 1:-1]
    counts = noise[noise >= 0].bincount(minlength=len(UNIGRAM))
    assert len(counts) == len(UNIGRAM) and counts[:18].sum() == 0
    assert p_value(counts[18:], 400 * 20 * UNIGRAM[18:]) > 1e-5


@pytest.mark.parametrize(("length", "tokens"), [(2, 2), (3, 2), (5, 2), (2, 4)])
def test_all_orders_of_the_three_kinds_are_equally_likely(length: int, tokens: int) -> None:
    rows = 6000
    drawn = Uniform(UNIGRAM, length)(batch_of([insertions(tokens)] * rows), seeded(1))
    kind = torch.where(drawn.z1 == BLANK, 0, torch.where(drawn.z0 == BLANK, 1, 2))[:, 1:-1]
    counts = torch.tensor(list(Counter(map(tuple, kind.tolist())).values()))
    shared = min(tokens, length - length // 2)
    orders = math.comb(kind.shape[1], length - shared) * math.comb(tokens, shared)
    assert len(counts) == orders
    assert p_value(counts, torch.full((orders,), rows / orders)) > 1e-5


def test_uniform_refuses_a_source_without_tokens() -> None:
    with pytest.raises(ValueError, match="use Empty"):
        Uniform(UNIGRAM, 0)


def test_a_mixture_draws_each_part_by_its_weight() -> None:
    rows, weights = 6000, torch.tensor([2.0, 0.0, 1.0, 3.0])
    parts: list[Coupling] = [Aligned(), Uniform(UNIGRAM, 1), Empty(), Uniform(UNIGRAM, 7)]
    row: Row = ([(BOS, BOS, 0)], [(16, 16, 1), (16, 16, 1)], [])
    drawn = Mixture(list(zip(weights.tolist(), parts, strict=True)))(batch_of([row] * rows), seeded())
    lengths = (drawn.z0 >= 0).sum(1) - 1
    counts = torch.stack([(lengths == length).sum() for length in (2, 0, 7)])
    assert counts.sum() == rows
    assert p_value(counts, rows * weights[weights > 0] / weights.sum()) > 1e-5
    changes = sum(a != b for a, b in pairwise(lengths.tolist()))
    assert changes > rows / 2  # the parts are not in blocks


@pytest.mark.parametrize("weights", [[], [0.0], [1.0, -0.5]])
def test_weights_that_cannot_be_drawn_by_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="of a mixture"):
        Mixture([(weight, Empty()) for weight in weights])


@given(rows_of(REAL_SLOT))
def test_reversed_swaps_source_and_target(rows: list[Row]) -> None:
    batch = batch_of(rows)
    backward = reversed_batch(batch)
    for b, row in enumerate(rows):
        expected = [
            (new, old, 0 if new == BLANK else int(Role.ORIGINAL)) for old, new, _ in row[1]
        ]  # an editable keep is ORIGINAL too: nothing is underlined in the target
        assert region_of(backward, b, row) == expected
    again = reversed_batch(backward)
    assert again.z0.equal(batch.z0) and again.z1.equal(batch.z1)


def test_a_kept_token_keeps_its_role_when_reversed_unless_it_is_marked() -> None:
    region = [(16, 16, int(role)) for role in (Role.ORIGINAL, Role.EDITED, Role.MARKED)]
    backward = reversed_batch(batch_of([([(BOS, BOS, 0)], region, [])]))
    assert backward.role.tolist() == [[Role.CONTEXT, Role.ORIGINAL, Role.EDITED, Role.ORIGINAL]]

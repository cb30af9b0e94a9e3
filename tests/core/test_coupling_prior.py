"""Where sampling starts: each coupling's prior in the place of a row's editable region, nothing else changed."""

from itertools import takewhile

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editflow import window
from editflow.canvas import BOS, EDIT, EOS, FIRST_TEXT_ID, Canvas, Role
from editflow.process.base import BLANK, AlignedBatch
from editflow.process.continuous import ContinuousEditFlow
from editflow.process.corruption import observe
from editflow.process.coupling import Aligned, Coupling, Empty, Mixture, Uniform

Row = tuple[list[int], list[tuple[int, int]], list[int]]  # context, region as (id, role), context

TOKEN = st.integers(FIRST_TEXT_ID, FIRST_TEXT_ID + 9)
EDITABLE = st.sampled_from([int(Role.ORIGINAL), int(Role.EDITED), int(Role.MARKED)])
ROW = st.tuples(
    st.lists(TOKEN, max_size=3).map(lambda ids: [BOS, *ids, EDIT]),
    st.lists(st.tuples(TOKEN, EDITABLE), max_size=6),
    st.lists(TOKEN, max_size=2).map(lambda ids: [*ids, EOS]),
)
ROWS = st.lists(ROW, min_size=1, max_size=4)
SEED = st.integers(0, 2**32)
UNIGRAM = torch.tensor([0.0] * 30 + [1.0, 2.0, 3.0])  # ids that no row has
NOISE = range(30, 33)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def canvas_of(rows: list[Row]) -> Canvas:
    context = int(Role.CONTEXT)
    return Canvas.from_rows(
        [
            (
                [*before, *(token for token, _ in region), *after],
                [context] * len(before) + [role for _, role in region] + [context] * len(after),
            )
            for before, region, after in rows
        ]
    )


def live_row(canvas: Canvas, b: int) -> tuple[list[int], list[int], list[int]]:
    """Ids, roles and origins of a row without its padding, which must be at its end."""
    live = canvas.live[b]
    length = int(live.sum())
    assert live[:length].all()
    ids, roles, origins = (field[b, :length].tolist() for field in (canvas.ids, canvas.role, canvas.origin))
    return ids, roles, origins


@given(ROWS)
def test_the_aligned_prior_is_the_canvas(rows: list[Row]) -> None:
    canvas = canvas_of(rows)
    assert Aligned().prior(canvas, seeded()) is canvas


@given(ROWS)
def test_the_empty_prior_is_exactly_the_frozen_tokens(rows: list[Row]) -> None:
    prior = Empty().prior(canvas_of(rows), seeded())
    for b, (before, region, after) in enumerate(rows):
        ids, roles, origins = live_row(prior, b)
        assert ids == [*before, *after]
        assert roles == [int(Role.CONTEXT)] * len(ids)
        shifted = range(len(before) + len(region), len(before) + len(region) + len(after))
        assert origins == [*range(len(before)), *shifted]


@given(ROWS, st.integers(1, 7), SEED)
def test_the_uniform_prior_is_noise_between_the_same_frozen_tokens(
    rows: list[Row], length: int, seed: int
) -> None:
    prior = Uniform(UNIGRAM, length).prior(canvas_of(rows), seeded(seed))
    for b, (before, region, after) in enumerate(rows):
        ids, roles, origins = live_row(prior, b)
        drawn = length if region else 0
        end = len(before) + drawn
        assert (ids[: len(before)], ids[end:]) == (before, after)
        assert all(token in NOISE for token in ids[len(before) : end])
        context = int(Role.CONTEXT)
        assert roles == [context] * len(before) + [int(Role.ORIGINAL)] * drawn + [context] * len(after)
        assert origins[len(before) : end] == [-1] * drawn
        assert len(ids) == end + len(after)


def test_the_uniform_prior_draws_every_row_anew_from_the_unigram() -> None:
    rows, length = 2000, 5
    region: Row = ([BOS, EDIT], [(FIRST_TEXT_ID, int(Role.ORIGINAL))], [EOS])
    prior = Uniform(UNIGRAM, length).prior(canvas_of([region] * rows), seeded(1))
    noise = prior.ids[:, 2:-1]
    assert noise.shape == (rows, length)
    share = UNIGRAM[30:] / UNIGRAM.sum()
    sigma = (share * (1 - share) / rows).sqrt()
    for column in range(length):
        measured = noise[:, column].bincount(minlength=33)[30:] / rows
        assert ((measured - share).abs() < 4.5 * sigma).all()
    same = (noise[1:] == noise[:-1]).all(1).double().mean()
    chance = float((share**2).sum()) ** length
    assert float(same) < chance + 4.5 * (chance / rows) ** 0.5


@given(ROWS, SEED)
def test_a_mixture_starts_all_rows_from_one_of_its_parts(rows: list[Row], seed: int) -> None:
    canvas = canvas_of(rows)
    prior = Mixture([(1, Empty()), (0, Aligned()), (2, Uniform(UNIGRAM, 3))]).prior(canvas, seeded(seed))
    counts = [(prior.ids[b] >= 30).sum().item() for b in range(len(rows))]
    with_region = [count for count, (_, region, _) in zip(counts, rows, strict=True) if region]
    assert set(with_region) in (set(), {0}, {3})


def test_a_mixture_draws_its_part_by_weight() -> None:
    canvas = canvas_of([([BOS, EDIT], [(FIRST_TEXT_ID, int(Role.ORIGINAL))], [EOS])])
    generator, draws = seeded(2), 3000
    mixture = Mixture([(1, Empty()), (0, Aligned()), (3, Uniform(UNIGRAM, 1))])
    widths = [mixture.prior(canvas, generator).ids.shape[1] for _ in range(draws)]
    assert set(widths) == {3, 4}
    assert abs(widths.count(3) / draws - 0.25) < 4.5 * (0.25 * 0.75 / draws) ** 0.5


@pytest.mark.parametrize("coupling", [Empty(), Uniform(UNIGRAM, 4)])
def test_a_flow_starts_where_its_training_does(coupling: Coupling) -> None:
    """The prior of a source is laid out as x_0 of the coupled pair: same context, same number of tokens."""
    row: Row = ([BOS, 20, EDIT], [(16, 1), (17, 3)], [21, EOS])
    z0 = torch.tensor([[BOS, 20, EDIT, 16, 17, 21, EOS]])
    z1 = torch.tensor([[BOS, 20, EDIT, BLANK, 18, 21, EOS]])
    pair = AlignedBatch(z0, z1, torch.tensor([[0, 0, 0, 1, 3, 0, 0]]))
    coupled = coupling(pair, seeded())
    state = observe(coupled, coupled.z0)
    prior = ContinuousEditFlow(coupling=coupling).prior(canvas_of([row]))
    assert prior.role.tolist() == state.role.tolist()
    assert (prior.ids * prior.frozen).tolist() == (state.ids * ~state.editable).tolist()
    assert prior.editable_gaps.tolist() == state.gaps.tolist()
    assert state.gaps[state.insert_row, state.insert_column].all()  # else their loss is infinite


@given(ROWS)
def test_an_emptied_region_can_be_written_again(rows: list[Row]) -> None:
    """Otherwise nothing could ever be sampled from an empty source, and training on one would cost infinitely."""
    prior = Empty().prior(canvas_of(rows), seeded())
    for b in range(len(rows)):
        before = list(takewhile(lambda token: token != EDIT, prior.ids[b].tolist()))
        assert prior.editable_gaps[b].nonzero().flatten().tolist() == [len(before)]


def test_the_marker_of_the_region_is_the_window_s() -> None:
    assert EDIT == window.EDIT

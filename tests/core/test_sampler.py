"""The sampler with an oracle for a network restores every target; with noise it still keeps the rules."""

import random
from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editflow.backbone import Backbone, BackboneConfig
from editflow.canvas import FIRST_TEXT_ID, Canvas, Edits, Role
from editflow.heads import Hidden
from editflow.process.base import Heads
from editflow.process.edit_flow import EditFlow, Thresholds
from editflow.sampler import HEADROOM, MAX_PASSES, Sampler, cap_growth
from tests.core.oracle import FIRST_KEY, VOCABULARY, Noise, Oracle, canvas_of, text_of

ROWS = 16
TEXT = st.lists(st.integers(FIRST_TEXT_ID, FIRST_KEY - 1), max_size=12)


def random_text(rng: random.Random, length: int) -> list[int]:
    return [rng.randrange(FIRST_TEXT_ID, FIRST_KEY) for _ in range(length)]


def random_pair(rng: random.Random) -> tuple[list[int], list[int]]:
    """A text and one of: a few edits of it, a text of its own, or itself with 40 tokens more at one place."""
    source = random_text(rng, rng.randint(1, 30))
    kind = rng.random()
    if kind < 0.2:
        return source, random_text(rng, rng.randint(1, 30))
    target, at = list(source), rng.randint(0, len(source))
    if kind < 0.4:
        target[at:at] = random_text(rng, 40)
        return source, target
    for _ in range(rng.randint(1, 6)):
        at, gone = rng.randint(0, len(target)), rng.randint(0, 2)
        target[at : at + gone] = random_text(rng, rng.randint(0, 3))
    return source, target


@pytest.mark.parametrize("certainty", [1.0, 0.6])
@pytest.mark.parametrize("seed", range(4))
def test_an_oracle_restores_every_target(seed: int, certainty: float) -> None:
    rng = random.Random(seed)
    pairs = [random_pair(rng) for _ in range(ROWS)]
    oracle = Oracle(dict(enumerate(target for _, target in pairs)), certainty)
    last = Sampler(EditFlow(), oracle).run(canvas_of([source for source, _ in pairs]))
    assert [text_of(row) for row in last.rows] == [target for _, target in pairs]
    assert last.index <= MAX_PASSES
    if certainty == 1:
        assert last.unfinished == 0
        assert (
            last.index <= 4
        )  # open, fill and open what is over the largest count, fill, see that all is well


def test_clean_rows_are_left_alone_in_one_pass() -> None:
    texts = [random_text(random.Random(seed), 4 * seed + 1) for seed in range(8)]
    source = canvas_of(texts)
    steps = list(Sampler(EditFlow(), Oracle(dict(enumerate(texts)))).steps(source))
    assert [(step.index, step.unfinished) for step in steps] == [(1, 0)]
    for b, row in enumerate(steps[0].rows):
        same = source.select(torch.tensor([b])).trimmed()
        assert all(getattr(row, name).equal(getattr(same, name)) for name in Canvas.__slots__)


@given(st.lists(TEXT, min_size=1, max_size=3), st.integers(0, 2**32), st.integers(1, 8))
def test_whatever_the_heads_say_the_rules_hold(texts: list[list[int]], seed: int, passes: int) -> None:
    source = canvas_of(texts)
    sampler = Sampler(EditFlow(Thresholds(0.4, 0.4, 0.4)), Noise(seed), max_passes=passes)
    *_, last = steps = list(sampler.steps(source))
    assert [step.index for step in steps] == list(range(1, len(steps) + 1))
    assert len(steps) <= passes
    for step in steps:
        for b, row in enumerate(step.rows):
            before = source.select(torch.tensor([b])).trimmed()
            assert row.live.all()
            assert row.ids[0, :3].equal(before.ids[0, :3])
            assert int(row.ids[0, -1]) == int(before.ids[0, -1])
            assert (row.role[0] == Role.CONTEXT).sum() == 4
            kept = row.origin[0][row.origin[0] >= 0]
            assert (kept.diff() > 0).all()
            untouched = row.role[0] != Role.EDITED
            assert row.ids[0][untouched].equal(before.ids[0][row.origin[0][untouched]])
            assert row.ids.shape[1] <= before.ids.shape[1] + HEADROOM
    for row in last.rows:
        assert (row.ids[row.role == Role.EDITED] >= FIRST_TEXT_ID).all()


def test_finished_rows_leave_the_batch() -> None:
    texts = [[20, 21], [20, 21, 22], [30]]
    oracle = Oracle({0: [20, 21], 1: [20, 22], 2: [30, 31, 32, 33]})
    steps = list(Sampler(EditFlow(), oracle).steps(canvas_of(texts)))
    assert oracle.batches == [3, 2, 1]
    assert [step.unfinished for step in steps] == [2, 1, 0]


def test_no_pass_is_made_before_it_is_asked_for() -> None:
    oracle = Oracle({0: [20, 21, 22, 23]})
    steps = Sampler(EditFlow(), oracle).steps(canvas_of([[20]]))
    assert oracle.batches == []
    assert len(list(islice(steps, 1))) == len(oracle.batches) == 1
    steps.close()  # type: ignore[attr-defined]
    assert len(oracle.batches) == 1


def test_rows_do_not_feel_each_other() -> None:
    torch.manual_seed(0)
    backbone = Backbone(
        BackboneConfig(VOCABULARY, width=32, layers=2, heads=2, hidden=48, copy_width=8, max_count=4)
    )
    with torch.no_grad():
        for parameter in backbone.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        backbone.operation_head.bias.zero_()
        backbone.gap_head.bias.zero_()
    rng = random.Random(0)
    source = canvas_of([random_text(rng, 3 * n) for n in range(1, 9)])
    heads: Heads = backbone
    together = Sampler(EditFlow(), heads, max_passes=3).run(source).rows
    assert any(len(text_of(row)) != 3 * n for n, row in enumerate(together, 1))
    for b, row in enumerate(together):
        (alone,) = (
            Sampler(EditFlow(), heads, max_passes=3).run(source.select(torch.tensor([b])).trimmed()).rows
        )
        assert alone.ids.tolist() == row.ids.tolist()
        assert torch.allclose(alone.confidence, row.confidence, atol=1e-4)


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=8),
    st.lists(st.booleans(), min_size=8),
    st.integers(0, 12),
)
def test_growth_is_cut_at_the_right(insert: list[int], delete: list[bool], headroom: int) -> None:
    canvas = canvas_of([[20] * len(insert)])
    length = canvas.ids.shape[1]
    counts = torch.tensor([(insert + [0] * length)[:length]])
    gone = torch.tensor([(delete + [False] * length)[:length]]) & ~canvas.frozen
    ones = torch.ones(1, length)
    edits = Edits(gone, torch.full_like(counts, -1), counts, counts, ones, ones)
    capped = cap_growth(canvas, edits, torch.tensor([length + headroom]))
    room = headroom + int(gone.sum())
    expected = []
    for count in counts[0].tolist():
        expected.append(min(count, room))
        room -= expected[-1]
    assert capped.insert[0].tolist() == expected


def test_a_row_never_outgrows_its_headroom() -> None:
    class Growing(Noise):
        """Keeps everything and finds five tokens missing everywhere, at every pass."""

        def operations(self, hidden: Hidden) -> torch.Tensor:
            return torch.tensor([0.0, -9.0, -9.0]).expand(*hidden.ids.shape, 3)

        def gaps(self, hidden: Hidden) -> tuple[torch.Tensor, torch.Tensor]:
            counts = torch.tensor([-9.0] * 4 + [0.0]).expand(*hidden.ids.shape, 5)
            return torch.full(hidden.ids.shape, -9.0), counts

    texts = [[20] * 10, [21] * 20]
    last = Sampler(EditFlow(), Growing(seed=0)).run(canvas_of(texts))
    assert [row.ids.shape[1] for row in last.rows] == [14 + HEADROOM, 24 + HEADROOM]
    assert all((row.ids[row.role == Role.EDITED] >= FIRST_TEXT_ID).all() for row in last.rows)

"""On-policy states: edits in slots give the canvas that the decoder would have, and never touch the target."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from editflow.backbone import Backbone, BackboneConfig
from editflow.canvas import BOS, EOS, FIRST_TEXT_ID, PLACEHOLDER, Canvas, Edits, Role, apply_edits
from editflow.process.base import BLANK, IGNORE, AlignedBatch
from editflow.process.corruption import observe
from editflow.process.edit_flow import EditFlow, Thresholds
from editflow.sampler import MAX_PASSES
from editflow_trainer.data.batches import collate
from editflow_trainer.data.on_policy import apply_in_slots, canvas_of, on_policy
from editflow_trainer.data.row import Row
from tests.trainer.data.examples import ids

SEEDS = st.integers(0, 2**32)
VOCABULARY = 40


def make_batch(generator: torch.Generator, rows: int = 3) -> AlignedBatch:
    """Random pairs of few different tokens between frozen ones, so that inserted tokens often are wanted ones."""

    def row() -> Row:
        length = int(torch.randint(1, 12, (), generator=generator))
        sides = torch.randint(FIRST_TEXT_ID - 1, FIRST_TEXT_ID + 4, (2, length), generator=generator)
        z0, z1 = torch.where(sides < FIRST_TEXT_ID, BLANK, sides)
        both = (z0 == BLANK) & (z1 == BLANK)
        z1[both] = FIRST_TEXT_ID
        return framed(z0.tolist(), z1.tolist())

    return collate([row() for _ in range(rows)])


def framed(z0: list[int], z1: list[int]) -> Row:
    """A pair between two frozen tokens."""
    role = [0 if token == BLANK else int(Role.ORIGINAL) for token in z0]
    return Row(ids(BOS, *z0, EOS), ids(BOS, *z1, EOS), np.array([0, *role, 0], np.uint8))


def make_edits(canvas: Canvas, generator: torch.Generator, width: int) -> Edits:
    """Random edits of editable tokens and gaps; `width` ids for an insertion."""
    shape = canvas.ids.shape

    def some(share: float) -> Tensor:
        return torch.rand(shape, generator=generator) < share

    tokens = torch.randint(FIRST_TEXT_ID, FIRST_TEXT_ID + 4, (*shape, 1 + width), generator=generator)
    delete = some(0.3) & ~canvas.frozen
    count = torch.randint(1, 4, shape, generator=generator)
    ones = torch.ones(shape)
    return Edits(
        delete=delete,
        substitute=torch.where(some(0.3) & ~canvas.frozen & ~delete, tokens[..., 0], -1),
        insert=torch.where(some(0.4) & canvas.editable_gaps, count, 0),
        insert_id=tokens[..., 1:],
        probability=ones,
        insert_probability=ones,
    )


def lists(values: Tensor) -> list[list[int]]:
    return [[v for v in row if v >= 0] for row in values.tolist()]


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.integers(1, 2))
def test_slots_follow_the_canvas(seed: int, width: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    batch = make_batch(generator)
    for _ in range(2):
        state = observe(batch, batch.z0)
        canvas = canvas_of(state)
        edits = make_edits(canvas, generator, width)
        after = apply_in_slots(batch, state, edits)
        decoded = apply_edits(canvas, edits, 1000)
        assert lists(after.z0) == [
            ids[live].tolist() for ids, live in zip(decoded.ids, decoded.live, strict=True)
        ]
        assert lists(after.z1) == lists(batch.z1)
        assert not ((after.z0 == BLANK) & (after.z1 == BLANK)).any()
        assert ((after.z0 == IGNORE) == (after.z1 == IGNORE)).all()
        roles = observe(after, after.z0).role
        assert torch.equal(roles, torch.where(decoded.live, decoded.role, 0))
        batch = after


def transition(
    z0: list[int],
    z1: list[int],
    *,
    delete: int = 0,
    substitute: tuple[int, int] = (0, -1),
    insert: tuple[int, int, int] = (0, 0, 0),
) -> list[tuple[int, int]]:
    """The slots after edits of one row; BOS, which no edit here touches, is column 0. It and EOS are left out."""
    batch = collate([framed(z0, z1)])
    state = observe(batch, batch.z0)
    column, count, token = insert
    shape = state.ids.shape
    places = torch.arange(shape[1])[None]
    edits = Edits(
        delete=(places == delete) & (places > 0),
        substitute=torch.where(places == substitute[0], substitute[1], -1),
        insert=torch.where(places == column, count, 0),
        insert_id=torch.full((*shape, 1), token),
        probability=torch.ones(shape),
        insert_probability=torch.ones(shape),
    )
    after = apply_in_slots(batch, state, edits)
    return list(zip(after.z0[0].tolist(), after.z1[0].tolist(), strict=True))[1:-1]


A, B, C, X = range(20, 24)


def test_what_each_edit_does_to_its_slot() -> None:
    assert transition([A, B], [A, B], delete=1) == [(BLANK, A), (B, B)]
    assert transition([A, X], [A, BLANK], delete=2) == [(A, A)]  # rightly: the slot goes too
    assert transition([X, B], [A, B], substitute=(1, A)) == [(A, A), (B, B)]
    waiting = ([A, BLANK, BLANK, C], [A, B, X, C])
    assert transition(*waiting, insert=(1, 1, X)) == [(A, A), (BLANK, B), (X, X), (C, C)]
    assert transition(*waiting, insert=(1, 1, C)) == [(A, A), (C, B), (BLANK, X), (C, C)]
    p = PLACEHOLDER
    assert transition(*waiting, insert=(1, 3, p)) == [(A, A), (p, B), (p, X), (p, BLANK), (C, C)]
    assert transition([A, C], [A, C], insert=(1, 1, X)) == [(A, A), (X, BLANK), (C, C)]


def test_a_changed_deletion_and_insertion_side_by_side_are_one_substitution() -> None:
    moved = transition([A, C], [A, C], delete=2, insert=(1, 1, X))
    assert moved == [(A, A), (X, C)]
    untouched = transition([A, BLANK, C], [BLANK, B, C], substitute=(2, X))
    assert untouched == [(A, BLANK), (BLANK, B), (X, C)]


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_the_alignment_is_near_the_shortest(seed: int) -> None:
    """From equal sides, one pass of edits costs no more slots than edits, and mostly the least."""
    generator = torch.Generator().manual_seed(seed)
    batch = make_batch(generator, rows=1)
    target = batch.z1[:, (batch.z1 != BLANK)[0]]
    batch = AlignedBatch(target, target, torch.where(target < FIRST_TEXT_ID, 0, int(Role.ORIGINAL)))
    state = observe(batch, batch.z0)
    edits = make_edits(canvas_of(state), generator, 1)
    after = apply_in_slots(batch, state, edits)
    cost = int(((after.z0 != after.z1) & (after.z1 != IGNORE)).sum())
    made = int(edits.delete.sum() + (edits.substitute >= 0).sum() + edits.insert.sum())
    least = Levenshtein.distance(lists(after.z0)[0], lists(after.z1)[0])
    assert least <= cost <= made


@pytest.mark.parametrize("passes", [1, 2])
def test_a_model_leaves_its_own_state(passes: int) -> None:
    torch.manual_seed(0)
    shape = BackboneConfig(VOCABULARY, width=16, layers=1, heads=2, hidden=24, copy_width=8, max_count=4)
    model, process = Backbone(shape), EditFlow(Thresholds(0, 0, 0))
    batch = make_batch(torch.Generator().manual_seed(1), rows=8)
    drawn = [on_policy(batch, model, process, torch.Generator().manual_seed(2), passes) for _ in range(2)]
    assert torch.equal(drawn[0].z0, drawn[1].z0)
    assert lists(drawn[0].z1) == lists(batch.z1)
    assert lists(drawn[0].z0) != lists(batch.z0)
    if passes == 1:
        canvas = canvas_of(observe(batch, batch.z0))
        decoded = apply_edits(canvas, process.step(model, canvas, MAX_PASSES), 1000)
        assert lists(torch.where(decoded.live, decoded.ids, -1)) == lists(drawn[0].z0)
    assert not any(value.requires_grad for value in (drawn[0].z0, drawn[0].z1, drawn[0].role))
    quiet = EditFlow(Thresholds(1.1, 1.1, 1.1))
    same = on_policy(batch, model, quiet, torch.Generator(), passes)
    assert torch.equal(same.z0, batch.z0)

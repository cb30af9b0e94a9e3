"""The path from z0 to z1: one z_t gives the input and every target, and the targets lead to z1."""

from collections import defaultdict

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from editflow.canvas import BOS, EOS, PLACEHOLDER, Role
from editflow.process.base import BLANK, IGNORE, AlignedBatch
from editflow.process.corruption import (
    DELETE,
    KEEP,
    SUBSTITUTE,
    Corrupted,
    draw_path,
    observe,
    open_placeholders,
)
from editflow.process.edit_flow import EditFlow

TOKEN = st.integers(16, 20)
SLOT = (
    st.tuples(TOKEN, TOKEN)
    | TOKEN.map(lambda token: (token, token))
    | st.tuples(st.just(BLANK), TOKEN)
    | st.tuples(TOKEN | st.just(PLACEHOLDER), TOKEN | st.just(BLANK))
)
Slots = list[tuple[int, int]]
BATCHES = st.lists(st.lists(SLOT, max_size=12), min_size=1, max_size=4)
SEED = st.integers(0, 2**32)


def role_of(token: int) -> Role:
    return Role.CONTEXT if token == BLANK else Role.EDITED if token == PLACEHOLDER else Role.ORIGINAL


def batch_of(rows: list[Slots]) -> AlignedBatch:
    """Rows framed by a frozen token on each side, padded with IGNORE."""
    framed = [[(BOS, BOS), *row, (EOS, EOS)] for row in rows]
    width = max(map(len, framed))
    padded = [row + [(IGNORE, IGNORE)] * (width - len(row)) for row in framed]
    roles = [[0, *(int(role_of(old)) for old, _ in row), 0] for row in rows]
    z0, z1 = torch.tensor(padded).unbind(-1)
    return AlignedBatch(z0, z1, torch.tensor([role + [0] * (width - len(role)) for role in roles]))


def tokens_of(side: Tensor) -> list[int]:
    tokens: list[int] = side[side >= 0].tolist()
    return tokens


def after_pending(state: Corrupted, b: int) -> list[int]:
    """Row b of x_t after every pending operation, by a plain loop."""
    replacements = zip(state.substitute_row.tolist(), state.substitute_column.tolist(), strict=True)
    becomes = dict(zip(replacements, state.substitute_token.tolist(), strict=True))
    missing: dict[tuple[int, int], list[int]] = defaultdict(list)
    columns = (state.insert_row, state.insert_column, state.insert_token)
    for row, column, token in zip(*(c.tolist() for c in columns), strict=True):
        missing[row, column].append(token)
    out: list[int] = []
    for column, token in enumerate(tokens_of(torch.where(state.live[b], state.ids[b], BLANK))):
        operation = int(state.operation[b, column])
        assert ((b, column) in becomes) == (operation == SUBSTITUTE)
        assert len(missing[b, column]) == state.missing[b, column]
        if operation != DELETE:
            out.append(becomes.get((b, column), token))
        out += missing[b, column]
    return out


@given(BATCHES, SEED, st.floats(0, 1))
def test_the_pending_operations_lead_from_x_t_to_the_target(
    rows: list[Slots], seed: int, kappa: float
) -> None:
    batch, generator = batch_of(rows), torch.Generator().manual_seed(seed)
    state = EditFlow().corrupt(batch, torch.full((len(rows),), kappa), generator)
    for b in range(len(rows)):
        assert after_pending(state, b) == tokens_of(batch.z1[b])


@given(BATCHES, SEED)
def test_the_ends_of_the_path_are_source_and_target(rows: list[Slots], seed: int) -> None:
    batch, generator = batch_of(rows), torch.Generator().manual_seed(seed)
    assert draw_path(batch, torch.zeros(len(rows)), generator).equal(batch.z0)
    finished = draw_path(batch, torch.ones(len(rows)), generator)
    assert finished.equal(batch.z1)
    state = observe(batch, finished)
    assert (state.operation == KEEP).all()
    assert len(state.substitute_token) == len(state.insert_token) == int(state.missing.sum()) == 0


def test_a_slot_has_arrived_with_probability_kappa() -> None:
    batch = batch_of([[(16, 17)] * 8000] * 3)
    kappa = torch.tensor([0.1, 0.5, 0.8])
    zt = draw_path(batch, kappa, torch.Generator().manual_seed(0))[:, 1:-1]
    assert torch.allclose((zt == 17).float().mean(1), kappa, atol=0.02)
    assert ((zt == 16) | (zt == 17)).all()


@given(BATCHES, SEED, st.floats(0, 1))
def test_placeholders_open_whole_runs_of_pending_insertions(
    rows: list[Slots], seed: int, share: float
) -> None:
    batch, generator = batch_of(rows), torch.Generator().manual_seed(seed)
    opened = open_placeholders(batch, batch.z0, torch.full((len(rows),), share), generator)
    pending = (batch.z0 == BLANK) & (batch.z1 >= 0)
    assert opened[~pending].equal(batch.z0[~pending])
    assert (opened[pending] == PLACEHOLDER).logical_or(opened[pending] == BLANK).all()
    adjacent = pending[:, 1:] & pending[:, :-1]
    assert (opened[:, 1:] == opened[:, :-1])[adjacent].all()
    if share in (0, 1):
        assert (opened[pending] == (PLACEHOLDER if share else BLANK)).all()


@given(BATCHES, SEED, st.floats(0, 1))
def test_roles_and_masks_follow_from_what_is_written(rows: list[Slots], seed: int, kappa: float) -> None:
    batch, generator = batch_of(rows), torch.Generator().manual_seed(seed)
    zt = draw_path(batch, torch.full((len(rows),), kappa), generator)
    state = observe(batch, zt)
    for b in range(len(rows)):
        slots = zip(zt[b].tolist(), batch.z0[b].tolist(), batch.role[b].tolist(), strict=True)
        roles = [role if now == old else int(Role.EDITED) for now, old, role in slots if now >= 0]
        live = state.live[b]
        assert state.ids[b][live].tolist() == tokens_of(zt[b])
        assert state.role[b][live].tolist() == roles
        editable = [role != Role.CONTEXT for role in roles]
        gaps = [here or after for here, after in zip(editable, [*editable[1:], False], strict=True)]
        assert state.editable[b][live].tolist() == editable
        assert state.gaps[b][live].tolist() == gaps
        assert not (state.editable[b] | state.gaps[b])[~live].any()


def test_padding_and_context_have_no_pending_operation() -> None:
    state = observe(batch := batch_of([[(16, 17), (BLANK, 18)], []]), batch.z0)
    assert state.operation.tolist() == [[KEEP, SUBSTITUTE, KEEP], [KEEP] * 3]
    assert state.missing.tolist() == [[0, 1, 0], [0, 0, 0]]
    assert state.live.long().tolist() == [[1, 1, 1], [1, 1, 0]]

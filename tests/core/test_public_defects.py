"""Defects found in public implementations of edit flows, each with a test that is named after it: none is ours."""

import inspect
from typing import cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from editflow.backbone import Backbone, BackboneConfig
from editflow.canvas import BOS, EDIT, EOS, FIRST_TEXT_ID, PAD, Canvas, Edits, Role, apply_edits
from editflow.heads import Hidden
from editflow.process.base import BLANK, AlignedBatch, Heads
from editflow.process.continuous import ContinuousEditFlow, FlowConfig, Sampling
from editflow.process.corruption import DELETE, Corrupted
from editflow.process.coupling import Aligned, Coupling, Empty
from editflow.process.euler import Insertions
from tests.core.enumeration import SLOTS, VOCABULARY, Enumeration, ExactHeads, Pairs
from tests.core.oracle import Noise, canvas_of

SEED = st.integers(0, 2**32)
TIME = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)
SIGMAS = 4.5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn_states(
    seed: int, t: float, coupling: Coupling, rows: int = 6
) -> tuple[AlignedBatch, Corrupted, Corrupted]:
    """Pairs, and the states towards both ends at t."""
    generator = seeded(seed)
    batch = Pairs.random(seed % 5).draw(rows, generator)
    process = ContinuousEditFlow(coupling=coupling)
    state = process.corrupt(batch, torch.full((rows,), t), generator)
    assert state.backward is not None
    return coupling(batch, generator), state.forward, state.backward


def text(tokens: Tensor) -> list[list[int]]:
    """Rows without blanks and padding."""
    return [[t for t in row if t >= 0] for row in tokens.tolist()]


def finished(state: Corrupted) -> Canvas:
    """x_t after all operations that are pending."""
    origin = torch.where(state.live, 0, -1)
    one, rows = torch.ones(state.ids.shape), torch.ones(len(state.ids))
    canvas = Canvas(state.ids, state.role, origin, state.live, one, one, rows, rows, rows.long())
    substitute = torch.full_like(state.ids, -1)
    substitute[state.substitute_row, state.substitute_column] = state.substitute_token
    insert_id = torch.zeros((*state.ids.shape, SLOTS), dtype=torch.int64)
    place = torch.zeros_like(state.ids)
    columns = (state.insert_row.tolist(), state.insert_column.tolist(), state.insert_token.tolist())
    for row, column, token in zip(*columns, strict=True):
        insert_id[row, column, place[row, column]] = token
        place[row, column] += 1
    assert place.equal(state.missing)
    edits = Edits(state.operation == DELETE, substitute, state.missing, insert_id, one, one)
    return apply_edits(canvas, edits, 100)


@given(SEED, TIME, st.sampled_from([Aligned(), Empty()]))
def test_input_and_targets_come_from_two_draws_of_z_t(seed: int, t: float, coupling: Coupling) -> None:
    """Both ways the operations, applied to the input, give the very end; so anchors are right as well."""
    batch, forward, backward = drawn_states(seed, t, coupling)
    assert forward.ids.equal(backward.ids) and forward.live.equal(backward.live)
    for state, end in ((forward, batch.z1), (backward, batch.z0)):
        done = finished(state)
        assert [ids[live].tolist() for ids, live in zip(done.ids, done.live, strict=True)] == text(end)


class Listening(Noise):
    """Noise that notes the time it is given."""

    reverse = None

    def __call__(self, ids: Tensor, role: Tensor, live: Tensor, time: Tensor | None = None) -> Hidden:
        self.time = time
        return super().__call__(ids, role, live, time)

    def substitution_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        return torch.zeros(len(row))

    def insertion_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        return torch.zeros(len(row))


@given(SEED, st.floats(0, 0.99))
def test_the_loss_is_taken_at_another_time_than_x_t_was_drawn_at(seed: int, t: float) -> None:
    process, generator = ContinuousEditFlow(), seeded(seed)
    time = torch.tensor([t, t / 2])
    state = process.corrupt(Pairs.random(0).draw(2, generator), time, generator)
    assert state.time.equal(time)  # neither shifted nor clamped
    weight = (1 / (1 - time.double())).clamp(max=process.config.max_weight).float()
    torch.testing.assert_close(state.weight[:, 0], weight)
    losses = []
    for _ in range(2):
        heads = Listening(seed)
        losses.append(process.loss(heads, state).total)
        assert heads.time is not None and heads.time.equal(time)
    assert losses[0] == losses[1]
    assert list(inspect.signature(process.loss).parameters) == ["heads", "state"]


@pytest.mark.parametrize(("schedule", "power"), [("linear", 1), ("quadratic", 2), ("cubic", 3)])
@pytest.mark.parametrize("t", [0.3, 0.5, 0.8])
def test_the_schedule_called_cubic_is_t_squared(schedule: str, power: int, t: float) -> None:
    """As drawn and as weighed; the polynomials themselves are tested in test_schedule.py."""
    rows = 20_000
    batch = Pairs.of([[(16, 17)]], torch.tensor([1])).draw(rows, seeded())
    state = ContinuousEditFlow(FlowConfig(schedule)).corrupt(batch, torch.full((rows,), t), seeded())
    share, kappa = (state.forward.ids[:, 2] == 17).double().mean(), t**power
    assert abs(float(share) - kappa) < SIGMAS * (kappa * (1 - kappa) / rows) ** 0.5
    assert float(state.weight[0, 2]) == pytest.approx(power * t ** (power - 1) / (1 - kappa), rel=1e-5)


def small_network() -> Backbone:
    torch.manual_seed(0)
    network = Backbone(BackboneConfig(VOCABULARY, 16, 2, 2, 16, 4, max_count=4, time_features=4, reverse=1))
    for parameter in network.parameters():  # rate heads start at zero
        parameter.data += 0.1 * torch.randn(parameter.shape)
    return network


@pytest.mark.parametrize("token", [PAD, EOS])
def test_padding_is_found_by_the_value_of_a_token(token: int) -> None:
    """A text that holds the padding's or the end's id keeps it, is trained there, and the network sees it."""
    slots = [(token, token), (token, 17), (BLANK, token)]
    pairs = Pairs.of([slots, [(16, 16)]], torch.tensor([1, 1]))
    z0 = pairs.batch.z0
    role = torch.where((z0 >= 0) & (torch.arange(z0.shape[1]) > 1), int(Role.ORIGINAL), 0)
    role[:, -1] = role[1, 3:] = 0
    state = (
        ContinuousEditFlow().corrupt(AlignedBatch(z0, pairs.batch.z1, role), torch.zeros(2), seeded()).forward
    )
    assert state.ids[0].tolist() == [BOS, EDIT, token, token, EOS]
    assert state.editable[0].tolist() == [False, False, True, True, False]
    assert state.live.tolist() == [[True] * 5, [True] * 4 + [False]]
    assert (state.substitute_column.tolist(), state.insert_token.tolist()) == ([3], [token])
    with torch.no_grad():
        network, time = small_network(), torch.zeros(2)

        def seen(change: tuple[int, int]) -> Tensor:
            ids = state.ids.clone()
            ids[change] = 18
            states: Tensor = network(ids, state.role, state.live, time).states
            return states[change[0], :2]

        plain = network(state.ids, state.role, state.live, time).states
        assert not torch.allclose(seen((0, 2)), plain[0, :2])
        assert torch.allclose(seen((1, 4)), plain[1, :2])


@given(SEED, TIME, st.sampled_from([Aligned(), Empty()]))
def test_the_blank_is_an_input(seed: int, t: float, coupling: Coupling) -> None:
    _, forward, backward = drawn_states(seed, t, coupling)
    assert BLANK < 0
    for state in (forward, backward):
        assert (
            (state.ids >= 0).all() and (state.insert_token >= 0).all() and (state.substitute_token >= 0).all()
        )
        assert (state.ids[state.editable] >= FIRST_TEXT_ID).all()


class Bag(Listening):
    """The same Q_ins in every gap."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.logits = torch.zeros(VOCABULARY, requires_grad=True)

    def insertion_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        return self.logits.log_softmax(0)[token]


def test_only_the_leftmost_missing_token_of_a_gap_is_supervised() -> None:
    """Three are counted, Q is their bag, and each of them pulls on it."""
    pairs = Pairs.of([[(16, 16), (BLANK, 16), (BLANK, 17), (BLANK, 18)]], torch.tensor([1]))
    process = ContinuousEditFlow()
    state = process.corrupt(pairs.batch, torch.zeros(1), seeded())
    assert (state.forward.missing[0].tolist(), state.forward.insert_column.tolist()) == (
        [0, 0, 3, 0],
        [2] * 3,
    )
    assert state.forward.insert_token.tolist() == [16, 17, 18]
    bag = Bag(0)
    terms = process.loss(bag, state)
    assert (int(terms.pending), int(terms.insertions)) == (3, 3)
    (slope,) = torch.autograd.grad(terms.total, bag.logits)
    assert (slope < 0).nonzero().flatten().tolist() == [16, 17, 18]
    heads = ExactHeads(pairs, process.schedule, shows_origin=1)
    canvas = pairs.sources(1, seeded())
    jumps = process.jumps(heads, canvas, 0.0)
    assert jumps.rates.insert[0].exp().tolist() == pytest.approx([0, 0, 3, 0], abs=1e-5)
    q = jumps.insertions(torch.tensor([0]), torch.tensor([2])).exp()[0, 16:19]
    assert q.tolist() == pytest.approx([1 / 3] * 3, abs=1e-5)


@pytest.mark.parametrize("slot", [(16, BLANK), (16, 17), (BLANK, 17)])
@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("parameterisation", ["hazard", "scaled_softplus", "softplus"])
def test_the_sampler_reads_heads_that_the_loss_does_not_train(
    slot: tuple[int, int], back: bool, parameterisation: str
) -> None:
    """A step down the loss makes the sampler's rate of the pending operation rise."""
    t, network = 0.5, small_network()
    process = ContinuousEditFlow(FlowConfig(parameterisation=parameterisation))
    pairs = Pairs.of([[(18, 18), slot]], torch.tensor([1]))
    generator = seeded()
    while True:
        state = process.corrupt(pairs.batch, torch.tensor([t]), generator)
        pending = state.backward if back else state.forward
        assert pending is not None
        if (pending.operation != 0).any() or pending.missing.any():
            break
    canvas = Canvas.from_rows([(pending.ids[0].tolist(), state.forward.role[0].tolist())])

    @torch.no_grad()
    def log_rate() -> float:
        """Of the operation that is pending."""
        jumps = process.jumps(network, canvas, t, back=back)
        if len(pending.insert_column):
            q = jumps.insertions(pending.insert_row, pending.insert_column)
            return float(jumps.rates.insert[0, pending.insert_column] + q[0, pending.insert_token])
        if len(pending.substitute_column):
            q = jumps.substitutions(pending.substitute_row, pending.substitute_column)
            return float(
                jumps.rates.substitute[0, pending.substitute_column] + q[0, pending.substitute_token]
            )
        return float(jumps.rates.delete[pending.operation == DELETE])

    before = log_rate()
    loss = process.loss(network, state).total
    loss.backward()  # type: ignore[no-untyped-call]
    torch.optim.SGD(network.parameters(), lr=1e-3).step()
    assert log_rate() > before + 1e-3


class Stubborn(Noise):
    """High rates everywhere, and a Q that puts nearly all on special tokens and on the token itself."""

    reverse = None

    def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        answers = super().substitutions(hidden, row, column)
        return answers.scatter(1, hidden.ids[row, column][:, None], 50.0).log_softmax(-1)

    def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        answers = super().insertions(hidden, row, column)
        answers[:, :FIRST_TEXT_ID] = 50.0
        return answers.log_softmax(-1)


@settings(max_examples=50)
@given(
    st.lists(st.lists(st.integers(FIRST_TEXT_ID, FIRST_TEXT_ID + 30), max_size=8), min_size=1, max_size=3),
    st.sampled_from(list(Insertions)),
    SEED,
)
def test_frozen_tokens_are_edited_or_special_ones_or_the_token_itself_written(
    texts: list[list[int]], insertions: Insertions, seed: int
) -> None:
    canvas = canvas_of(texts)
    process = ContinuousEditFlow(sampling=Sampling(3, insertions), generator=seeded(seed))
    for passes_left in (3, 1):
        edits = process.step(cast(Heads, Stubborn(seed)), canvas, passes_left)
        substituted, inserted = edits.substitute >= 0, edits.insert > 0
        assert not ((edits.delete | substituted) & canvas.frozen).any()
        assert not (inserted & ~canvas.editable_gaps).any()
        assert (edits.substitute[substituted] >= FIRST_TEXT_ID).all()
        assert (edits.substitute != canvas.ids)[substituted].all()
        for row, column in inserted.nonzero().tolist():
            assert (edits.insert_id[row, column, : edits.insert[row, column]] >= FIRST_TEXT_ID).all()
    if sum(map(len, texts)) > 6:
        assert bool(edits.changed().any())


@given(SEED, TIME)
def test_a_token_that_never_changed_looks_edited(seed: int, t: float) -> None:
    """Whether a token is the source's is z_t = z0, not whether the coin of its slot has fallen."""
    batch, forward, _ = drawn_states(seed, t, Aligned())
    z0, z1 = (side.gather(1, forward.slot) for side in (batch.z0, batch.z1))
    assert (forward.role[(z0 == z1) & forward.live] != Role.EDITED).all()
    assert ((forward.role == Role.EDITED) & forward.live).equal((forward.ids != z0) & forward.live)


def test_the_optimal_rates_do_not_vanish_on_what_is_finished() -> None:
    """At t near 1 what has arrived has hardly any rate left, and what has not has nearly w."""
    pairs = Pairs.of([[(16, 17), (16, BLANK), (BLANK, 18)]], torch.tensor([1]))
    process = ContinuousEditFlow(FlowConfig(shows_origin=0))
    heads = ExactHeads(pairs, process.schedule)
    enumeration = Enumeration(pairs)
    canvas = enumeration.canvas()
    exits = process.jumps(heads, canvas, 0.99).rates.exit_rate()
    pending = torch.stack([enumeration.at(0.99).delete.sum(1), enumeration.at(0.99).insert.sum((1, 2))]).sum(
        0
    )
    pending += enumeration.at(0.99).substitute.sum((1, 2))
    torch.testing.assert_close(exits.double(), 100 * pending, rtol=1e-4, atol=1e-6)
    done = [ids[2:-1] for ids, _ in enumeration.rows].index((17, 18))
    assert float(exits[done]) < 1e-6 < 99 < float(exits[torch.arange(len(exits)) != done].min())

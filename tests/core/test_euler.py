"""Euler steps: frequencies on rates made by hand, and on enumerated flows the end that they should come to."""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import exp

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from editflow.canvas import BOS, EOS, FIRST_TEXT_ID, Canvas, Edits, apply_edits
from editflow.process import euler
from editflow.process.base import BLANK
from editflow.process.choice import Sharpening, uniform
from editflow.process.continuous import ContinuousEditFlow, FlowConfig, Sampling
from editflow.process.euler import Insertions, euler_step
from editflow.process.rates import Rates
from tests.core.enumeration import ExactHeads, Pairs
from tests.core.oracle import FIRST_KEY, Noise, canvas_of
from tests.core.simulation import SIGMAS, Fit, fit, seeded, simulate

A, B, C = range(FIRST_TEXT_ID, FIRST_TEXT_ID + 3)
ROWS = 100_000
WEIGHT = 2.0
Q_SUBSTITUTE = {A: 0.0, B: 0.9, C: 0.1}
Q_INSERT = {A: 0.2, B: 0.3, C: 0.5}
each_kind = pytest.mark.parametrize("insertions", list(Insertions))


@dataclass(frozen=True)
class Given:
    """Jumps made by hand: the same rates in every row, the same Q at every place."""

    rates: Rates
    log_weight: Tensor

    @classmethod
    def of(
        cls, insert: list[float], delete: list[float], substitute: list[float], rows: int = ROWS
    ) -> "Given":
        """From rates at each column."""
        logs = (torch.tensor(values).log().expand(rows, -1) for values in (insert, delete, substitute))
        return cls(Rates(*logs), torch.tensor(WEIGHT).log().expand(rows))

    def substitutions(self, row: Tensor, column: Tensor) -> Tensor:
        return log_q(Q_SUBSTITUTE).expand(len(row), -1)

    def insertions(self, row: Tensor, column: Tensor) -> Tensor:
        return log_q(Q_INSERT).expand(len(row), -1)


def log_q(q: dict[int, float]) -> Tensor:
    return torch.zeros(C + 1).index_put((torch.tensor(list(q)),), torch.tensor(list(q.values()))).log()


def rows_of_a(rows: int = ROWS) -> Canvas:
    """A frozen token, two that may change, a frozen one."""
    one = Canvas.from_rows([([BOS, A, A, EOS], [0, 1, 1, 0])])
    return one.select(torch.zeros(rows, dtype=torch.int64))


def step(
    jumps: Given, length: float = 0.1, insertions: Insertions = Insertions.binomial, seed: int = 0
) -> Edits:
    return euler_step(jumps, rows_of_a(len(jumps.log_weight)), length, seeded(seed), insertions)


def assert_mean(values: Tensor, expected: float) -> None:
    """Within 4.5 standard errors."""
    values = values.double()
    error = float(values.std()) / len(values) ** 0.5
    assert abs(float(values.mean()) - expected) <= SIGMAS * error + 1e-12


USUAL = Given.of([1.0, 0.0, 1.8, 0.0], [0.0, 1.5, 0.5, 0.0], [0.0, 1.0, 0.0, 0.0])


@each_kind
def test_every_jump_has_the_probability_of_its_rate(insertions: Insertions) -> None:
    edits = step(USUAL, insertions=insertions)
    for column in range(4):
        assert_mean(edits.delete[:, column], [0.0, 0.15, 0.05, 0.0][column])
        assert_mean(edits.substitute[:, column] >= 0, [0.0, 0.1, 0.0, 0.0][column])
        assert_mean(edits.insert[:, column], [0.1, 0.0, 0.18, 0.0][column])
    written = edits.substitute[edits.substitute >= 0]
    entered = edits.insert_id[..., 0][edits.insert > 0]
    for token in (A, B, C):
        assert_mean(written == token, Q_SUBSTITUTE[token])
        assert_mean(entered == token, Q_INSERT[token])


@each_kind
def test_a_token_goes_or_changes_and_its_gap_knows_nothing_of_it(insertions: Insertions) -> None:
    jumps = Given.of([0.0, 1.5, 0.0, 0.0], [0.0, 3.0, 3.0, 0.0], [0.0, 4.0, 4.0, 0.0])
    edits = step(jumps, insertions=insertions)
    substituted, inserted = edits.substitute >= 0, edits.insert > 0
    assert not (edits.delete & substituted).any()
    entered = float(inserted[:, 1].double().mean())
    for event, chance in ((edits.delete[:, 1], 0.3), (substituted[:, 1], 0.4)):
        assert_mean(event & inserted[:, 1], chance * entered)
        assert (event & inserted[:, 1]).any()
    assert_mean(edits.delete[:, 1] & edits.delete[:, 2], 0.3 * 0.3)


def test_beyond_probability_one_the_shares_count() -> None:
    jumps = Given.of([0.0, 15.0, 0.0, 0.0], [0.0, 20.0, 7.0, 0.0], [0.0, 5.0, 0.0, 0.0])
    edits = step(jumps, insertions=Insertions.single)
    assert (edits.delete[:, 1] ^ (edits.substitute[:, 1] >= 0)).all()
    assert_mean(edits.delete[:, 1], 0.8)
    assert_mean(edits.delete[:, 2], 0.7)
    assert (edits.insert[:, 1] == 1).all()


@pytest.mark.parametrize(("missing", "trials"), [(0.3, 1), (1.0, 1), (2.5, 3), (3.0, 3), (3.00002, 3)])
def test_binomial_counts(missing: float, trials: int) -> None:
    """lambda / w tokens are missing: never more than that come, rounded up, and lambda h on average."""
    length = 0.2
    counts = step(Given.of([WEIGHT * missing, 0.0, 0.0, 0.0], [0.0] * 4, [0.0] * 4), length).insert[:, 0]
    chance = length * WEIGHT * missing / trials
    assert int(counts.max()) == trials
    assert_mean(counts, trials * chance)
    assert_mean((counts - trials * chance) ** 2, trials * chance * (1 - chance))


@pytest.mark.parametrize("missing", [1, 2, 7])
def test_a_known_number_of_tokens_all_come_in_the_last_step(missing: int) -> None:
    jumps = Given.of(
        [WEIGHT * missing, 0.0, 0.0, 0.0], [0.0, WEIGHT, 0.0, 0.0], [0.0, 0.0, WEIGHT, 0.0], 1000
    )
    edits = step(jumps, 1 / WEIGHT)
    assert (edits.insert[:, 0] == missing).all()
    assert edits.delete[:, 1].all() and (edits.substitute[:, 2] >= 0).all()


@pytest.mark.parametrize("rate", [0.5, 20.0])
def test_poisson_counts(rate: float) -> None:
    counts = step(Given.of([rate, 0.0, 0.0, 0.0], [0.0] * 4, [0.0] * 4), 0.1, Insertions.poisson).insert[:, 0]
    mean = 0.1 * rate
    assert_mean(counts, mean)
    assert_mean((counts - mean) ** 2, mean)
    assert_mean(counts == 0, float(torch.tensor(-mean, dtype=torch.float64).exp()))


@pytest.mark.parametrize("insertions", [Insertions.poisson, Insertions.binomial])
def test_tokens_enter_a_gap_in_the_order_in_which_they_were_drawn(insertions: Insertions) -> None:
    jumps = Given.of([3 * WEIGHT, 0.0, 2 * WEIGHT, 0.0], [0.0] * 4, [0.0] * 4)
    edits = step(jumps, 0.2, insertions)
    after = apply_edits(rows_of_a(), edits, 64)
    several = (edits.insert[:, 0] >= 2) & (edits.insert[:, 2] >= 2)
    for b in several.nonzero().flatten()[:200].tolist():
        left, right = (edits.insert_id[b, c, : int(edits.insert[b, c])].tolist() for c in (0, 2))
        assert after.ids[b][after.live[b]].tolist() == [BOS, *left, A, A, *right, EOS]
    ids = edits.insert_id[several]
    for other in (ids[:, 0, 1], ids[:, 2, 0]):  # drawn independently of one another
        assert_mean((ids[:, 0, 0] == A) & (other == C), Q_INSERT[A] * Q_INSERT[C])


@each_kind
def test_confidence_is_the_chance_that_exactly_this_is_pending(insertions: Insertions) -> None:
    edits = step(USUAL, insertions=insertions)
    for confidence in (edits.probability, edits.insert_probability):
        assert ((confidence >= 0) & (confidence <= 1)).all()
    gone, changed = edits.delete[:, 1], edits.substitute[:, 1] == B
    torch.testing.assert_close(edits.probability[gone, 1], torch.full((int(gone.sum()),), 1.5 / WEIGHT))
    expected = torch.full((int(changed.sum()),), Q_SUBSTITUTE[B] * 1.0 / WEIGHT)
    torch.testing.assert_close(edits.probability[changed, 1], expected)
    several = edits.insert[:, 2] == edits.insert[:, 2].max()
    entered = edits.insert_id[several, 2][:, : int(edits.insert[:, 2].max())]
    likely = log_q(Q_INSERT).exp()[entered].prod(1)
    torch.testing.assert_close(edits.insert_probability[several, 2], likely * 1.8 / WEIGHT)


def test_noise_resolves_rates_that_float32_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    u = uniform((1000,), seeded(), torch.device("cpu"))
    assert u.dtype == torch.float64
    assert int(((u * 2**24) % 1 == 0).sum()) == 0  # float32 draws are multiples of 2^-24
    rates = [1e-9, 1e-9, 1e-9, 1e-9]
    for drawn, fires in ((0.99e-9, True), (1.01e-9, False)):
        monkeypatch.setattr(euler, "uniform", lambda shape, *_, u=drawn: torch.full(shape, u).double())
        edits = step(Given.of(rates, rates, [0.0] * 4, rows=1), 1.0, Insertions.single)
        assert bool(edits.delete.all()) == bool(edits.insert.all()) == fires
        assert bool(edits.delete.any()) == fires


@each_kind
@given(
    texts=st.lists(st.lists(st.integers(FIRST_TEXT_ID, FIRST_KEY - 1), max_size=8), min_size=1, max_size=3),
    seed=st.integers(0, 2**32),
    length=st.floats(0.01, 2),
    time=st.floats(0, 0.99),
)
def test_whatever_the_network_says_the_rules_hold(
    insertions: Insertions, texts: list[list[int]], seed: int, length: float, time: float
) -> None:
    canvas, process = canvas_of(texts), ContinuousEditFlow()
    edits = euler_step(process.jumps(Noise(seed), canvas, time), canvas, length, seeded(seed), insertions)
    substituted, inserted = edits.substitute >= 0, edits.insert > 0
    assert not (edits.delete & substituted).any()
    assert not ((edits.delete | substituted) & canvas.frozen).any()
    assert not (inserted & ~canvas.editable_gaps).any()
    assert (edits.substitute[substituted] >= FIRST_TEXT_ID).all()
    assert (edits.substitute != canvas.ids)[substituted].all()
    entered = torch.arange(edits.insert_id.shape[2]) < edits.insert[..., None]
    assert (edits.insert_id[entered] >= FIRST_TEXT_ID).all()
    for confidence in (edits.probability, edits.insert_probability):
        assert ((confidence >= 0) & (confidence <= 1)).all()


@each_kind
def test_the_seed_decides_everything(insertions: Insertions) -> None:
    first, second, other = (step(replace(USUAL), 0.3, insertions, seed) for seed in (5, 5, 6))
    for name in ("delete", "substitute", "insert", "insert_id", "probability", "insert_probability"):
        assert getattr(first, name).equal(getattr(second, name))
    assert not first.delete.equal(other.delete) and not first.insert.equal(other.insert)


def test_sharpening_changes_tokens_but_not_rates() -> None:
    sharp = euler_step(USUAL, rows_of_a(), 0.1, seeded(), sharpening=Sharpening(temperature=0))
    plain = step(USUAL)
    assert sharp.delete.equal(plain.delete) and sharp.insert.equal(plain.insert)
    assert (sharp.substitute >= 0).equal(plain.substitute >= 0)
    assert (sharp.substitute[sharp.substitute >= 0] == B).all()
    assert (sharp.insert_id[..., 0][sharp.insert > 0] == C).all()


def run(pairs: Pairs, schedule: str, rows: int, sampling: Sampling, until: float = 1.0, seed: int = 1) -> Fit:
    """Start from x_0 ~ p_0 with exact rates, and compare with p_t at the time that is reached."""
    config, generator = FlowConfig(schedule=schedule, shows_origin=0), seeded(seed)
    process = ContinuousEditFlow(config, sampling, generator=generator)
    heads = ExactHeads(pairs, process.schedule)
    canvas, time = simulate(process, heads, pairs.sources(rows, generator), until)
    return fit(heads.enumeration, canvas, float(process.schedule.kappa(torch.tensor(time))))


AMBIGUOUS = [[(A, B), (BLANK, C)], [(A, C), (BLANK, B)], [(A, A), (B, BLANK)], [(A, BLANK), (B, C)]]
"""Insertions, deletions and substitutions: what a token or gap becomes depends on what another one does."""
CASES = [*((kind, "linear") for kind in Insertions), (Insertions.binomial, "cubic")]


@pytest.mark.parametrize(("insertions", "schedule"), CASES)
def test_many_small_steps_end_in_the_distribution_of_the_targets(
    insertions: Insertions, schedule: str
) -> None:
    """300 steps: what h leaves of its bias, under 1 % of the rows, is too little to be seen in the chi-square test."""
    found = run(Pairs.random(2), schedule, 4000, Sampling(300, insertions))
    assert found.p_value > 1e-4
    assert found.outside < 0.01


@pytest.mark.parametrize("schedule", ["linear", "cubic"])
def test_half_way_the_rows_are_distributed_as_the_path(schedule: str) -> None:
    found = run(Pairs.random(0), schedule, 6000, Sampling(200), until=0.7)
    assert found.p_value > 1e-4
    assert found.outside < 0.01


@pytest.mark.parametrize(("insertions", "schedule"), CASES)
def test_half_the_step_halves_the_bias(insertions: Insertions, schedule: str) -> None:
    """Rows that end as no target: two jumps fell into one step, and do not belong together."""
    pairs = Pairs.of(AMBIGUOUS, torch.tensor([3, 2, 2, 2]))
    found = [run(pairs, schedule, 20_000, Sampling(steps, insertions)) for steps in (8, 16, 32)]
    for coarse, fine in pairwise(found):
        ratio = coarse.outside / fine.outside
        noise = ratio * ((coarse.noise / coarse.outside) ** 2 + (fine.noise / fine.outside) ** 2) ** 0.5
        assert noise < 0.09
        assert 1.5 < ratio < 2.7


@pytest.mark.parametrize("steps", [2, 4, 8, 16])
def test_the_bias_of_two_tokens_that_must_agree(steps: int) -> None:
    """CC becomes AA or BB: both tokens change in the same one of N steps with probability 1 / N, half of them apart."""
    pairs = Pairs.of([[(C, A), (C, A)], [(C, B), (C, B)]], torch.tensor([1, 1]))
    found = run(pairs, "linear", 20_000, Sampling(steps))
    expected = 1 / (2 * steps)
    assert abs(found.outside - expected) < SIGMAS * found.noise
    assert found.p_value > 1e-4


@pytest.mark.parametrize("insertions", [Insertions.single, Insertions.binomial])
def test_what_never_depends_on_anything_else_has_no_bias(insertions: Insertions) -> None:
    """Linear kappa, and one end of every source: a slot survives N steps with probability 0, however few they are."""
    slots = [(A, B), (B, BLANK), (C, A), (BLANK, C)]
    assert run(Pairs.of([slots], torch.tensor([1])), "linear", 1000, Sampling(3, insertions)).outside == 0


def test_poisson_counts_may_be_too_many() -> None:
    """Of one missing token; in one step of h w = 1 exactly one comes with probability 1 / e."""
    pairs = Pairs.of([[(BLANK, A)]], torch.tensor([1]))
    found = run(pairs, "linear", 20_000, Sampling(1, Insertions.poisson))
    assert abs(found.outside - (1 - exp(-1))) < SIGMAS * found.noise

"""The flow back: generators over all x of an enumerated problem, and samplers that use it."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor

from editflow.canvas import FIRST_TEXT_ID, Canvas, Edits, apply_edits
from editflow.process.base import BLANK
from editflow.process.continuous import ContinuousEditFlow, FlowConfig, Sampling
from editflow.process.coupling import Empty
from editflow.process.grid import Corrector
from editflow.process.jumps import Deletions, Jumps
from tests.core.enumeration import Enumeration, ExactHeads, Pairs
from tests.core.simulation import WIDEST, fit, seeded, simulate

A, B, C = range(FIRST_TEXT_ID, FIRST_TEXT_ID + 3)
TEXTS = [[A, B], [B, A], [C, C, A], [B], [C, A]]
TIMES = [0.25, 0.875]  # float32 holds them
LEAST = 1e-12  # rates below are those of events that cannot happen
PROBLEMS: list[Callable[[], Pairs]] = [
    lambda: Pairs.random(0),
    lambda: Pairs.random(1),
    lambda: Pairs.random(2),
    lambda: Pairs.insertions(0),
]
each_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=["edits0", "edits1", "edits2", "insertions"])
each_schedule = pytest.mark.parametrize("schedule", ["linear", "cubic"])
each_time = pytest.mark.parametrize("time", TIMES)


def flow(schedule: str, sampling: Sampling | None = None, *, empty: bool = False) -> ContinuousEditFlow:
    config = FlowConfig(schedule=schedule, shows_origin=0)
    return ContinuousEditFlow(config, sampling, Empty() if empty else None, seeded(1))


def generator_of(jumps: Jumps, x: Canvas, enumeration: Enumeration) -> Tensor:
    """[X, X] float64: u(x -> y), every jump made by `apply_edits`; all must lead to an x that is enumerated."""
    size = len(enumeration.rows)
    u = torch.zeros(size, size, dtype=torch.float64)
    rates = jumps.rates
    for rate, q in (
        (rates.delete, None),
        (rates.substitute, jumps.substitutions),
        (rates.insert, jumps.insertions),
    ):
        row, column = rate.isfinite().nonzero(as_tuple=True)
        strength = rate[row, column].double().exp()[:, None]
        if q is not None:
            strength = strength * q(row, column).double().exp()
        place, token = (strength > LEAST).nonzero(as_tuple=True)
        if not len(place):
            continue
        row, column, strength = row[place], column[place], strength[place, token]
        kind = "delete" if q is None else "substitute" if q == jumps.substitutions else "insert"
        after = apply_edits(x.select(row), one_edit(x.select(row), column, token, kind), WIDEST)
        y = enumeration.find(after.ids, (after.role > 0).long(), after.live)
        assert (y < size).all()
        u.index_put_((row, y), strength, accumulate=True)
    torch.testing.assert_close(rates.exit_rate().double(), u.sum(1), rtol=1e-5, atol=1e-9)
    return u


def one_edit(canvas: Canvas, column: Tensor, token: Tensor, kind: str) -> Edits:
    """One jump in every row."""
    here = torch.arange(canvas.ids.shape[1]) == column[:, None]
    token = torch.where(here, token[:, None], -1)
    never, one = torch.zeros_like(here), torch.ones(here.shape)
    return Edits(
        delete=here if kind == "delete" else never,
        substitute=token if kind == "substitute" else torch.full_like(token, -1),
        insert=(here if kind == "insert" else never).long(),
        insert_id=token[..., None],
        probability=one,
        insert_probability=one,
    )


@cache
def generators(problem: Callable[[], Pairs], schedule: str, time: float) -> tuple[Tensor, Tensor, Tensor]:
    """p_t, u and u_rev."""
    process, pairs = flow(schedule), problem()
    heads = ExactHeads(pairs, process.schedule)
    enumeration = heads.enumeration
    x = enumeration.canvas()
    u, back = (
        generator_of(process.jumps(heads, x, time, back=back), x, enumeration) for back in (False, True)
    )
    return probability(process, enumeration, time), u, back


def probability(process: ContinuousEditFlow, enumeration: Enumeration, time: float) -> Tensor:
    return enumeration.at(float(process.schedule.kappa(torch.tensor(time, dtype=torch.float64)))).probability


def change(p: Tensor, u: Tensor) -> Tensor:
    """dp / dt under a generator: what comes in, less what goes out."""
    return p @ u - p * u.sum(1)


@each_problem
@each_schedule
@each_time
def test_the_rates_carry_the_path_forward_and_back(
    problem: Callable[[], Pairs], schedule: str, time: float
) -> None:
    """Kolmogorov's forward equation; u + u_rev leave p_t as it is."""
    p, u, back = generators(problem, schedule, time)
    process, enumeration, step = flow(schedule), Enumeration(problem()), 1e-4
    later, earlier = (probability(process, enumeration, time + d) for d in (step, -step))
    slope = (later - earlier) / (2 * step)
    assert float(slope.abs().max()) > 0.01
    torch.testing.assert_close(change(p, u), slope, rtol=0, atol=1e-6)
    torch.testing.assert_close(change(p, back), -slope, rtol=0, atol=1e-6)
    torch.testing.assert_close(change(p, u + back), torch.zeros_like(p), rtol=0, atol=1e-6)
    torch.testing.assert_close(change(p, 2.5 * u + 1.5 * back), slope, rtol=0, atol=1e-6)


@each_problem
@each_schedule
@each_time
def test_every_jump_carries_as_much_back_as_forward(
    problem: Callable[[], Pairs], schedule: str, time: float
) -> None:
    """p_t(x) u(x -> y) = p_t(y) u_rev(y -> x)."""
    p, u, back = generators(problem, schedule, time)
    assert int((u > 0).sum()) > len(p) / 2
    torch.testing.assert_close(p[:, None] * u, (p[:, None] * back).T, rtol=1e-5, atol=1e-9)


@each_schedule
@each_time
@pytest.mark.parametrize("seed", range(3))
def test_an_empty_source_needs_no_network_for_the_way_back(seed: int, schedule: str, time: float) -> None:
    process = flow(schedule, empty=True)
    heads = ExactHeads(Pairs.insertions(seed), process.schedule)
    x = heads.enumeration.canvas()
    analytic = process.jumps(heads, x, time, back=True)
    assert isinstance(analytic, Deletions)
    exact = flow(schedule).jumps(heads, x, time, back=True)
    open_tokens = ~x.frozen
    torch.testing.assert_close(
        analytic.rates.delete[open_tokens].double(),
        exact.rates.delete[open_tokens].double(),
        rtol=1e-5,
        atol=0,
    )
    assert analytic.rates.delete[x.frozen].isneginf().all()
    u, expected = (generator_of(jumps, x, heads.enumeration) for jumps in (analytic, exact))
    torch.testing.assert_close(u, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("schedule", "until"), [("linear", 0.5), ("cubic", 1.0)])
def test_a_corrector_does_not_move_the_distribution(schedule: str, until: float) -> None:
    """Forward by h (1 + alpha), back by h alpha, with alpha up to 2; exact rates for both."""
    process, pairs = flow(schedule, Sampling(100, corrector=Corrector(8.0))), Pairs.random(2)
    heads = ExactHeads(pairs, process.schedule)
    canvas, time = simulate(process, heads, pairs.sources(3000, seeded(2)), until)
    found = fit(heads.enumeration, canvas, float(process.schedule.kappa(torch.tensor(time))))
    assert found.p_value > 1e-4
    assert found.outside < 0.04


@pytest.mark.parametrize("corrector", [None, Corrector(8.0)], ids=["plain", "corrected"])
def test_an_empty_source_grows_into_the_targets(corrector: Corrector | None) -> None:
    process = flow("linear", Sampling(100, corrector=corrector), empty=True)
    pairs = Pairs.of([[(BLANK, token) for token in text] for text in TEXTS], torch.tensor([2, 3, 1, 1, 2]))
    heads = ExactHeads(pairs, process.schedule)
    source = process.prior(targets(pairs).select(torch.zeros(3000, dtype=torch.int64)))
    assert not (~source.frozen).any()
    canvas, _ = simulate(process, heads, source)
    found = fit(heads.enumeration, canvas, 1.0)
    assert found.p_value > 1e-4
    assert found.outside < 0.04


def test_the_flow_back_alone_ends_in_the_distribution_of_the_sources() -> None:
    process, pairs = flow("cubic", Sampling(100, back=True)), Pairs.random(2)
    heads = ExactHeads(pairs, process.schedule)
    drawn = torch.multinomial(pairs.weight.double(), 3000, True, generator=seeded(3))
    canvas = targets(pairs).select(drawn)
    for index in range(process.passes):
        edits = process.step(heads, canvas, process.passes - index)
        canvas = apply_edits(canvas, edits, WIDEST).trimmed()
    found = fit(heads.enumeration, canvas, 0.0)
    assert found.p_value > 1e-4
    assert found.outside < 0.04


def targets(pairs: Pairs) -> Canvas:
    """x_1 of every pair."""
    rows = [[token for token in row if token >= 0] for row in pairs.batch.z1.tolist()]
    return Canvas.from_rows([(ids, [int(token >= FIRST_TEXT_ID) for token in ids]) for ids in rows])

"""The localized path against a simulation of its definition, its closed form, and the plain path."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from editflow.canvas import BOS, Canvas, Role, apply_edits
from editflow.process.base import BLANK, IGNORE, AlignedBatch
from editflow.process.euler import euler_step
from editflow.process.localized import LocalizedPath
from editflow.process.rates import Rates
from editflow.process.schedule import CUBIC, LINEAR, SCHEDULES, Polynomial

SLOTS = {"=": (18, 18), "x": (16, 17), "+": (BLANK, 17), "-": (16, BLANK), ".": (IGNORE, IGNORE)}
PATTERN = st.text("==x+-", max_size=14)
TIMES = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)
TIMED = st.lists(st.tuples(PATTERN, TIMES), min_size=1, max_size=4)
SEED = st.integers(0, 2**32)
SIGMAS = 4.5

TWO_HUNKS = "=x=+-===x-="  # with bridge 2, the edit slots 0 1 2 and 3 4
HUNK = torch.tensor([0, 0, 0, 1, 1])


def batch_of(patterns: list[str]) -> AlignedBatch:
    width = max(1, *map(len, patterns))
    slots = torch.tensor([[SLOTS[c] for c in pattern.ljust(width, ".")] for pattern in patterns])
    z0, z1 = slots.unbind(-1)
    return AlignedBatch(z0, z1, (z0 >= 0).long())


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def samples(path: LocalizedPath, pattern: str, t: float, rows: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Of `rows` draws, m and the weights at the edit slots, [rows, E] float64."""
    batch = batch_of([pattern] * rows)
    zt, weight = path.draw(batch, torch.full((rows,), t), seeded(seed))
    edit = batch.z0[0] != batch.z1[0]
    return (zt == batch.z1)[:, edit].double(), weight[:, edit].double()


def beside(mask: Tensor) -> Tensor:
    """[N, E, E]: whether M^{l,j-1} or M^{l,j+1}, in the hunk of j, is on."""
    place = torch.arange(len(HUNK))
    adjacent = ((place[:, None] - place).abs() == 1) & (HUNK[:, None] == HUNK)
    return mask.float() @ adjacent.float() > 0


def simulated(schedule: Polynomial, propagation: float, t: float, rows: int) -> tuple[Tensor, Tensor]:
    """m and lambda_eff of the pending slots after running M, [rows, E, E], through many small steps."""
    generator, sources = seeded(7), torch.eye(len(HUNK), dtype=torch.bool)
    mask = torch.zeros((rows, *sources.shape), dtype=torch.bool)
    times = torch.linspace(0, t, 301, dtype=torch.float64)
    for start, end in pairwise(times):
        starts = 1 - (1 - schedule.kappa(end)) / (1 - schedule.kappa(start))
        spreads = -torch.expm1(-propagation * (end - start))
        probability = torch.where(sources, starts, beside(mask) * spreads)
        mask |= torch.rand(mask.shape, generator=generator) < probability
    m = mask.any(1)
    rate = schedule.weight(times[-1]) + propagation * beside(mask).sum(1)
    return m.double(), torch.where(m, 0.0, rate)


def flipped(path: LocalizedPath, hunk: int, slot: int, t: float) -> Tensor:
    """P(m_j = 1) in closed form: j is pending if no source l of its hunk has come as far as |l - j|.

    P(M^{l,j} = 1) = integral over s < t of kappa'(s) P(Poisson(lambda_prop (t - s)) >= |l - j|).
    """
    s = torch.linspace(0, t, 2001, dtype=torch.float64)
    distance = (torch.arange(hunk, dtype=torch.float64) - slot).abs()[:, None]
    reach = torch.special.gammainc(distance.clamp_min(1), path.propagation * (t - s).expand(hunk, -1))
    density = path.schedule.derivative(s) * torch.where(distance == 0, 1.0, reach)
    return 1 - (1 - torch.trapezoid(density, s)).prod()


def assert_same_mean(a: Tensor, b: Tensor) -> None:
    """Of two sets of samples [N, ...]."""
    error = (a.var(0) / len(a) + b.var(0) / len(b)).sqrt()
    assert ((a.mean(0) - b.mean(0)).abs() <= SIGMAS * error).all()


def outer(a: Tensor) -> Tensor:
    return a[:, :, None] * a[:, None, :]


@pytest.mark.parametrize("propagation", [0.0, 4.0])
@pytest.mark.parametrize(("schedule", "t"), [(LINEAR, 0.3), (CUBIC, 0.7)])
def test_the_law_is_that_of_the_mask_run_in_small_steps(
    schedule: Polynomial, t: float, propagation: float
) -> None:
    path = LocalizedPath(schedule, propagation, bridge=2)
    m, weight = samples(path, TWO_HUNKS, t, 20_000)
    m_run, rate_run = simulated(schedule, propagation, t, 5000)
    assert_same_mean(outer(m), outer(m_run))  # its diagonal is P(m_j = 1)
    assert_same_mean(weight, rate_run)
    assert_same_mean(outer(weight), outer(rate_run))


@pytest.mark.parametrize("t", [0.2, 0.5, 0.8])
def test_the_expected_weight_is_the_slope_of_the_flipped_share(t: float) -> None:
    path, h = LocalizedPath(CUBIC, 6.0, bridge=2), 1e-4
    m, weight = samples(path, TWO_HUNKS, t, 30_000)
    for column, (hunk, slot) in enumerate([(3, 0), (3, 1), (3, 2), (2, 0), (2, 1)]):
        share = flipped(path, hunk, slot, t)
        slope = (flipped(path, hunk, slot, t + h) - flipped(path, hunk, slot, t - h)) / (2 * h)
        for drawn, exact in ((m[:, column], share), (weight[:, column], slope)):
            assert abs(drawn.mean() - exact) <= SIGMAS * drawn.std() / len(drawn) ** 0.5


@pytest.mark.parametrize(("t", "published"), [(0.4, 0.111), (0.5, 0.230), (0.6, 0.400), (0.8, 0.802)])
def test_long_runs_flip_as_much_sooner_as_published(t: float, published: float) -> None:
    path = LocalizedPath(CUBIC, 4.0)
    assert float(flipped(path, 60, 30, t)) == pytest.approx(published, abs=5.1e-4)
    middle = samples(path, "x" * 60, t, 1500)[0][:, 20:40].mean(1)  # no end of the run is felt there
    assert abs(middle.mean() - published) <= SIGMAS * middle.std() / len(middle) ** 0.5 + 5e-4


@pytest.mark.parametrize("name", SCHEDULES)
def test_without_propagation_it_is_the_plain_path(name: str) -> None:
    schedule, t, rows = SCHEDULES[name], 0.6, 6000
    m, weight = samples(LocalizedPath(schedule, 0.0), "xxx=+-", t, rows)
    time = torch.tensor(t).double()  # as draw sees it
    kappa, pending = schedule.kappa(time), m == 0
    assert ((m.mean(0) - kappa).abs() <= SIGMAS * (kappa * (1 - kappa) / rows).sqrt()).all()
    independent = torch.where(torch.eye(5, dtype=torch.bool), kappa, kappa**2)
    error = (independent * (1 - independent) / rows).sqrt()
    assert ((outer(m).mean(0) - independent).abs() <= SIGMAS * error).all()
    torch.testing.assert_close(weight[pending], schedule.weight(time).expand(int(pending.sum())))


def test_nothing_crosses_between_hunks() -> None:
    rows, t = 4000, 0.2
    for bridge, joined in ((2, False), (3, True)):
        m, _ = samples(LocalizedPath(LINEAR, 1e12, bridge), TWO_HUNKS, t, rows)
        first, second = m[:, 0], m[:, 3]
        assert (m[:, :3] == first[:, None]).all() and (m[:, 3:] == second[:, None]).all()
        assert first.equal(second) == joined
        if not joined:
            for share, slots in ((first, 3), (second, 2), (first * second, None)):
                exact = (1 - 0.8**3) * (1 - 0.8**2) if slots is None else 1 - 0.8**slots
                assert abs(share.mean() - exact) <= SIGMAS * (exact * (1 - exact) / rows) ** 0.5


def test_a_row_does_not_feel_a_longer_one_beside_it() -> None:
    rows, t = 4000, 0.2
    batch = batch_of(["x", "x" * 40] * rows)
    zt, _ = LocalizedPath(LINEAR, 1e12).draw(batch, torch.full((2 * rows,), t), seeded())
    share = (zt == batch.z1)[::2, 0].double().mean()
    assert abs(share - t) <= SIGMAS * (t * (1 - t) / rows) ** 0.5


@given(TIMED, SEED, st.integers(0, 3))
def test_fast_propagation_flips_whole_hunks(timed: list[tuple[str, float]], seed: int, bridge: int) -> None:
    batch = batch_of([pattern for pattern, _ in timed])
    zt, weight = LocalizedPath(LINEAR, 1e12, bridge).draw(
        batch, torch.tensor([t for _, t in timed]), seeded(seed)
    )
    for b, (pattern, t) in enumerate(timed):
        edits = [i for i, slot in enumerate(pattern) if slot != "="]
        for left, right in pairwise(edits):
            if right - left - 1 <= bridge:
                assert (zt[b, left] == batch.z1[b, left]) == (zt[b, right] == batch.z1[b, right])
        w = LINEAR.weight(torch.tensor(t)).float()
        assert all(value in (0, float(w)) for value in weight[b].tolist())  # no interval ends inside a hunk


@given(TIMED, SEED, st.floats(0, 50), st.integers(0, 3), st.sampled_from(sorted(SCHEDULES)))
def test_weights_are_where_an_edit_is_pending(
    timed: list[tuple[str, float]], seed: int, propagation: float, bridge: int, name: str
) -> None:
    batch, t = batch_of([pattern for pattern, _ in timed]), torch.tensor([t for _, t in timed])
    zt, weight = LocalizedPath(SCHEDULES[name], propagation, bridge).draw(batch, t, seeded(seed))
    edit, pending = batch.z0 != batch.z1, zt != batch.z1
    assert ((zt == batch.z0) | (zt == batch.z1)).all()
    assert weight.dtype == torch.float32 and weight.isfinite().all()
    assert (weight[~pending] == 0).all()
    floor = SCHEDULES[name].weight(t).float()[:, None].expand_as(weight)
    assert (weight[pending] >= floor[pending]).all()
    assert not pending[t == 1].any()
    assert pending[t == 0].equal(edit[t == 0])


def test_the_generator_decides_everything() -> None:
    batch, t = batch_of([TWO_HUNKS] * 50), torch.full((50,), 0.5)
    path = LocalizedPath(LINEAR, 4.0)
    first, second, other = (path.draw(batch, t, seeded(seed))[0] for seed in (1, 1, 2))
    assert first.equal(second) and not first.equal(other)


@pytest.mark.parametrize(("propagation", "bridge"), [(-1.0, 4), (4.0, -1)])
def test_negative_numbers_are_refused(propagation: float, bridge: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        LocalizedPath(LINEAR, propagation, bridge)


@dataclass
class MeanRates:
    """The jumps of a hunk of three substitutions: E[lambda_eff | x_t], by which of the eight x_t a row is at."""

    canvas: Canvas
    mean: Tensor  # [8, 3]

    @property
    def log_weight(self) -> Tensor:
        return torch.zeros(len(self.canvas.ids))

    @property
    def rates(self) -> Rates:
        closed = torch.full(self.canvas.ids.shape, float("-inf"))
        pending = self.mean[code_of(self.canvas.ids[:, 1:] == 17)].log().float()
        return Rates(closed, closed, torch.cat((closed[:, :1], pending), 1))

    def substitutions(self, row: Tensor, column: Tensor) -> Tensor:
        return torch.full((len(row), 18), float("-inf")).index_fill(1, torch.tensor([17]), 0.0)

    insertions = substitutions


def code_of(flipped: Tensor) -> Tensor:
    """[N] which of the eight x_t, from [N, 3]."""
    return (flipped.long() * torch.tensor([1, 2, 4])).sum(1)


def share_of_each(flipped: Tensor) -> Tensor:
    return code_of(flipped).bincount(minlength=8) / len(flipped)


def sampled(path: LocalizedPath, steps: int, until: float, rows: int) -> Tensor:
    """[rows, 3] which slots Euler steps have flipped at `until`, by the conditional expectations of the rates."""
    canvas = Canvas.from_rows([([BOS, 16, 16, 16], [0] + [int(Role.ORIGINAL)] * 3)] * rows)
    generator, length = seeded(1), until / steps
    for k in range(steps):
        flipped, weight = samples(path, "xxx", (k + 0.5) * length, rows, seed=k)
        code = code_of(flipped)
        total = torch.zeros(8, 3, dtype=torch.float64).index_add(0, code, weight)
        mean = total / code.bincount(minlength=8).clamp_min(1)[:, None]
        edits = euler_step(MeanRates(canvas, mean), canvas, length, generator)
        canvas = apply_edits(canvas, edits, 4)
    return canvas.ids[:, 1:] == 17


def test_sampling_with_the_expected_rates_ends_on_the_path() -> None:
    """Theorem 3.1 where the auxiliary state is M: rates of x alone, averaged over M, carry x along the path."""
    path, rows, until = LocalizedPath(CUBIC, 8.0), 10_000, 0.6
    drawn, _ = samples(path, "xxx", until, rows, seed=99)
    plain, _ = samples(LocalizedPath(CUBIC, 0.0), "xxx", until, rows, seed=99)
    found = share_of_each(sampled(path, 40, until, rows))
    assert float((found - share_of_each(drawn)).abs().sum()) / 2 < 0.03
    assert float((share_of_each(plain) - share_of_each(drawn)).abs().sum()) / 2 > 0.2

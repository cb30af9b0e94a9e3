"""The exact loss at its analytic optimum, on flows small enough to enumerate."""

from dataclasses import fields, replace
from fractions import Fraction
from math import exp

import pytest
import torch
from torch import Tensor

from editflow.process.continuous import ContinuousEditFlow, FlowConfig, TimedState
from editflow.process.corruption import DELETE, observe
from editflow.process.coupling import reversed_batch
from editflow.process.edit_flow import EditFlow
from editflow.process.rates import PARAMETERISATIONS
from tests.core.enumeration import (
    NEVER,
    SLOTS,
    VOCABULARY,
    Enumeration,
    Expectations,
    Logits,
    Pairs,
    TableAnswers,
    TableHeads,
    exact_expectations,
)

KAPPAS = [Fraction(1, 3), Fraction(1, 2), Fraction(2, 3)]
NAMES = [field.name for field in fields(Logits)]
UNUSED = {"hazard": set[str](), "softplus": {"count"}, "scaled_softplus": {"count"}}


class Free(TableAnswers):
    """One free logit for every x, place and answer."""

    def __init__(self, table: Logits) -> None:
        self.table = Logits(*(getattr(table, name).detach().requires_grad_() for name in NAMES))

    def logits(self, time: float) -> Logits:
        """The same at every time: each test has one table a time."""
        return self.table


class FreeHeads(TableHeads, Free):
    """A network of free logits, and as many for the way back."""

    def __init__(self, enumeration: Enumeration, table: Logits, reverse: Logits | None) -> None:
        super().__init__(enumeration)
        Free.__init__(self, table)
        self.reverse = None if reverse is None else Free(reverse)

    def parameters(self) -> dict[str, Tensor]:
        """All logits by name."""
        sets = {"": self.table} | ({} if self.reverse is None else {"reverse ": self.reverse.table})
        return {side + name: getattr(table, name) for side, table in sets.items() for name in NAMES}

    def with_logits(self, changed: dict[str, Tensor]) -> "FreeHeads":
        """Other heads, where some logits are exchanged."""
        values = self.parameters() | changed
        reverse = None if self.reverse is None else Logits(*(values[f"reverse {name}"] for name in NAMES))
        return FreeHeads(self.enumeration, Logits(*(values[name] for name in NAMES)), reverse)


def flow(schedule: str, parameterisation: str = "hazard", max_weight: float = 20.0) -> ContinuousEditFlow:
    return ContinuousEditFlow(FlowConfig(schedule, parameterisation, 0, max_weight=max_weight))


def every_state(process: ContinuousEditFlow, enumeration: Enumeration, kappa: Fraction) -> TimedState:
    """Each z_t as often as it is likely: the loss of this batch is the expected loss, over a constant."""
    batch = enumeration.batch()
    edits = batch.z0 != batch.z1
    flipped = (edits & (enumeration.paths == batch.z1)).sum(1)
    a, b = kappa.numerator, kappa.denominator
    times = enumeration.pairs.weight[enumeration.origin] * b ** (SLOTS - edits.sum(1))
    times = times * a**flipped * (b - a) ** (edits.sum(1) - flipped)
    row = torch.arange(len(times)).repeat_interleave(times)
    batch, zt = enumeration.pairs.select(enumeration.origin[row]), enumeration.paths[row]
    time = process.schedule.inverse(torch.tensor(float(kappa))).float()
    weight = process.schedule.weight(time).float().clamp(max=process.config.max_weight)
    return TimedState(
        observe(batch, zt), observe(reversed_batch(batch), zt), time.expand(len(row)), weight.expand(zt.shape)
    )


def base(known: Expectations, parameterisation: str, weight: float) -> Logits:
    """Logits at which a parameterisation gives the rates w E[pending]."""
    exact = Logits.of(known)
    if parameterisation == "hazard":
        return exact
    scale = weight if parameterisation == "softplus" else 1.0

    def inverse_softplus(expected: Tensor) -> Tensor:
        rate = torch.cat((expected, torch.zeros_like(expected[:1]))).mul(scale).clamp_min(NEVER)
        return rate + (-torch.expm1(-rate)).log()

    delete, substitute = inverse_softplus(known.delete), inverse_softplus(known.substitute.sum(-1))
    operation = torch.stack((torch.zeros_like(delete), delete, substitute), -1)
    return replace(exact, operation=operation, complete=-inverse_softplus(known.insert.sum(-1)))


def optimum(process: ContinuousEditFlow, enumeration: Enumeration, kappa: Fraction) -> FreeHeads:
    """The heads that know all conditional expectations."""
    time = process.schedule.inverse(torch.tensor(float(kappa)))
    weights = process.schedule.weight(time), process.schedule.reverse_weight(time)
    tables = [
        base(enumeration.at(float(kappa), back=back), process.config.parameterisation, float(weights[back]))
        for back in (False, True)
    ]
    return FreeHeads(enumeration, *tables)


def steepest(loss: Tensor, heads: FreeHeads) -> dict[str, float]:
    """Largest slope of a loss along the logits of each name."""
    parameters = heads.parameters()
    slopes = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True, materialize_grads=True)
    return {name: float(slope.abs().max()) for name, slope in zip(parameters, slopes, strict=True)}


@pytest.mark.parametrize("pairs", [*map(Pairs.random, range(3)), *map(Pairs.insertions, range(3))])
@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
def test_the_slope_vanishes_at_the_conditional_expectations(pairs: Pairs, parameterisation: str) -> None:
    enumeration = Enumeration(pairs)
    assert len(enumeration.rows) < 0.8 * len(enumeration.paths)  # an x has several explanations
    for schedule in ("linear", "cubic"):
        process = flow(schedule, parameterisation)
        for kappa in KAPPAS:
            heads = optimum(process, enumeration, kappa)
            slopes = steepest(process.loss(heads, every_state(process, enumeration, kappa)).total, heads)
            assert max(slopes.values()) < 1e-6, slopes


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
def test_every_other_answer_costs_more(seed: int, parameterisation: str) -> None:
    enumeration, process, kappa = (
        Enumeration(Pairs.random(seed)),
        flow("linear", parameterisation),
        KAPPAS[seed],
    )
    state, heads = every_state(process, enumeration, kappa), optimum(process, enumeration, kappa)
    best = {name: logits.detach() for name, logits in heads.parameters().items()}

    def loss(changed: dict[str, Tensor]) -> float:
        return float(process.loss(heads.with_logits(changed), state).total.detach())

    least, generator = loss({}), torch.Generator().manual_seed(seed)
    for name, logits in best.items():
        if name.split()[-1] not in UNUSED[parameterisation]:  # and no other is left out
            assert loss({name: torch.zeros_like(logits)}) > least + 1e-3
    for scale in (0.1, 1.0):
        moved = {n: p + scale * torch.randn(p.shape, generator=generator) for n, p in best.items()}
        assert loss(moved) > least + 1e-3 * scale**2
        for name, logits in moved.items():
            assert loss({name: logits}) > least - 1e-12


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
@pytest.mark.parametrize("back", [False, True])
def test_the_optimal_rates_are_those_of_the_theorem(seed: int, parameterisation: str, back: bool) -> None:
    """u*(op | x_t) = w(t) E[number of pending slots that ask for op | x_t] (Theorem 3.1)."""
    enumeration, process = Enumeration(Pairs.random(seed)), flow("cubic", parameterisation)
    canvas = enumeration.canvas()
    for kappa in KAPPAS:
        time = float(process.schedule.inverse(torch.tensor(float(kappa))))
        jumps = process.jumps(optimum(process, enumeration, kappa), canvas, time, back=back)
        # 3 t^2 / (1 - t^3) forward, 3 / t back
        weight = 3 / time if back else 3 * time**2 / (1 - time**3)
        known, frozen = enumeration.at(float(kappa), back=back), canvas.frozen
        row, column = torch.ones_like(frozen).nonzero(as_tuple=True)
        for log_rate, log_q, expected in (
            (jumps.rates.substitute, jumps.substitutions(row, column), known.substitute),
            (jumps.rates.insert, jumps.insertions(row, column), known.insert),
        ):
            rate = (log_rate[row, column, None] + log_q).exp().view(expected.shape)
            torch.testing.assert_close(rate.double(), weight * expected, rtol=1e-5, atol=1e-8)
        delete = jumps.rates.delete.exp().double()
        torch.testing.assert_close(delete, weight * known.delete, rtol=1e-5, atol=1e-8)
        assert max(known.delete[frozen].max(), known.substitute[frozen].max()) == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_time_free_loss_has_the_same_optimum(seed: int) -> None:
    """With t as an input any proper score has: here each t has logits of its own."""
    enumeration, process = Enumeration(Pairs.random(seed)), flow("linear")
    for kappa in KAPPAS:
        state, heads = every_state(process, enumeration, kappa), optimum(process, enumeration, kappa)
        for loss in (EditFlow().loss(heads, state.forward).total, process.loss(heads, state).total):
            slopes = steepest(loss, heads)
            assert max(slopes.values()) < 1e-6, slopes
        elsewhere = optimum(process, enumeration, Fraction(1, 5))
        for loss in (EditFlow().loss(elsewhere, state.forward).total, process.loss(elsewhere, state).total):
            assert max(steepest(loss, elsewhere).values()) > 1e-3


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("parameterisation", ["hazard", "scaled_softplus"])
def test_clamping_the_weight_leaves_the_optimum_where_it_is(seed: int, parameterisation: str) -> None:
    enumeration = Enumeration(Pairs.random(seed))
    for kappa in KAPPAS:
        clamped = flow("linear", parameterisation, max_weight=0.7)  # w and kappa' / kappa are above 1
        heads = optimum(clamped, enumeration, kappa)
        state = every_state(clamped, enumeration, kappa)
        assert (state.weight == torch.tensor(0.7)).all()
        slopes = steepest(clamped.loss(heads, state).total, heads)
        assert max(slopes.values()) < 1e-6, slopes


def slot_pairs() -> Pairs:
    """Two pairs that meet at (17, 16): in the first its left slot has flipped, in the second it is a keep."""
    return Pairs.of([[(16, 17), (16, 18)], [(17, 17), (16, 18)]], torch.tensor([1, 1]))


def drawn_weights(enumeration: Enumeration, state: TimedState) -> Logits:
    """The logits at which `scaled_softplus` at w = 1 gives E[weight of the pending slots | x_t] in the sample."""
    forward = state.forward
    x = enumeration.find(forward.ids, forward.role, forward.live)
    count = torch.bincount(x, minlength=len(enumeration.rows)).clamp_min(1).double()
    shape = (len(enumeration.rows), enumeration.width, VOCABULARY)

    def mean(row: Tensor, column: Tensor, token: Tensor, slot: Tensor) -> Tensor:
        total = torch.zeros(shape, dtype=torch.float64)
        weight = state.weight[row, slot].double()
        return total.index_put((x[row], column, token), weight, accumulate=True) / count[:, None, None]

    known = exact_expectations(enumeration.pairs, 0.5)
    row, column = (forward.operation == DELETE).nonzero(as_tuple=True)
    s_row, s_column = forward.substitute_row, forward.substitute_column
    known = replace(
        known,
        delete=mean(row, column, torch.zeros_like(row), forward.slot[row, column]).sum(-1),
        substitute=mean(s_row, s_column, forward.substitute_token, forward.slot[s_row, s_column]),
        insert=mean(forward.insert_row, forward.insert_column, forward.insert_token, forward.insert_slot),
    )
    return base(known, "softplus", 1.0)


@pytest.mark.parametrize("seed", range(3))
def test_on_the_localized_path_every_pending_slot_weighs_its_own_rate(seed: int) -> None:
    config = FlowConfig("linear", "softplus", shows_origin=0, propagation=4.0, max_weight=100.0)
    process, pairs = ContinuousEditFlow(config), Pairs.random(seed)
    enumeration, generator = Enumeration(pairs), torch.Generator().manual_seed(seed)
    state = process.corrupt(pairs.draw(4000, generator), torch.full((4000,), 0.5), generator)
    assert len(set(state.weight.flatten().tolist())) > 3
    heads = FreeHeads(enumeration, drawn_weights(enumeration, state), None)
    slopes = steepest(process.loss(heads, state).total, heads)
    assert max(slopes.values()) < 1e-6, slopes
    plain = FreeHeads(enumeration, base(enumeration.at(0.5), "softplus", 2.0), None)
    assert max(steepest(process.loss(plain, state).total, plain).values()) > 1e-3


def test_the_localized_optimum_is_the_expected_rate_of_two_slots_done_by_hand() -> None:
    """With linear kappa, the left slot has flipped alone, given the right one's source off, with probability

        q = integral over s < t of exp(-lambda_prop (t - s)) = (1 - exp(-lambda_prop t)) / lambda_prop

    and then the right one's rate is w + lambda_prop; in the pair that keeps its left token it is w.
    """
    t, spread, rows = 0.5, 4.0, 40_000
    config = FlowConfig("linear", "softplus", shows_origin=0, propagation=spread, max_weight=100.0)
    enumeration, generator = Enumeration(slot_pairs()), torch.Generator().manual_seed(0)
    drawn = slot_pairs().draw(rows, generator)
    state = ContinuousEditFlow(config).corrupt(drawn, torch.full((rows,), t), generator)
    found = enumeration.find(state.forward.ids, state.forward.role, state.forward.live)
    at = (found == [ids[2:-1] for ids, _ in enumeration.rows].index((17, 16))).nonzero()[:, 0]
    pending = state.weight[at].sum(1).double()
    q = (1 - exp(-spread * t)) / spread
    w = 1 / (1 - t)
    expected = ((w + spread) * q + w) / (q + 1)
    assert abs(float(pending.mean()) - expected) < 4.5 * float(pending.std()) / len(at) ** 0.5


def test_a_pending_slot_whose_rate_is_known_costs_w_times_1_minus_log_w() -> None:
    """Below zero once w is above e: the loss of a perfect network is no sign of a mistake."""
    pairs = Pairs.of([[(16, 17)]], torch.tensor([1]))
    enumeration, process = Enumeration(pairs), flow("linear")
    for kappa in (Fraction(1, 2), Fraction(9, 10)):
        heads = FreeHeads(enumeration, Logits.of(enumeration.at(float(kappa))), None)
        time = torch.tensor([float(kappa)])
        weight = process.schedule.weight(time)
        state = TimedState(
            observe(pairs.batch, pairs.batch.z0),
            None,
            time,
            weight[:, None].expand(1, pairs.batch.z0.shape[1]),
        )
        terms = process.loss(heads, state)
        w = float(weight)
        assert float(terms.total.detach()) == pytest.approx(w * (1 - torch.tensor(w).log().item()), rel=1e-5)
        assert terms.record() == pytest.approx(
            {"loss": float(terms.total.detach()), "expected": 1, "due": 1}
            | {"operation": 0, "substitute": 0, "insert": 0},
            abs=1e-4,
        )

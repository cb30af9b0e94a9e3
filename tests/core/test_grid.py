"""The moves of a sampler: they cover time once, are short where rates are high, and correctors return."""

from itertools import pairwise
from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from editflow.process.grid import NEGLIGIBLE, Corrector, moves, moves_back
from editflow.process.schedule import CUBIC, LINEAR, QUADRATIC, Polynomial

SMOOTHSTEP = Polynomial((0.0, 3.0, -2.0))  # its slope is 0 at either end
SLOPE = st.floats(0, 3)
SCHEDULE = (
    st.sampled_from([LINEAR, QUADRATIC, CUBIC, SMOOTHSTEP])
    | st.integers(1, 5).map(Polynomial.power)
    | st.builds(Polynomial.hermite, SLOPE, SLOPE)
)
STEPS = st.integers(1, 100)
CORRECTOR = st.builds(Corrector, st.floats(0, 60), st.floats(0.25, 2), st.floats(0.25, 2))
ROUNDING = 1e-9


def weight(schedule: Polynomial, t: float) -> float:
    return float(schedule.weight(torch.tensor(t, dtype=torch.float64)))


@given(SCHEDULE, STEPS)
def test_time_is_covered_exactly_once(schedule: Polynomial, steps: int) -> None:
    made = moves(schedule, steps)
    assert made[0].time == 0
    for move, following in pairwise(made):
        assert following.time == move.time + move.length
    assert made[-1].time + made[-1].length == pytest.approx(1, abs=ROUNDING)
    assert all(0 < move.length <= (1 + NEGLIGIBLE) / steps + ROUNDING and not move.back for move in made)


@given(SCHEDULE, STEPS)
def test_no_pending_operation_is_asked_for_more_than_once_a_step(schedule: Polynomial, steps: int) -> None:
    *made, last = moves(schedule, steps)
    for move in made:
        assert move.length * weight(schedule, move.time) <= 1 + ROUNDING
    # the last step ends at t = 1, where w is infinite: it is one that asks for everything, or nearly no time
    assert last.length * weight(schedule, last.time) <= 1 + 2 * NEGLIGIBLE or last.length < NEGLIGIBLE / steps


@pytest.mark.parametrize("schedule", [LINEAR, QUADRATIC, CUBIC])
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 10, 64, 100, 1000])
def test_powers_take_the_steps_asked_for(schedule: Polynomial, steps: int) -> None:
    made = moves(schedule, steps)
    assert len(made) == steps
    assert [move.length for move in made] == pytest.approx([1 / steps] * steps)


@pytest.mark.parametrize("steps", [2, 8, 64, 300])
def test_a_schedule_that_slows_down_in_the_end_takes_more(steps: int) -> None:
    """Its w is about 2 / (1 - t): what is left is halved down to a thousandth of a step."""
    assert steps + 5 <= len(moves(SMOOTHSTEP, steps)) <= steps + 12


def left_pending(schedule: Polynomial, steps: int) -> float:
    """The probability that a slot has not flipped in the end."""
    chances = [1 - move.length * weight(schedule, move.time) for move in moves(schedule, steps)]
    return prod(max(0.0, chance) for chance in chances)


@pytest.mark.parametrize("steps", [2, 8, 64])
def test_every_slot_flips_where_the_last_step_asks_for_all(steps: int) -> None:
    for schedule in (LINEAR, SMOOTHSTEP):
        assert left_pending(schedule, steps) == pytest.approx(0, abs=ROUNDING)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_what_a_power_leaves_pending_falls_with_the_square_of_the_steps(n: int) -> None:
    """With t = 1 - k h, h w = (1 / k) (1 - (n - 1) h / 2 ...): in all n (n - 1) / 2 h^2."""
    for steps, error in ((100, 0.1), (400, 0.03)):
        left = left_pending(Polynomial.power(n), steps) * steps**2
        assert left == pytest.approx(n * (n - 1) / 2, rel=error)


@given(SCHEDULE, STEPS, CORRECTOR)
def test_a_corrector_goes_further_and_comes_back_to_the_grid(
    schedule: Polynomial, steps: int, corrector: Corrector
) -> None:
    plain, made = moves(schedule, steps), moves(schedule, steps, corrector)
    ends: list[float] = []
    for move in made:
        if move.back:
            assert move.time == pytest.approx(ends[-1]) and move.time <= 1 + ROUNDING
            ends[-1] = move.time - move.length
        else:
            ends.append(move.time + move.length)
    assert [move.time for move in made if not move.back] == [move.time for move in plain]
    assert ends == pytest.approx([move.time + move.length for move in plain], abs=ROUNDING)
    assert not made[-1].back
    for move, following in pairwise(made):
        if following.back:
            h = move.length - following.length
            least = min(h * corrector.alpha(move.time), 1 - move.time - h)
            assert following.length == pytest.approx(least, abs=ROUNDING)


def test_a_correctors_strength_is_that_of_its_formula() -> None:
    """Edit Flows, arXiv 2506.09018, table 5: 60 t^1.5 (1 - t)^0.5."""
    assert Corrector(60, 1.5, 0.5).alpha(0.25) == pytest.approx(60 * 0.125 * 0.75**0.5)
    assert Corrector(2).alpha(0.5) == pytest.approx(0.5)
    first, back, *_ = moves(LINEAR, 10, Corrector(2.0, 0.0))
    assert not first.back and back.back
    numbers = [first.time, first.length, back.time, back.length]
    assert numbers == pytest.approx([0, 0.3, 0.3, 0.2])


@given(SCHEDULE, STEPS)
def test_the_way_back_covers_time_once_too(schedule: Polynomial, steps: int) -> None:
    *made, last = moves_back(schedule, steps)
    assert [*made, last][0].time == 1
    for move, following in pairwise([*made, last]):
        assert following.time == move.time - move.length
    assert last.time - last.length == 0
    for move in [*made, last]:
        assert move.back and 0 < move.length <= (1 + NEGLIGIBLE) / steps + ROUNDING
    for move in made:
        assert (
            move.length * float(schedule.reverse_weight(torch.tensor(move.time, dtype=torch.float64)))
            <= 1 + ROUNDING
        )

"""Schedules run from 0 to 1, and their rates are the derivatives that the flow needs."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from editflow.process.schedule import CUBIC, LINEAR, QUADRATIC, SCHEDULES, Polynomial

SLOPE = st.floats(0, 3)  # slopes for which the cubic is sure to increase
SCHEDULE = st.integers(1, 5).map(Polynomial.power) | st.builds(Polynomial.hermite, SLOPE, SLOPE)
GRID = torch.linspace(0, 1, 101, dtype=torch.float64)
INSIDE = GRID[5:-5]


def slope(values: Tensor, at: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(values.sum(), at)
    return gradient


@given(SCHEDULE)
def test_kappa_rises_from_0_to_1(schedule: Polynomial) -> None:
    kappa = schedule.kappa(GRID)
    assert kappa[0] == 0
    assert float(kappa[-1]) == pytest.approx(1, abs=1e-12)
    assert (kappa.diff() > -1e-12).all()


@given(SCHEDULE)
def test_derivative_is_that_of_kappa(schedule: Polynomial) -> None:
    t = GRID.clone().requires_grad_()
    torch.testing.assert_close(schedule.derivative(GRID), slope(schedule.kappa(t), t))


@given(SCHEDULE)
def test_weights_are_the_slopes_of_log_survival_and_log_kappa(schedule: Polynomial) -> None:
    t = INSIDE.clone().requires_grad_()
    torch.testing.assert_close(schedule.weight(INSIDE), slope(-torch.log1p(-schedule.kappa(t)), t))
    torch.testing.assert_close(schedule.reverse_weight(INSIDE), slope(schedule.kappa(t).log(), t))


@given(SCHEDULE)
def test_inverse_undoes_kappa(schedule: Polynomial) -> None:
    torch.testing.assert_close(schedule.kappa(schedule.inverse(GRID)), GRID, rtol=0, atol=1e-12)
    t = schedule.inverse(schedule.kappa(INSIDE))
    torch.testing.assert_close(t, INSIDE, rtol=0, atol=1e-4)  # kappa may be flat at a point


@given(SLOPE, SLOPE)
def test_hermite_has_the_slopes_asked_for(start: float, end: float) -> None:
    ends = Polynomial.hermite(start, end).derivative(torch.tensor([0.0, 1.0]))
    assert ends.tolist() == pytest.approx([start, end], abs=1e-12)


def test_hermite_0_2_is_t_squared_though_public_code_calls_it_cubic() -> None:
    torch.testing.assert_close(Polynomial.hermite(0, 2).kappa(GRID), GRID**2)
    torch.testing.assert_close(Polynomial.hermite(0, 3).kappa(GRID), GRID**3)
    torch.testing.assert_close(Polynomial.hermite(1, 1).kappa(GRID), GRID)


def test_named_schedules_are_the_powers_they_say() -> None:
    assert SCHEDULES == {"linear": LINEAR, "quadratic": QUADRATIC, "cubic": CUBIC}
    for n, schedule in enumerate((LINEAR, QUADRATIC, CUBIC), 1):
        torch.testing.assert_close(schedule.kappa(GRID), GRID**n)


def test_the_rates_diverge_only_at_their_own_end() -> None:
    t = torch.tensor([0.0, 1.0])
    assert LINEAR.weight(t).tolist() == [1, float("inf")]
    assert LINEAR.reverse_weight(t).tolist() == [float("inf"), 1]


@pytest.mark.parametrize("coefficients", [(), (0.5,), (2.0,), (0.0, 0.0), (3.0, -2.0), (-1.0, 2.0)])
def test_coefficients_that_are_no_schedule_are_refused(coefficients: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="schedule"):
        Polynomial(coefficients)

"""Calibration: order is kept, nothing is certain, and no number makes it fail."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.checkpoint import Calibration
from editflow.confidence import Operation, calibrated, logit, operation_of, raised

PROBABILITY = st.floats(0, 1)
OPERATION = st.sampled_from(Operation)


@given(PROBABILITY)
def test_log_odds_are_finite_and_odd(p: float) -> None:
    assert math.isfinite(logit(p))
    assert logit(p) == pytest.approx(-logit(1 - p), abs=1e-4)


@given(PROBABILITY, OPERATION)
def test_without_calibration_a_probability_is_its_confidence(p: float, operation: Operation) -> None:
    assert calibrated(p, Calibration(), operation) == pytest.approx(p, abs=2e-6)


@given(PROBABILITY, PROBABILITY, st.floats(0.05, 5), st.floats(-5, 5))
def test_a_surer_edit_is_no_less_confident(p: float, q: float, slope: float, intercept: float) -> None:
    calibration = Calibration(slope, intercept)
    low, high = sorted((p, q))
    assert calibrated(low, calibration, Operation.insert) <= calibrated(high, calibration, Operation.insert)


@given(PROBABILITY, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), OPERATION)
def test_no_confidence_is_certain(p: float, slope: float, intercept: float, operation: Operation) -> None:
    assert 0 < calibrated(p, Calibration(slope, intercept), operation) < 1


@given(PROBABILITY, st.floats(-1e9, 1e9))
def test_no_evidence_is_too_much(p: float, log_odds: float) -> None:
    assert 0 < raised(p, log_odds) < 1


def test_known_values() -> None:
    assert logit(0.5) == 0
    assert logit(0.8) == pytest.approx(math.log(4))
    substitution = Operation.substitute
    known = Calibration(slope=3.0, intercept=math.log(4))
    assert calibrated(0.5, known, substitution) == pytest.approx(0.8)
    assert calibrated(0.8, Calibration(slope=0.5), substitution) == pytest.approx(2 / 3)


@pytest.mark.parametrize("operation", Operation)
def test_an_operation_has_a_map_of_its_own(operation: Operation) -> None:
    values = {f"{operation}_slope": -0.5, f"{operation}_intercept": math.log(4)}
    own = Calibration(**values)
    assert calibrated(0.8, own, operation) == pytest.approx(8 / 9)  # odds 4^0.5 * 4
    for other in set(Operation) - {operation}:
        assert calibrated(0.8, own, other) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("edit", "operation"),
    [
        ((3, 3, "x"), Operation.insert),
        ((3, 4, ""), Operation.delete),
        ((3, 4, "x"), Operation.substitute),
        ((3, 4, "several"), Operation.substitute),
    ],
)
def test_an_edit_is_what_it_leaves_and_adds(edit: tuple[int, int, str], operation: Operation) -> None:
    assert operation_of(*edit) is operation

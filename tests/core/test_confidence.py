"""Calibration: order is kept, nothing is certain, and no number makes it fail."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.checkpoint import Calibration
from editflow.confidence import calibrated, logit

PROBABILITY = st.floats(0, 1)


@given(PROBABILITY)
def test_log_odds_are_finite_and_odd(p: float) -> None:
    assert math.isfinite(logit(p))
    assert logit(p) == pytest.approx(-logit(1 - p), abs=1e-4)


@given(PROBABILITY)
def test_without_calibration_a_probability_is_its_confidence(p: float) -> None:
    assert calibrated(p, Calibration()) == pytest.approx(p, abs=2e-6)


@given(PROBABILITY, PROBABILITY, st.floats(0.05, 5), st.floats(-5, 5))
def test_a_surer_edit_is_no_less_confident(p: float, q: float, slope: float, intercept: float) -> None:
    calibration = Calibration(slope, intercept)
    low, high = sorted((p, q))
    assert calibrated(low, calibration) <= calibrated(high, calibration)


@given(PROBABILITY, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_no_confidence_is_certain(p: float, slope: float, intercept: float) -> None:
    assert 0 < calibrated(p, Calibration(slope, intercept)) < 1


def test_known_values() -> None:
    assert logit(0.5) == 0
    assert logit(0.8) == pytest.approx(math.log(4))
    assert calibrated(0.5, Calibration(slope=3.0, intercept=math.log(4))) == pytest.approx(0.8)
    assert calibrated(0.8, Calibration(slope=0.5)) == pytest.approx(2 / 3)

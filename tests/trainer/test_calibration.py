"""The fit of the calibration: finite where the data separate, and near the frequencies it was given."""

import random

import pytest

from editflow.checkpoint import Calibration
from editflow.confidence import raised
from editflow_trainer.calibration import JudgedHunk, fit


def test_without_hunks_nothing_is_changed() -> None:
    assert fit([]) == Calibration()


def test_data_that_separate_do_not_make_it_run_away() -> None:
    hunks = [JudgedHunk(p, p > 0.5, 0, p > 0.5) for p in (0.1, 0.2, 0.9, 0.99) for _ in range(100)]
    fitted = fit(hunks)
    assert 0 < fitted.slope < 20
    assert hunks[-1].confidence(fitted) > 0.9 > 0.1 > hunks[0].confidence(fitted)


@pytest.mark.parametrize("suggested", [-1, 0, 1])
def test_confidences_are_frequencies(suggested: int) -> None:
    """Rightness drawn with log odds of the raw probability plus two for each suggestion followed."""
    rng = random.Random(0)
    hunks = []
    for _ in range(6000):
        p, follows = rng.uniform(0.1, 0.9), rng.choice((-1, 0, 1))
        hunks.append(JudgedHunk(p, False, follows, rng.random() < raised(p, 2.0 * follows)))
    fitted = fit(hunks)
    for p in (0.2, 0.5, 0.8):
        expected = raised(p, 2.0 * suggested)
        assert JudgedHunk(p, False, suggested, True).confidence(fitted) == pytest.approx(expected, abs=0.05)

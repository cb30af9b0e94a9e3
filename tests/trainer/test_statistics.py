"""Wilson's interval against published values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.evaluation.statistics import Rate


class TestRate:
    @pytest.mark.parametrize(
        ("hits", "cases", "low", "high"),
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
    )
    def test_intervals_of_newcombe_1998(self, hits: int, cases: int, low: float, high: float) -> None:
        assert Rate(hits, cases).interval == pytest.approx((low, high), abs=5e-5)

    def test_no_cases_say_nothing(self) -> None:
        assert Rate.of([]).value is None
        assert Rate.of([]).interval == (0.0, 1.0)

    def test_more_hits_than_cases_are_refused(self) -> None:
        with pytest.raises(ValueError, match="3 of 2"):
            Rate(3, 2)

    @given(st.lists(st.booleans(), min_size=1, max_size=300))
    def test_interval_holds_the_share_and_mirrors(self, outcomes: list[bool]) -> None:
        rate, mirrored = Rate.of(outcomes), Rate.of(not outcome for outcome in outcomes)
        low, high = rate.interval
        assert rate.value is not None
        assert 0 <= low <= rate.value <= high <= 1
        assert mirrored.interval == pytest.approx((1 - high, 1 - low))

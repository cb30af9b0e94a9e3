"""Wilson's interval against published values, and the cluster bootstrap against theory and simulation."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.evaluation.statistics import Z95, Rate, cluster_bootstrap, wilson


class TestRate:
    @pytest.mark.parametrize(
        ("hits", "cases", "low", "high"),
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
    )
    def test_intervals_of_newcombe_1998(self, hits: int, cases: int, low: float, high: float) -> None:
        assert Rate(hits, cases).interval == pytest.approx((low, high), abs=5e-5)
        assert Rate(hits, cases).method == "wilson"

    def test_no_cases_say_nothing(self) -> None:
        for rate in (Rate.of([]), Rate.clustered([])):
            assert rate.value is None
            assert rate.interval == (0.0, 1.0)

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


class TestClusterBootstrap:
    def test_single_cases_give_the_binomial_spread(self) -> None:
        rate = Rate.clustered((i < 120, str(i)) for i in range(400))
        spread = Z95 * sqrt(0.3 * 0.7 / 400)
        assert (rate.hits, rate.cases, rate.method) == (120, 400, "bootstrap")
        assert rate.interval == pytest.approx((0.3 - spread, 0.3 + spread), abs=0.006)

    def test_cases_that_agree_within_clusters_count_as_one(self) -> None:
        rate = Rate.clustered((i < 12, str(i)) for i in range(40) for _ in range(10))
        spread = Z95 * sqrt(0.3 * 0.7 / 40)
        assert rate.cases == 400
        assert rate.interval == pytest.approx((0.3 - spread, 0.3 + spread), abs=0.02)

    def test_grouped_resampling_is_plain_resampling(self) -> None:
        rng = np.random.default_rng(3)
        cases = rng.integers(1, 6, 12)
        hits = rng.integers(0, cases + 1)
        picks = rng.integers(0, 12, (20_000, 12))
        plain = np.percentile(hits[picks].sum(1) / cases[picks].sum(1), [2.5, 97.5])
        found = cluster_bootstrap(hits.tolist(), cases.tolist())
        assert found == pytest.approx(tuple(plain), abs=0.01)

    @pytest.mark.parametrize("hit", [False, True])
    def test_wilson_where_all_clusters_agree(self, hit: bool) -> None:
        rate = Rate.clustered((hit, str(i % 5)) for i in range(20))
        assert rate.method == "wilson"
        assert rate.interval == wilson(20 * hit, 20)
        assert rate.interval[0] < rate.interval[1]

    def test_one_cluster_cannot_be_resampled(self) -> None:
        assert Rate.clustered([(True, "a"), (False, "a")]).method == "wilson"

    def test_the_same_cases_give_the_same_interval_in_any_order(self) -> None:
        outcomes = [(i % 3 == 0, str(i % 7)) for i in range(50)]
        assert Rate.clustered(outcomes).interval == Rate.clustered(reversed(outcomes)).interval

    @given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef")), min_size=1, max_size=60))
    def test_interval_is_a_part_of_the_unit_and_shares_are_counted(
        self, outcomes: list[tuple[bool, str]]
    ) -> None:
        rate = Rate.clustered(outcomes)
        low, high = rate.interval
        assert 0 <= low <= high <= 1
        assert (rate.hits, rate.cases) == (sum(hit for hit, _ in outcomes), len(outcomes))

    def test_covers_the_truth_where_wilson_does_not(self) -> None:
        """Clusters of ten with shares of their own, Beta(1, 3): the mean is a quarter."""
        rng = np.random.default_rng(0)
        covered = {"bootstrap": 0, "wilson": 0}
        for _ in range(300):
            hits = rng.binomial(10, rng.beta(1, 3, 60)).tolist()
            found = cluster_bootstrap(hits, [10] * 60, resamples=1000)
            assert found is not None
            for name, (low, high) in (("bootstrap", found), ("wilson", wilson(sum(hits), 600))):
                covered[name] += low <= 0.25 <= high
        assert 0.90 <= covered["bootstrap"] / 300 <= 0.98
        assert covered["wilson"] / 300 < 0.80

"""What thresholds offer, against filtering the hunks one threshold at a time."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.document import Document
from editflow.proposal import Proposal
from editflow_trainer.evaluation.sweep import Offers, offered, threshold_for

LETTERS = "abcdef"


def proposal(confidences: list[float]) -> Proposal:
    """The i-th letter in upper case, as sure as the i-th number."""
    document = Document.from_text("".join(f"{letter}\n" for letter in LETTERS))
    edits = [(2 * i, 2 * i + 1, LETTERS[i].upper(), sure) for i, sure in enumerate(confidences)]
    return Proposal.from_edits(document, edits)


def text(upper: set[int]) -> str:
    return "".join(f"{letter.upper() if i in upper else letter}\n" for i, letter in enumerate(LETTERS))


@given(
    st.lists(st.sampled_from([0.1, 0.3, 0.5, 0.9]), max_size=6),
    st.sets(st.integers(0, 5)),
    st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0]),
)
def test_offers_are_what_filtering_gives(confidences: list[float], right: set[int], threshold: float) -> None:
    whole, expected = proposal(confidences), text(right)
    offers = Offers.of(whole, expected)
    filtered = offered(whole, threshold)
    assert offers.proposed_at(threshold) == bool(filtered.hunks)
    assert offers.exact_at(threshold) == (bool(filtered.hunks) and filtered.text == expected)


def test_right_part_is_offered_between_two_thresholds() -> None:
    offers = Offers.of(proposal([0.9, 0.4, 0.6]), text({0, 2}))
    assert offers.exact == (0.4, 0.6)
    assert [offers.exact_at(t) for t in (0.4, 0.41, 0.6, 0.61)] == [False, True, True, False]


def alarms(*confidences: float) -> list[Offers]:
    return [Offers(confidence, None) for confidence in confidences]


@pytest.mark.parametrize(
    ("share", "count"), [(0.0, 0), (0.1, 1), (0.19, 1), (0.2, 2), (0.5, 5), (0.6, 6), (1.0, 7)]
)
def test_threshold_is_the_lowest_that_keeps_the_share(share: float, count: int) -> None:
    unchanged = alarms(0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, -math.inf, -math.inf, -math.inf)
    threshold = threshold_for(unchanged, share)
    assert sum(offers.proposed_at(threshold) for offers in unchanged) == count


@given(st.lists(st.sampled_from([-math.inf, 0.0, 0.2, 0.4, 0.9]), max_size=30), st.floats(0, 1))
def test_share_is_never_exceeded_and_no_lower_threshold_keeps_it(found: list[float], share: float) -> None:
    unchanged = alarms(*found)
    threshold = threshold_for(unchanged, share)
    assert sum(offers.proposed_at(threshold) for offers in unchanged) <= share * len(unchanged) + 1e-6
    lower = math.nextafter(threshold, -math.inf)
    if threshold > 0:
        assert sum(offers.proposed_at(lower) for offers in unchanged) > share * len(unchanged) - 1e-6

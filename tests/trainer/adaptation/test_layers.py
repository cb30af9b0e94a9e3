"""Which blocks are kept."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.adaptation.errors import AdaptationError
from editflow_trainer.adaptation.layers import ends, parse


@given(st.integers(1, 60).flatmap(lambda total: st.tuples(st.just(total), st.integers(1, total))))
def test_one_run_of_blocks_goes_and_both_ends_stay(sizes: tuple[int, int]) -> None:
    total, keep = sizes
    kept = ends(total, keep)
    assert len(kept) == keep
    assert kept[0] == 0
    assert keep == 1 or kept[-1] == total - 1
    jumps = [b - a for a, b in pairwise(kept)]
    assert sorted(jumps)[:-1] == [1] * (keep - 2) if keep > 1 else not jumps


def test_blocks_are_named_by_number_and_range() -> None:
    assert parse("0-2,7,28-29", 30) == [0, 1, 2, 7, 28, 29]


@pytest.mark.parametrize("text", ["30", "0-30", "x", "", "-3", "5-2"])
def test_blocks_that_are_not_there_are_refused(text: str) -> None:
    with pytest.raises(AdaptationError, match="layers"):
        parse(text, 30)


@pytest.mark.parametrize("keep", [0, 31])
def test_more_blocks_than_there_are_cannot_be_kept(keep: int) -> None:
    with pytest.raises(AdaptationError, match="30 layers"):
        ends(30, keep)

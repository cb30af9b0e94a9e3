"""Bugs drawn from an example: apart from each other, as often as their weights say, with their own complaints."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.process.base import BLANK
from editflow.window import MAX_DIAGNOSTICS
from editflow_trainer.data.bugs import bug_count, choose, complaints, splice
from editflow_trainer.data.config import BugConfig
from editflow_trainer.data.example import Complaint, Site
from editflow_trainer.data.rates import FLOOR, VISIBLE_SHARE, shares, weights
from editflow_trainer.injection import VISIBLE, BugKind
from tests.trainer.data.examples import KINDS, ids, make_function, stripped

SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.sets(st.integers(0, 5)))
def test_splicing_any_bugs_keeps_the_target(seed: int, chosen: set[int]) -> None:
    example = make_function(seed)
    sites = [example.sites[i] for i in sorted(chosen)]
    row, slot = splice(example.z1, sites)
    expected: list[int] = []
    done = 0
    for site in sites:
        expected += [*example.z1[done : site.start].tolist(), *stripped(site.z0)]
        done = site.end
    assert stripped(row.z0) == expected + example.z1[done:].tolist()
    assert stripped(row.z1) == example.z1.tolist()
    assert not ((row.z0 == BLANK) & (row.z1 == BLANK)).any()
    assert ((row.role == 0) == (row.z0 == BLANK)).all()
    touched = {token for site in sites for token in range(site.start, site.end)}
    for token in set(range(len(example.z1))) - touched:
        assert row.z0[slot[token]] == row.z1[slot[token]] == example.z1[token]


@given(SEEDS, st.integers(1, 8), st.integers(2, 4))
def test_chosen_bugs_are_apart_and_in_order(seed: int, count: int, space: int) -> None:
    example = make_function(seed % 99, space=space)
    chosen = choose(example.sites, [1.0] * len(KINDS), count, np.random.default_rng(seed))
    assert len(chosen) == min(count, 6)
    assert all(a.end < b.start for a, b in pairwise(chosen))


def test_bugs_that_touch_exclude_each_other() -> None:
    sites = [Site(0, at, at + 2, ids(20, 21), ids(30, 31), ids()) for at in (0, 2, 5)]
    rng = np.random.default_rng(0)
    found = Counter(tuple(site.start for site in choose(sites, [1.0], 3, rng)) for _ in range(200))
    assert set(found) == {(0, 5), (2, 5)}
    assert min(found.values()) > 60


def test_kinds_are_drawn_by_weight() -> None:
    example, rng = make_function(0), np.random.default_rng(0)
    wanted = [4.0, 1.0, 2.0, 0.0, 2.0, 1.0] + [0.0] * (len(KINDS) - 6)
    draws = 4000
    found = Counter(choose(example.sites, wanted, 1, rng)[0].kind for _ in range(draws))
    expected = {kind: draws * weight / 10 for kind, weight in enumerate(wanted) if weight}
    assert set(found) == set(expected)
    chi_square = sum((found[kind] - mean) ** 2 / mean for kind, mean in expected.items())
    assert chi_square < 18.5  # 4 degrees of freedom, p = 0.001


def test_shares_have_a_floor_and_sum_to_one() -> None:
    wanted = shares()
    assert set(wanted) == set(BugKind)
    assert sum(wanted.values()) == pytest.approx(1)
    assert min(wanted.values()) >= FLOOR
    assert sum(wanted[kind] for kind in VISIBLE) == pytest.approx(VISIBLE_SHARE)
    assert wanted[BugKind.wrong_literal] == max(wanted.values())


def test_weights_make_up_for_kinds_with_few_places() -> None:
    """Of three kinds one is everywhere, one in half of the functions and one in a twentieth."""
    kinds = (BugKind.wrong_literal, BugKind.missing_call, BugKind.negation)
    rng = np.random.default_rng(0)
    available = rng.random((3000, 3)) < np.array([1, 0.5, 0.05])
    fitted = np.array(weights(kinds, available))
    drawn = (available * fitted / (available @ fitted)[:, None]).mean(0)
    wanted = np.array([shares()[kind] for kind in kinds])
    wanted /= wanted.sum()
    assert wanted[2] > 0.1  # a twentieth of the functions cannot give that many
    assert drawn[2] == pytest.approx(0.05, abs=0.01)
    assert drawn[1] / drawn[0] == pytest.approx(wanted[1] / wanted[0], rel=0.15)
    assert weights(kinds, np.zeros((0, 3), bool)) == pytest.approx(wanted.tolist())


def test_counts_of_bugs() -> None:
    rng, config = np.random.default_rng(0), BugConfig(single=0.5, mean=5, most=8)
    counts = [bug_count(config, rng) for _ in range(4000)]
    assert counts.count(1) / 4000 == pytest.approx(0.5, abs=0.03)
    assert max(counts) == 8
    assert np.mean([c for c in counts if c > 1]) == pytest.approx(4, abs=0.4)  # cut at `most`, rounded down


def site(start: int, kind: int, z0: tuple[int, ...], z1: tuple[int, ...], *spans: tuple[int, int]) -> Site:
    found = tuple(Complaint(ids(kind, n), *span) for n, span in enumerate(spans))
    return Site(kind, start, start + len(stripped(ids(*z1))), ids(*z0), ids(*z1), ids(), found)


def test_complaints_follow_their_tokens() -> None:
    clean = ids(*range(40, 50))
    sites = [site(2, 0, (20, 21), (42, BLANK), (0, 2)), site(6, 0, (BLANK,), (46,), (-1, 1))]
    row, slot = splice(clean, sites)
    placed = complaints(sites, slot, unparsable=())
    assert [row.z0[list(slots)].tolist() for _, slots in placed] == [[20, 21], [45, 47]]


def test_a_syntax_error_hides_all_other_complaints() -> None:
    clean = ids(*range(40, 60))
    sites = [site(at, kind, (20,), (40 + at,), (0, 1)) for at, kind in ((2, 0), (5, 1), (9, 1), (12, 0))]
    _, slot = splice(clean, sites)
    assert [c.message[0] for c, _ in complaints(sites, slot, unparsable=())] == [0, 1, 1, 0]
    (only,) = complaints(sites, slot, unparsable={1})
    assert only[1] == (5,)
    many = [site(at, 0, (20,), (40 + at,), (0, 1)) for at in range(0, 18, 2)]
    assert len(complaints(many, splice(clean, many)[1], unparsable=())) == MAX_DIAGNOSTICS

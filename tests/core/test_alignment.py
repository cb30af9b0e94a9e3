"""Alignments: both sides come back, nothing is edited that need not be, and equal edits get equal slots."""

from itertools import groupby

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from editflow.alignment import BLANK, align

LINE_END = 9
SHORT = st.lists(st.integers(0, 2), max_size=7)
TEXTS = st.lists(st.sampled_from([0, 1, 2, LINE_END]), max_size=24)


def cost(z0: list[int], z1: list[int]) -> int:
    return sum(a != b for a, b in zip(z0, z1, strict=True))


def without_blanks(slots: list[int]) -> list[int]:
    return [token for token in slots if token != BLANK]


def distance(a: list[int], b: list[int]) -> int:
    """Levenshtein's distance by its definition."""
    if not a or not b:
        return len(a) + len(b)
    if a[0] == b[0]:
        return distance(a[1:], b[1:])
    return 1 + min(distance(a[1:], b[1:]), distance(a[1:], b), distance(a, b[1:]))


def blank_runs(side: list[int]) -> list[tuple[int, int]]:
    runs = [(blank, list(run)) for blank, run in groupby(range(len(side)), lambda i: side[i] == BLANK)]
    return [(run[0], run[-1] + 1) for blank, run in runs if blank]


@given(TEXTS, TEXTS)
def test_both_sides_come_back(source: list[int], target: list[int]) -> None:
    z0, z1 = align(source, target, {LINE_END})
    assert (without_blanks(z0), without_blanks(z1)) == (source, target)
    assert (BLANK, BLANK) not in zip(z0, z1, strict=True)


@given(SHORT, SHORT)
def test_as_few_edits_as_any_inside_one_line(source: list[int], target: list[int]) -> None:
    assert cost(*align(source, target, {LINE_END})) == distance(source, target)


@given(TEXTS)
def test_a_text_is_aligned_to_itself_without_an_edit(text: list[int]) -> None:
    assert align(text, text, {LINE_END}) == (text, text)


@given(TEXTS, TEXTS)
@example([0, 0], [0, 0, 1, 0])
@example([0, 1, LINE_END], [0, 2, LINE_END, 0, 1, LINE_END])
def test_no_run_of_blanks_can_move_right(source: list[int], target: list[int]) -> None:
    z0, z1 = align(source, target, {LINE_END})
    for side, other in ((z0, z1), (z1, z0)):
        for start, end in blank_runs(side):
            movable = end < len(side) and side[end] == other[end] == other[start]
            assert not movable, (z0, z1)


@given(st.lists(st.integers(0, 3), max_size=4), st.integers(2, 6), st.integers(1, 4))
def test_a_repeated_token_is_inserted_and_deleted_at_the_end_of_its_run(
    head: list[int], length: int, extra: int
) -> None:
    short, long = [*head, *[7] * length, 8], [*head, *[7] * (length + extra), 8]
    blanks = [*head, *[7] * length, *[BLANK] * extra, 8]
    assert align(short, long, {LINE_END}) == (blanks, long)
    assert align(long, short, {LINE_END}) == (long, blanks)


BODY = st.lists(st.integers(10, 19), min_size=1, max_size=5)


def changed_lines(low: int) -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(st.integers(low, low + 9), min_size=1, max_size=4), max_size=3)


@given(st.lists(BODY, unique_by=tuple, max_size=6), st.data())
def test_lines_equal_on_both_sides_are_never_edited(kept: list[list[int]], data: st.DataObject) -> None:
    """Old, new and kept lines share no token, so there is one place only where each can go."""
    source: list[int] = []
    target: list[int] = []
    for line in [*kept, []]:
        for side, low in ((source, 20), (target, 30)):
            side += [token for changed in data.draw(changed_lines(low)) for token in [*changed, LINE_END]]
            side += [*line, LINE_END] if line else []
    z0, z1 = align(source, target, {LINE_END})
    touched = [slot for slot in zip(z0, z1, strict=True) if slot[0] != slot[1]]
    assert not {token for slot in touched for token in slot} & set(range(10, 20))


@pytest.mark.parametrize("source", [[], [1], [1, LINE_END, 2]])
def test_an_empty_side_is_all_insertions_or_all_deletions(source: list[int]) -> None:
    assert align(source, [], {LINE_END}) == (source, [BLANK] * len(source))
    assert align([], source, {LINE_END}) == ([BLANK] * len(source), source)

"""Hunks of whole lines: they rebuild the target, and nothing but an exact fit is applied."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.causal.line_diff import Line, LineHunk, apply_hunks, line_hunks, split_lines
from editflow_trainer.causal.refusal import Reason, Refused

END = 0
SOURCE: list[Line] = [(1, END), (2, END), (3, END)]
tokens = st.lists(st.integers(END, 3), max_size=24)


def lines(text: list[int]) -> list[Line]:
    return split_lines(text, {END})


def refusal(*hunks: LineHunk, source: list[Line] = SOURCE) -> Reason:
    with pytest.raises(Refused) as refused:
        apply_hunks(hunks, source, {END})
    return refused.value.reason


@given(tokens)
def test_lines_end_with_their_ends_and_keep_every_token(text: list[int]) -> None:
    found = lines(text)
    assert [token for line in found for token in line] == text
    assert all(line.index(END) == len(line) - 1 for line in found[:-1])


@given(tokens, tokens)
def test_hunks_of_a_pair_turn_its_source_into_its_target(source: list[int], target: list[int]) -> None:
    hunks = line_hunks(lines(source), lines(target))
    assert apply_hunks(hunks, lines(source), {END}) == target
    assert bool(hunks) == (source != target)


@given(tokens, tokens)
def test_hunks_hold_whole_changed_lines_only(source: list[int], target: list[int]) -> None:
    for hunk in line_hunks(lines(source), lines(target)):
        first = hunk.number - 1
        assert tuple(lines(source)[first : first + len(hunk.removed)]) == hunk.removed
        assert hunk.removed != hunk.added


@given(tokens, tokens, st.data())
def test_hunks_on_another_source_apply_exactly_or_not_at_all(
    source: list[int], target: list[int], data: st.DataObject
) -> None:
    hunks = [hunk for hunk in line_hunks(lines(source), lines(target)) if hunk.removed]
    other = data.draw(tokens)
    fits = all(tuple(lines(other)[h.number - 1 :][: len(h.removed)]) == h.removed for h in hunks)
    try:
        apply_hunks(hunks, lines(other), {END})
    except Refused as refused:
        assert not fits or refused.reason is Reason.malformed
    else:
        assert fits


def test_an_insertion_stands_before_the_line_of_its_number() -> None:
    added: tuple[Line, ...] = ((9, END),)
    assert apply_hunks([LineHunk(1, (), added)], SOURCE, {END}) == [9, END, 1, END, 2, END, 3, END]
    assert apply_hunks([LineHunk(4, (), added)], SOURCE, {END}) == [1, END, 2, END, 3, END, 9, END]


def test_removed_lines_must_be_the_ones_there() -> None:
    assert refusal(LineHunk(1, ((2, END),), ((9, END),))) is Reason.other_lines
    assert refusal(LineHunk(2, ((2,),), ((9, END),))) is Reason.other_lines


def test_hunks_stay_inside_the_source() -> None:
    assert refusal(LineHunk(5, (), ((9, END),))) is Reason.no_such_line
    assert refusal(LineHunk(3, ((3, END), (4, END)), ())) is Reason.no_such_line


def test_hunks_go_forward() -> None:
    first, second = LineHunk(1, ((1, END),), ()), LineHunk(2, ((2, END),), ())
    assert apply_hunks([first, second], SOURCE, {END}) == [3, END]
    assert refusal(second, first) is Reason.out_of_order
    assert refusal(first, first) is Reason.out_of_order


def test_an_added_line_without_an_end_stands_last_or_nowhere() -> None:
    assert apply_hunks([LineHunk(4, (), ((9,),))], SOURCE, {END})[-1] == 9
    assert refusal(LineHunk(2, (), ((9,),))) is Reason.malformed

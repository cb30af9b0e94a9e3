"""Changed words: what is left of both lines without them is the same text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_tui.view import Range
from editflow_tui.words import MOST_WORDS, changed_words

LINES = st.text(st.sampled_from("ab=+ ._"), max_size=30)


def without(line: str, ranges: tuple[Range, ...]) -> str:
    kept = [character for i, character in enumerate(line) if not any(a <= i < b for a, b in ranges)]
    return "".join(kept)


def cut(line: str, ranges: tuple[Range, ...]) -> list[str]:
    return [line[start:end] for start, end in ranges]


@given(LINES, LINES)
def test_what_is_not_marked_is_common(old: str, new: str) -> None:
    old_ranges, new_ranges = changed_words(old, new)
    if old_ranges or new_ranges:
        assert without(old, old_ranges) == without(new, new_ranges)


@given(LINES, LINES)
def test_ranges_are_in_order_and_inside(old: str, new: str) -> None:
    for line, ranges in zip((old, new), changed_words(old, new), strict=True):
        flat = [offset for pair in ranges for offset in pair]
        assert flat == sorted(flat)
        assert all(0 <= start < end <= len(line) for start, end in ranges)


@pytest.mark.parametrize(
    ("old", "new", "removed", "added"),
    [
        ("if x == None:", "if x is None:", ["=="], ["is"]),
        ("print(nmae, 1)", "print(name, 1)", ["nmae"], ["name"]),
        ("def f(a)", "def f(a):", [], [":"]),
        ("same", "same", [], []),
        ("alpha beta gamma", "x = y", [], []),
    ],
)
def test_words_a_reader_would_mark(old: str, new: str, removed: list[str], added: list[str]) -> None:
    old_ranges, new_ranges = changed_words(old, new)
    assert (cut(old, old_ranges), cut(new, new_ranges)) == (removed, added)


def test_a_line_of_too_many_words_is_marked_in_one_piece() -> None:
    words = "a, " * MOST_WORDS
    old, new = f"x = [{words}1, 2, {words}]", f"x = [{words}3, 4, {words}]"
    old_ranges, new_ranges = changed_words(old, new)
    assert (cut(old, old_ranges), cut(new, new_ranges)) == (["1, 2"], ["3, 4"])

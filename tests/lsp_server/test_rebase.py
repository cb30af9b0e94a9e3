"""A proposal carried over a change: the window's text stays, and it does not matter which is applied first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_lsp.buffer import Change
from editflow_lsp.rebase import Placed, rebase

words = st.text("ab\n", max_size=4)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, Placed, Change]:
    """A text, a proposal in a window of it, and a change of it."""
    text = draw(st.text("abc\n", max_size=30))
    low, high = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    places = sorted(draw(st.sets(st.integers(low, high), max_size=6)))
    edits = tuple(
        (start, end, draw(words), draw(st.floats(0, 1)))
        for start, end in zip(places[::2], places[1::2], strict=False)
    )
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    return text, Placed((low, high), edits), (start, end, draw(words))


def applied(text: str, *edits: tuple[int, int, str]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def edited(text: str, placed: Placed) -> str:
    return applied(text, *(edit[:3] for edit in placed.edits))


@given(cases())
def test_the_order_does_not_matter(case: tuple[str, Placed, Change]) -> None:
    text, placed, change = case
    moved = rebase(placed, change)
    if moved is None:
        return
    changed = applied(text, change)
    assert changed[slice(*moved.window)] == text[slice(*placed.window)]
    grown = len(edited(text, placed)) - len(text)
    start, end, new = change
    later = change if end <= placed.window[0] else (start + grown, end + grown, new)
    assert edited(changed, moved) == applied(edited(text, placed), later)
    assert [edit[2:] for edit in moved.edits] == [edit[2:] for edit in placed.edits]


@given(cases())
def test_it_is_kept_exactly_where_the_change_is_beside_the_window(case: tuple[str, Placed, Change]) -> None:
    _, placed, (start, end, new) = case
    low, high = placed.window
    beside = end <= low or start >= high
    inserted_at_edge = start == end and start in (low, high)
    assert (rebase(placed, (start, end, new)) is not None) == (beside and not inserted_at_edge)


PLACED = Placed((4, 8), ((5, 6, "x", 0.5), (8, 8, "y", 0.9)))


@pytest.mark.parametrize(
    ("change", "window", "starts"),
    [
        ((0, 0, "abc"), (7, 11), [8, 11]),
        ((0, 4, ""), (0, 4), [1, 4]),
        ((8, 9, "long"), (4, 8), [5, 8]),
        ((9, 9, "long"), (4, 8), [5, 8]),
    ],
)
def test_beside(change: Change, window: tuple[int, int], starts: list[int]) -> None:
    moved = rebase(PLACED, change)
    assert moved is not None
    assert moved.window == window
    assert [edit[0] for edit in moved.edits] == starts


@pytest.mark.parametrize(
    "change", [(4, 4, "a"), (8, 8, "a"), (3, 5, ""), (7, 9, ""), (0, 9, "a"), (5, 5, "a")]
)
def test_touching(change: Change) -> None:
    assert rebase(PLACED, change) is None

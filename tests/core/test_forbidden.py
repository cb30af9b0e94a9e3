"""Forbidden edits are never made, in parts or after others, and nothing else is held back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.forbidden import permitted
from editflow.pieces import Pieces, TextEdit
from editflow.request import Replacement

TEXT = "print(valeu)"
SOME_TEXT = st.text("ab", max_size=8)


@st.composite
def edits_of(draw: st.DrawFn, size: int) -> list[TextEdit]:
    places = sorted(draw(st.lists(st.integers(0, size), max_size=8)))
    ranges = {each: None for each in zip(places[::2], places[1::2], strict=False)}
    return [(*each, draw(st.text("abX", max_size=3)), 0.9) for each in ranges]


def left_of(edits: list[TextEdit], *forbidden: Replacement, pieces: Pieces | None = None) -> list[TextEdit]:
    return permitted(pieces or Pieces.of(TEXT), edits, forbidden)


@pytest.mark.parametrize(
    "edits",
    [
        [(6, 11, "value", 0.9)],
        [(9, 11, "ue", 0.9)],
        [(9, 9, "u", 0.9), (10, 11, "", 0.9)],
        [(8, 9, "", 0.9), (9, 9, "lu", 0.9), (10, 11, "", 0.9)],
        [(5, 12, "(value)", 0.9)],
    ],
    ids=["the same", "less", "in two parts", "in three", "more"],
)
def test_the_text_that_results_counts(edits: list[TextEdit]) -> None:
    assert Pieces.of(TEXT).edited(edits).text == "print(value)"
    other = (0, 5, "log", 0.9)
    assert left_of([other, *edits], (6, 11, "value")) == [other]
    assert left_of([other, *edits], (6, 11, "values")) == [other, *edits]


def test_a_part_of_touching_edits_is_left_out_alone() -> None:
    assert left_of([(6, 11, "x", 0.9), (11, 11, ",", 0.9)], (11, 11, ",")) == [(6, 11, "x", 0.9)]


def test_a_rest_that_is_forbidden_is_left_out_too() -> None:
    edits = [(6, 7, "V", 0.9), (8, 9, "L", 0.9), (10, 11, "U", 0.9)]
    assert left_of(edits, (6, 11, "VaLeu"), (10, 11, "U")) == []


@pytest.mark.parametrize(
    ("settled", "edit"),
    [
        ([(0, 5, "log", 0.9)], (7, 9, "ue", 0.9)),
        ([(9, 9, "u", 0.9)], (11, 12, "", 0.9)),
        ([(6, 6, "not ", 0.9)], (10, 15, "value", 0.9)),
        ([(11, 11, "()", 0.9)], (6, 11, "value", 0.9)),
    ],
    ids=["elsewhere", "a part of it", "right before it", "right after it"],
)
def test_what_was_made_before_moves_what_is_forbidden(settled: list[TextEdit], edit: TextEdit) -> None:
    pieces = Pieces.of(TEXT).edited(settled)
    assert "value" in pieces.edited([edit]).text
    assert left_of([edit], (6, 11, "value"), pieces=pieces) == []


def test_the_place_does_not_count_where_the_text_is_the_same() -> None:
    pieces, edits = Pieces.of("f(g(x)\n"), [(6, 6, ")", 0.9)]
    for at in (5, 6):
        assert permitted(pieces, edits, [(at, at, ")")]) == []
    assert permitted(pieces, edits, [(4, 4, ")")]) == edits


@given(SOME_TEXT, st.data())
def test_what_is_left_never_makes_it(text: str, data: st.DataObject) -> None:
    pieces, edits = Pieces.of(text), data.draw(edits_of(len(text)))
    forbidden = [(start, end, new) for start, end, new, _ in data.draw(edits_of(len(text)))]
    left = permitted(pieces, edits, forbidden)
    assert set(left) <= set(edits)
    made = pieces.edited(left).text
    assert made == text or all(made != pieces.edited([(*each, 1.0)]).text for each in forbidden)
    assert permitted(pieces, left, forbidden) == left


@given(SOME_TEXT, st.data())
def test_what_makes_another_text_is_left(text: str, data: st.DataObject) -> None:
    pieces, edits = Pieces.of(text), data.draw(edits_of(len(text)))
    forbidden = [(start, end, new) for start, end, new, _ in data.draw(edits_of(len(text)))]
    results = {pieces.edited([(*each, 1.0)]).text for each in forbidden}
    runs = [edits[i:j] for i in range(len(edits)) for j in range(i + 1, len(edits) + 1)]
    if not any(pieces.edited(run).text in results for run in runs):
        assert permitted(pieces, edits, forbidden) == edits
    assert permitted(pieces, edits, ()) == edits

"""Edits of edits: whatever the rounds did to the text, one set of edits of the original says the same."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from editflow.document import Document
from editflow.pieces import Piece, Pieces, TextEdit
from editflow.proposal import Proposal

SOME_TEXT = st.text("ab\n", max_size=12)


@st.composite
def edits_of(draw: st.DrawFn, size: int) -> list[TextEdit]:
    """Edits in order that may touch but not overlap."""
    places = sorted(draw(st.lists(st.integers(0, size), max_size=8)))
    ranges = zip(places[::2], places[1::2], strict=False)
    return [(*each, draw(st.text("XY", max_size=3)), draw(st.floats(0, 1))) for each in ranges]


def spliced(text: str, edits: list[TextEdit]) -> str:
    """What edits in order make of a text."""
    parts, at = [], 0
    for start, end, new, _ in edits:
        parts += [text[at:start], new]
        at = end
    return "".join(parts) + text[at:]


@given(SOME_TEXT, st.integers(1, 5), st.data())
def test_edits_of_edits_are_edits_of_the_original(original: str, rounds: int, data: st.DataObject) -> None:
    pieces, text = Pieces.of(original), original
    for _ in range(rounds):
        edits = data.draw(edits_of(len(text)))
        text, pieces = spliced(text, edits), pieces.edited(edits)
        assert pieces.text == text
    found = pieces.edits()
    assert spliced(original, found) == text
    assert all(start <= end for start, end, _, _ in found)
    assert all(a[1] <= b[0] for a, b in pairwise(found))
    assert Proposal.from_edits(Document.from_text(original), found).text == text


@given(SOME_TEXT, st.integers(1, 5), st.data())
def test_pieces_have_no_gaps(original: str, rounds: int, data: st.DataObject) -> None:
    pieces = Pieces.of(original)
    for _ in range(rounds):
        pieces = pieces.edited(data.draw(edits_of(len(pieces.text))))
    assert (pieces.pieces[0].start, pieces.pieces[-1].end) == (0, len(original))
    assert all(a.end == b.start for a, b in pairwise(pieces.pieces))


@given(SOME_TEXT, st.data())
def test_the_order_of_edits_does_not_matter(original: str, data: st.DataObject) -> None:
    edits = data.draw(edits_of(len(original)))
    distinct = list({edit[:2]: edit for edit in edits}.values())
    shuffled = data.draw(st.permutations(distinct))
    assert Pieces.of(original).edited(shuffled) == Pieces.of(original).edited(distinct)


def test_the_unedited_text_has_no_edits() -> None:
    for text in ("", "abc\n"):
        assert Pieces.of(text).text == text
        assert Pieces.of(text).edits() == []
        assert Pieces.of(text).edited([]) == Pieces.of(text)


def test_insertions_at_one_place_stay_in_order() -> None:
    edits = [(1, 1, "X", 0.5), (1, 1, "Y", 0.5)]
    assert Pieces.of("ab").edited(edits).text == "aXYb"
    assert Pieces.of("").edited(edits[:1]).edited([(1, 1, "Y", 0.5)]).edits() == [
        (0, 0, "X", 0.5),
        (0, 0, "Y", 0.5),
    ]


def test_an_edit_inside_a_new_text_leaves_the_range_to_the_new_text() -> None:
    pieces = Pieces.of("abcd").edited([(1, 3, "XYZ", 0.9)]).edited([(2, 3, "-", 0.4)])
    assert pieces.text == "aX-Zd"
    assert pieces.edits() == [(1, 3, "X", 0.9), (3, 3, "-", 0.4), (3, 3, "Z", 0.9)]


def test_what_replaces_a_new_text_is_no_surer_than_it() -> None:
    pieces = Pieces.of("abcd").edited([(1, 2, "X", 0.6)]).edited([(0, 3, "Y", 0.9)])
    assert pieces.edits() == [(0, 3, "Y", 0.6)]
    assert pieces.pieces[-1] == Piece(3, 4)


def test_a_deleted_range_can_be_filled_again() -> None:
    pieces = Pieces.of("abcd").edited([(1, 3, "", 0.9)]).edited([(1, 1, "X", 0.8)])
    assert pieces.text == "aXd"
    assert pieces.edits() == [(1, 3, "", 0.9), (3, 3, "X", 0.8)]

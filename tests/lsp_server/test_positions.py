"""Lines and code units against a reading of the text one character at a time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position, PositionEncodingKind, Range

from editflow.document import Document
from editflow_lsp.positions import LineIndex
from tests.lsp_server.texts import ENCODINGS, FAR, POSITIONS, TEXTS, offset, places

encodings = st.sampled_from(ENCODINGS)


@given(TEXTS, encodings)
def test_every_offset_has_its_place(text: str, encoding: PositionEncodingKind) -> None:
    index = LineIndex(text, encoding)
    for at, place in enumerate(places(text, encoding)):
        if place is None:
            assert index.position(at) == index.position(at - 1)
        else:
            assert index.position(at) == Position(*place)
            assert index.offset(Position(*place)) == at


@given(TEXTS, POSITIONS, encodings)
def test_any_position_is_clamped_to_its_line(
    text: str, position: Position, encoding: PositionEncodingKind
) -> None:
    assert LineIndex(text, encoding).offset(position) == offset(text, position, encoding)


@given(TEXTS, POSITIONS, POSITIONS, encodings)
def test_a_range_is_put_in_order(
    text: str, first: Position, second: Position, encoding: PositionEncodingKind
) -> None:
    index = LineIndex(text, encoding)
    expected = sorted([offset(text, first, encoding), offset(text, second, encoding)])
    assert list(index.offsets(Range(first, second))) == expected
    assert index.offsets(index.range(*expected)) == tuple(expected)


@given(TEXTS, st.integers(-FAR, FAR), encodings)
def test_an_offset_outside_is_clamped(text: str, at: int, encoding: PositionEncodingKind) -> None:
    index = LineIndex(text, encoding)
    assert index.position(at) == index.position(min(max(at, 0), len(text)))


def test_a_half_of_a_pair_goes_to_its_start() -> None:
    index = LineIndex("a😀b", PositionEncodingKind.Utf16)
    assert [index.offset(Position(0, character)) for character in range(6)] == [0, 1, 1, 2, 3, 3]


def test_only_three_line_breaks() -> None:
    assert LineIndex("a\fb\u2028c\x85d\ve\r\nf\rg\n", PositionEncodingKind.Utf8).starts == [0, 11, 13, 15]


@given(TEXTS, TEXTS, st.data(), encodings)
def test_an_edited_index_is_the_index_of_the_edited_text(
    text: str, new: str, data: st.DataObject, encoding: PositionEncodingKind
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    edited = LineIndex(text, encoding).edited(start, end, new)
    assert edited.text == text[:start] + new + text[end:]
    assert edited.starts == LineIndex(edited.text, encoding).starts


@given(TEXTS, st.data())
def test_lines_are_those_of_a_document(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    document = Document.from_text(text)
    last = end - 1 if end > start else end
    expected = document.line_of(start) + 1, document.line_of(last) + 1
    assert LineIndex(text, PositionEncodingKind.Utf8).lines(start, end) == expected


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_lone_surrogates_are_one_character_each(encoding: PositionEncodingKind) -> None:
    text = "a\ud83d\ude00b\udc00\ud800"
    index = LineIndex(text, encoding)
    assert [index.offset(index.position(at)) for at in range(len(text) + 1)] == list(range(len(text) + 1))


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(ValueError, match="utf-7"):
        LineIndex("", "utf-7")


def test_a_place_far_down_costs_what_its_line_costs() -> None:
    """Less than the scan of the text would: 5 million characters in 200,000 lines."""
    index = LineIndex("some code with an é and a 😀\n" * 200_000, PositionEncodingKind.Utf16)
    middle = len(index.text) // 2
    assert len(index.starts) == 200_001
    took = []
    for at in range(middle, middle + 50):
        began = time.thread_time()
        index.offset(index.position(at))
        took.append(time.thread_time() - began)
    assert min(took) < 0.0001

"""A buffer follows its client through any changes, and what it records leads from each text to the next."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import (
    Position,
    PositionEncodingKind,
    Range,
    TextDocumentContentChangeEvent,
    TextDocumentContentChangePartial,
    TextDocumentContentChangeWholeDocument,
)

from editflow_lsp.buffer import Buffer, Change
from tests.lsp_server.texts import ENCODINGS, POSITIONS, TEXTS, offset

URI = "file:///a.py"
ranges = st.builds(Range, POSITIONS, POSITIONS)
partial = st.builds(TextDocumentContentChangePartial, range=ranges, text=TEXTS)
whole = st.builds(TextDocumentContentChangeWholeDocument, text=TEXTS)
sessions = st.lists(partial | whole, max_size=6)


def after(text: str, change: TextDocumentContentChangeEvent, encoding: PositionEncodingKind) -> str:
    if isinstance(change, TextDocumentContentChangeWholeDocument):
        return change.text
    ends = (offset(text, place, encoding) for place in (change.range.start, change.range.end))
    start, end = sorted(ends)
    return text[:start] + change.text + text[end:]


def replayed(text: str, changes: Sequence[Change]) -> str:
    for start, end, new in changes:
        assert 0 <= start <= end <= len(text)
        text = text[:start] + new + text[end:]
    return text


@given(TEXTS, sessions, st.sampled_from(ENCODINGS))
def test_the_text_is_the_clients(
    text: str, session: list[TextDocumentContentChangeEvent], encoding: PositionEncodingKind
) -> None:
    buffer = Buffer(URI, text, 1, "python", encoding)
    expected = text
    for change in session:
        expected = after(expected, change, encoding)
        buffer.apply_change(change)
        assert buffer.text == buffer.source == buffer.index.text == expected
    assert replayed(text, buffer.take_changes()) == expected
    assert buffer.take_changes() == []


@given(TEXTS, TEXTS)
def test_a_whole_text_changes_no_more_than_differs(old: str, new: str) -> None:
    buffer = Buffer(URI, old)
    buffer.apply_change(TextDocumentContentChangeWholeDocument(new))
    changes = buffer.take_changes()
    assert replayed(old, changes) == new
    for start, end, inserted in changes:
        removed = old[start:end]
        assert not (removed and inserted) or (removed[0] != inserted[0] and removed[-1] != inserted[-1])


def test_a_change_that_changes_nothing_is_not_recorded() -> None:
    buffer = Buffer(URI, "abc")
    buffer.apply_change(TextDocumentContentChangePartial(Range(Position(0, 1), Position(0, 2)), "b"))
    buffer.apply_change(TextDocumentContentChangeWholeDocument("abc"))
    assert buffer.take_changes() == []


def test_a_form_feed_ends_no_line() -> None:
    buffer = Buffer(URI, "a\f\nb\n")
    buffer.apply_change(TextDocumentContentChangePartial(Range(Position(1, 0), Position(1, 1)), "c"))
    assert buffer.text == "a\f\nc\n"


@pytest.mark.parametrize(("lines", "at_most"), [(2_000, 0.003), (200_000, 0.1)])  # idle: 0.1 and 13 ms
def test_a_keystroke_is_fast(lines: int, at_most: float) -> None:
    buffer = Buffer(URI, "    value = something(argument, other) + 1 # text\n" * lines)
    took = []
    for column in range(20):
        place = Position(3, column)
        began = time.thread_time()
        buffer.apply_change(TextDocumentContentChangePartial(Range(place, place), "x"))
        buffer.take_changes()
        took.append(time.thread_time() - began)
    assert buffer.text.splitlines()[3].startswith("x" * 20)
    assert min(took) < at_most

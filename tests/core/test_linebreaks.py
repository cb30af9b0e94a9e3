"""Line ends: the model's text and the source correspond at every offset, and edits come back in the source's style."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from editflow.linebreaks import LineBreaks
from editflow.pieces import Pieces

ANY_ENDS = st.text("a\r\n", max_size=20)
LINES = st.lists(st.tuples(st.text("ab", max_size=3), st.sampled_from(["\n", "\r\n"])), max_size=6)


@given(ANY_ENDS)
def test_offsets_correspond(source: str) -> None:
    breaks = LineBreaks(source)
    assert breaks.text == source.replace("\r\n", "\n")
    there = [breaks.to_source(offset) for offset in range(len(breaks.text) + 1)]
    assert [breaks.to_model(offset) for offset in there] == list(range(len(there)))
    assert (there[0], there[-1]) == (0, len(source))
    pieces = [source[a:b] for a, b in pairwise(there)]
    assert "".join("\n" if piece == "\r\n" else piece for piece in pieces) == breaks.text


@given(ANY_ENDS)
def test_an_offset_inside_a_line_end_is_at_the_line_end(source: str) -> None:
    breaks = LineBreaks(source)
    for at in range(len(source) - 1):
        if source[at : at + 2] == "\r\n":
            assert breaks.text[breaks.to_model(at)] == "\n"
            assert breaks.to_model(at) == breaks.to_model(at + 1)


@given(LINES, st.text("c\n", max_size=5), st.data())
def test_an_edit_of_the_text_is_one_of_the_source(
    lines: list[tuple[str, str]], new: str, data: st.DataObject
) -> None:
    breaks = LineBreaks("".join(line + end for line, end in lines))
    start, end = sorted(data.draw(st.integers(0, len(breaks.text))) for _ in range(2))
    restored = breaks.restore((start, end, new, 0.5))
    source = Pieces.of(breaks.source).edited([restored]).text
    assert LineBreaks(source).text == Pieces.of(breaks.text).edited([(start, end, new, 0.5)]).text
    assert restored[3] == 0.5
    if {end for _, end in lines} == {"\r\n"}:
        assert source.count("\n") == source.count("\r\n")
    if {end for _, end in lines} == {"\n"}:
        assert "\r" not in source


def test_a_new_line_ends_as_the_line_that_it_splits() -> None:
    breaks = LineBreaks("one\r\ntwo\nthree\r\nend")
    assert breaks.restore((1, 1, "\n", 1.0))[2] == "\r\n"
    assert breaks.restore((5, 5, "\n", 1.0))[2] == "\n"
    assert breaks.restore((7, 8, "\n", 1.0)) == (8, 9, "\n", 1.0)
    assert breaks.restore((15, 16, "x\n", 1.0))[2] == "x\r\n"


def test_a_line_end_that_is_whole_already_is_not_doubled() -> None:
    assert LineBreaks("a\r\nb\r\n").restore((1, 1, "x\r\ny\n", 1.0))[2] == "x\r\ny\r\n"


def test_a_lone_carriage_return_is_an_ordinary_character() -> None:
    breaks = LineBreaks("a\rb\n\r")
    assert breaks.text == "a\rb\n\r"
    assert breaks.restore((2, 3, "c\n", 1.0)) == (2, 3, "c\n", 1.0)

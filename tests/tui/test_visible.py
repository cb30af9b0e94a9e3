"""Stand-ins and widths: nothing reaches the terminal that it would obey, and every cell is accounted for."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from editflow_tui.visible import NO_NEWLINE, TAB, masked, safe, show, without_end

ODD = "\t\x00\x1b\x7f\x85\xad\u0301\u034f\u061c\u1160\u200b\u200d\u200e\u2028\u202e\u2066\u3000\ufe0f\ufeff日한e👍🏽👨"
LINES = st.text(st.one_of(st.sampled_from(ODD), st.characters(exclude_characters="\n")), max_size=40)


@pytest.mark.parametrize(
    ("character", "stand_in"),
    [
        ("\x1b", "␛"),
        ("\x07", "␇"),
        ("\r", "␍"),
        ("\x7f", "␡"),
        ("\x9b", "⟨U+009B⟩"),
        ("\u200d", "⟨U+200D⟩"),
        ("\u202e", "⟨U+202E⟩"),
        ("\u2028", "⟨U+2028⟩"),
        ("\ufe0f", "⟨U+FE0F⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("日", "日"),
    ],
)
def test_what_has_no_honest_glyph_is_named(character: str, stand_in: str) -> None:
    assert show(f"a{character}b").text == f"a{stand_in}b"
    assert safe(f"a{character}b") == f"a{stand_in}b"


@given(LINES, st.booleans())
def test_all_that_is_shown_is_printable_and_measured(line: str, whitespace: bool) -> None:
    shown = show(line, whitespace)
    assert shown.text.isprintable()
    assert not any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in shown.text
    )
    assert shown.width == cell_len(shown.text)


@given(LINES)
def test_a_mask_has_as_many_characters(line: str) -> None:
    assert len(masked(line)) == len(line) and masked(line).replace("\t", " ").isprintable()
    assert masked("a\x1b\x9b\u202eb\té") == "a␛��b\té"


@given(LINES)
def test_every_character_has_its_place_and_is_found_there(line: str) -> None:
    shown = show(line)
    places = [shown.place(i) for i in range(len(line) + 1)]
    assert places == sorted(set(places))
    assert places[-1] == len(shown.text)
    for i, (start, end) in enumerate(pairwise(places)):
        cell = cell_len(shown.text[:start])
        if cell_len(shown.text[start:end]):
            assert shown.source(cell) == i


@given(LINES, st.integers(0, 60), st.integers(0, 30))
def test_a_crop_holds_what_lies_wholly_inside(line: str, first: int, width: int) -> None:
    shown = show(line)
    start, stop, pad = shown.crop(first, first + width)
    assert 0 <= start <= stop <= len(shown.text)
    assert pad + cell_len(shown.text[start:stop]) <= width
    if start < stop:
        assert cell_len(shown.text[:start]) == first + pad


@given(LINES, st.integers(2, 12))
def test_wrapped_lines_show_every_character_once(line: str, width: int) -> None:
    shown = show(line)
    starts = shown.breaks(width)
    crops = [
        shown.crop(start, end) for start, end in zip(starts, (*starts[1:], starts[-1] + width), strict=True)
    ]
    assert "".join(shown.text[start:stop] for start, stop, _ in crops) == shown.text
    assert all(cell_len(shown.text[start:stop]) <= width for start, stop, _ in crops)


def test_tabs_reach_the_next_stop_after_wide_characters() -> None:
    assert show("\tx").text.index("x") == TAB
    assert cell_len(show("日\tx").text.partition("x")[0]) == TAB
    assert show("a\tb", whitespace=True).text == "a→  b"


def test_line_ends_are_said_where_they_are_not_the_expected_ones() -> None:
    assert without_end("a\n", crlf=False) == "a"
    assert without_end("a\r\n", crlf=True) == "a"
    assert without_end("a\r\n", crlf=False) == "a\r"
    assert without_end("a", crlf=False) == "a" + NO_NEWLINE

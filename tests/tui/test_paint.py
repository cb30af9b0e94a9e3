"""Strips: always as wide as the pane, never a character that a terminal would obey, states without colour."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from editflow.decisions import Reject, decide
from editflow.document import Document
from editflow.proposal import Proposal
from editflow_tui.blocks import Cell, Kind, Row
from editflow_tui.paint import Marking, Painter, Pane
from editflow_tui.rows import Fold, Rows
from editflow_tui.style import NAMES, Palette
from editflow_tui.syntax import Colours
from editflow_tui.view import View

PALETTE = Palette(Style(), {name: Style(meta={name: True}) for name in NAMES})
HOSTILE = "a b\t\x01\x07\x1b\x7f\x9b\u061c\u200b\u200d\u202e\u2028\u2066\ufe0f\u0301日🎉"
TEXTS = st.text(st.sampled_from(HOSTILE), max_size=50)


def plain(_: Cell) -> Colours:
    return ()


def painter(width: int = 60, *, split: bool = False, whitespace: bool = False) -> Painter:
    return Painter(PALETTE, Pane(width, 3, split), crlf=False, whitespace=whitespace)


def rows_of(old: str, new: str, *, split: bool = False, reject: bool = False) -> list[Row]:
    proposal = Proposal.from_texts(Document.from_text(old), new)
    if reject:
        proposal = decide(proposal, Reject(0))
    rows = Rows(proposal, View(context=None), split=split)
    return [row for i in range(len(rows)) if isinstance(row := rows[i], Row)]


def text_in(strip: Strip, name: str) -> str:
    """The text that has a style of this name among its layers."""
    return "".join(segment.text for segment in strip if segment.style and name in segment.style.meta)


@given(TEXTS, TEXTS, st.integers(1, 90), st.integers(0, 40), st.booleans(), st.booleans())
def test_a_strip_is_as_wide_as_the_pane_and_printable(
    old: str, new: str, width: int, x: int, split: bool, whitespace: bool
) -> None:
    paint = painter(width, split=split, whitespace=whitespace)
    for row in rows_of(old + "\n", new, split=split):
        for part in (None, 0, 1):
            strip = paint.row(row, x, Marking(glyph="?", note="100%"), plain, part=part)
            assert cell_len(strip.text) == strip.cell_length == width
            assert strip.text.isprintable()


@given(st.integers(1, 90))
def test_a_fold_is_as_wide_as_the_pane(width: int) -> None:
    strip = painter(width).fold(Fold(0, 214, False), "def f():\x1b")
    assert cell_len(strip.text) == strip.cell_length == width
    assert "⋯ 214 lines  def f():␛".startswith(strip.text.strip())


@given(TEXTS, st.integers(10, 40))
def test_scrolling_to_the_side_shows_what_follows(text: str, x: int) -> None:
    """What is painted from cell `x` on is the rest of what is painted from the start, up to wide characters."""
    row = Row((Cell(Kind.context, f"{'-' * 10}{text}{'-' * 40}\n", 0, 0),))
    whole = painter(200).row(row, 0, Marking(), plain).text
    gutter = painter(200).pane.gutters[0]
    cropped = painter(60).row(row, x, Marking(), plain).text[painter(60).pane.gutters[0] :]
    assert cropped.strip() in whole[gutter:]


def test_old_and_new_lines_differ_by_their_signs_and_carry_their_numbers() -> None:
    before, old, new = (painter().row(row, 0, Marking(), plain).text for row in rows_of("x\na\n", "x\nb\n"))
    assert before.split() == ["1", "1", "x"]
    assert old.split() == ["2", "-", "a"]
    assert new.split() == ["2", "+", "b"]


def test_only_the_changed_words_stand_out() -> None:
    old, new = (painter().row(r, 0, Marking(), plain) for r in rows_of("return nmae\n", "return name\n"))
    assert text_in(old, "old-word") == "nmae"
    assert text_in(new, "new-word") == "name"


def test_a_rejected_hunk_is_struck_below_the_line_it_leaves_alone() -> None:
    kept, ghost = rows_of("return nmae\n", "return name\n", reject=True)
    strip = painter().row(ghost, 0, Marking(), plain)
    struck = "".join(segment.text for segment in strip if segment.style and segment.style.strike)
    assert struck == "name"
    assert strip.text.split() == ["✗", "return", "name"]
    assert painter().row(kept, 0, Marking(), plain).text.split() == ["1", "1", "return", "nmae"]


def test_sides_stand_side_by_side_with_a_fill_where_one_is_missing() -> None:
    paint = painter(100, split=True)
    same, added = (paint.row(row, 0, Marking(), plain) for row in rows_of("a\n", "a\nb\n", split=True))
    assert same.text.replace("│", " ").split() == ["1", "a", "1", "a"]
    left, right = added.text.split("│")
    assert (len(left), left.strip(), right.split()) == (50, "", ["2", "+", "b"])
    assert text_in(added, "fill").isspace()


def test_a_wrapped_row_has_its_numbers_and_state_once() -> None:
    paint = painter(60)
    text = "x" * (paint.pane.texts[0] + 7)
    (row,) = rows_of(text + "\n", text + "\n")
    first, second = (paint.row(row, 0, Marking(glyph="?", note="87%"), plain, part=i).text for i in (0, 1))
    assert first.split() == ["?", "87%", "1", "1", "x" * paint.pane.texts[0]]
    assert second.split() == ["x" * 7]


def test_the_missing_newline_is_said() -> None:
    old, new = (painter().row(row, 0, Marking(), plain) for row in rows_of("a", "a\n"))
    assert text_in(old, "note") == " ⊘ no newline at end"
    assert "no newline" not in new.text


def test_layers_lie_on_the_old_side_only_and_follow_stand_ins() -> None:
    marking = Marking(layers=((2, 3, "hit"),))
    old, new = (painter().row(row, 0, marking, plain) for row in rows_of("a\x1bb\n", "a\x1bc\n"))
    assert text_in(old, "hit") == "b"
    assert text_in(new, "hit") == ""


def test_the_hunk_under_the_cursor_is_told_from_others_on_its_line() -> None:
    document = Document.from_text("a = b = c\n")
    proposal = Proposal.from_edits(document, [(0, 1, "x", 1.0), (8, 9, "z", 1.0)])
    row = Rows(proposal, View(), split=False)[1]
    assert isinstance(row, Row)
    strip = painter().row(row, 0, Marking(bar=True, cursor=1), plain)
    assert text_in(strip, "cursor") == "z"
    assert strip.text.startswith("▌")


@pytest.mark.parametrize("length", [10_000, 200_000])
def test_only_the_visible_part_of_a_long_line_is_painted(length: int) -> None:
    row = Row((Cell(Kind.context, "x" * length + "\n", 0, 0),))
    strip = painter(60).row(row, length - 10, Marking(), lambda cell: ((0, length, "string"),))
    assert strip.text.count("x") == 10
    assert len(list(strip)) < 10


def test_a_flat_palette_lays_no_syntax_over_changed_lines() -> None:
    flat = replace(painter(), palette=replace(PALETTE, flat=True))
    (context, old, _) = rows_of("if a:\nif b:\n", "if a:\nif c:\n")
    colours: Colours = ((0, 2, "keyword"),)
    assert text_in(flat.row(context, 0, Marking(), lambda _: colours), "keyword") == "if"
    assert text_in(flat.row(old, 0, Marking(), lambda _: colours), "keyword") == ""
    assert text_in(painter().row(old, 0, Marking(), lambda _: colours), "keyword") == "if"

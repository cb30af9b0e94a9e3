"""Windows in their place: their edits change nothing but the lines that may change, and never join two lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.pieces import Pieces, TextEdit
from editflow.placed import PlacedWindow
from editflow.window import Window

LINES = st.lists(st.text("ab ", max_size=4), min_size=1, max_size=6)


def placed(text: str, first: int, last: int, low: int, high: int) -> PlacedWindow:
    """The window over lines first to last of a text, of which low to high may change; all 0-based, end excluded."""
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:n]) for n in range(len(lines) + 1)]
    start = starts[first]
    window = Window("\n".join(lines[first:last]) + "\n")
    return PlacedWindow(window, start, (starts[low] - start, starts[high] - start))


def spliced(text: str, edits: list[TextEdit]) -> str:
    return Pieces.of(text).edited(edits).text


@given(LINES, st.text("ab \n", max_size=6), st.data())
def test_only_the_allowed_lines_change(lines: list[str], new: str, data: st.DataObject) -> None:
    text = "\n".join(lines)
    first, low, high, last = sorted(data.draw(st.integers(0, len(lines))) for _ in range(4))
    if low == high:
        return
    window = placed(text, first, last, low, high)
    start, end = sorted(data.draw(st.integers(0, len(window.window.text))) for _ in range(2))
    result = spliced(text, window.edits_of([(start, end, new, 0.5)], len(text)))
    head, tail = "".join(f"{line}\n" for line in lines[:low]), "\n".join(lines[high:])
    assert result.startswith(head)
    assert result.endswith(tail)
    between = result[len(head) : len(result) - len(tail)]
    assert len(head + between + tail) == len(result)
    assert high == len(lines) or between == "" or between.endswith("\n")


@given(LINES, st.text("ab \n", max_size=6), st.booleans(), st.data())
def test_what_may_change_changes_as_in_the_window(
    lines: list[str], new: str, ends: bool, data: st.DataObject
) -> None:
    text = "\n".join(lines) + "\n" * ends
    window = placed(text, 0, len(lines), 0, len(lines))
    start, end = sorted(data.draw(st.integers(0, len(window.window.text))) for _ in range(2))
    expected = window.window.text[:start] + new + window.window.text[end:]
    found = window.edits_of([(start, end, new, 0.5)], len(text))
    if expected == "" or expected.endswith("\n"):
        last_lines_gone = start < end == len(window.window.text) and not new.endswith("\n")
        assert spliced(text, found) == (expected if ends or last_lines_gone else expected.removesuffix("\n"))
    else:
        assert found == []


TEXT = "if a:\n    b()\n    c()\nd()"


@pytest.mark.parametrize(
    ("edit", "result"),
    [
        ((10, 11, "x"), "if a:\n    x()\n    c()\nd()"),
        ((5, 10, "\n  "), "if a:\n  b()\n    c()\nd()"),
        ((5, 13, ""), "if a:\n    c()\nd()"),
        ((10, 18, ""), "if a:\n    c()\nd()"),
        ((13, 18, "\n    e()\n    "), "if a:\n    b()\n    e()\n    c()\nd()"),
        ((0, 2, "while"), TEXT),
        ((13, 18, ""), TEXT),
        ((13, 14, " "), TEXT),
        ((12, 20, "\n  z"), TEXT),
    ],
    ids=[
        "inside",
        "indentation",
        "line with its start",
        "line with its end",
        "line",
        "above",
        "join",
        "end",
        "over",
    ],
)
def test_an_edit_is_cut_down_to_the_allowed_line(edit: tuple[int, int, str], result: str) -> None:
    window = placed(TEXT, 0, 4, 1, 2)
    found = window.edits_of([(*edit, 0.5)], len(TEXT))
    assert spliced(TEXT, found) == result
    assert all(6 <= start <= end <= 14 for start, end, _, _ in found)


def test_an_edit_that_overlaps_the_one_before_is_left_out() -> None:
    window = placed(TEXT, 0, 4, 1, 2)
    edits = [(10, 11, "x", 0.5), (12, 18, ")\n    ", 0.5), (10, 18, "", 0.9)]
    assert window.edits_of(edits, len(TEXT))[0] == (10, 11, "x", 0.5)
    assert spliced(TEXT, window.edits_of(edits, len(TEXT))).startswith("if a:\n    x(")


def test_a_line_after_a_text_without_a_last_newline_starts_on_its_own() -> None:
    window = placed("a\nb", 1, 2, 1, 2)
    assert spliced("a\nb", window.edits_of([(2, 2, "c\n", 0.5)], 3)) == "a\nb\nc"
    assert spliced("a\nb", window.edits_of([(0, 2, "c\n", 0.5)], 3)) == "a\nc"
    assert spliced("a\nb", window.edits_of([(0, 2, "", 0.5)], 3)) == "a\n"

"""Syntax colours: the right words, wherever the chunk that is parsed begins and ends."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from editflow.document import Document, split_lines
from editflow_tui.syntax import CHUNK, Colours, block_colours, coloured, line_colours


def named(line: str, colours: Colours) -> dict[str, str]:
    """The colour of each word of a line, the innermost winning."""
    return {line[start:end]: name for start, end, name in colours}


def document_of(text: str, name: str = "x.py") -> Document:
    return Document.from_text(text, Path(name))


def test_python_words_have_their_colours() -> None:
    line = 'def area(r): return 3.14 * r  # "round"'
    words = named(line, line_colours(document_of(line), 0))
    assert words["def"] == words["return"] == "keyword"
    assert words["area"] == "function"
    assert words["3.14"] == "number"
    assert words['# "round"'] == "comment"


def test_offsets_are_characters_after_wide_ones() -> None:
    line = 'x = "日本語", None  # 終'
    words = named(line, line_colours(document_of(line), 0))
    assert words['"日本語"'] == "string"
    assert words["# 終"] == "comment"


def test_a_string_over_several_lines_colours_each() -> None:
    text = 'def f():\n    """One.\n\n    Two.\n    """\n'
    document = document_of(text)
    for number in (1, 3):
        line = split_lines(text)[number].rstrip()
        assert any(line[start:end].strip('" ') in line for start, end, name in line_colours(document, number))
        assert {name for *_, name in line_colours(document, number)} == {"string"}


def test_a_block_is_read_after_the_lines_before_it() -> None:
    document = document_of('def f():\n    """One.\n    if this\n    """\n')
    assert {name for *_, name in block_colours(document, 2, 3, "    if that\n")[0]} == {"string"}
    assert {name for *_, name in block_colours(document, 0, 1, "if x: pass\n")[0]} == {"keyword"}


def test_other_languages_by_their_suffix_and_none_for_unknown_ones() -> None:
    assert line_colours(document_of('{"a": 1}\n', "x.json"), 0)
    assert line_colours(document_of("import os\n", "x.unknown"), 0) == ()


def test_data_on_one_long_line_is_left_alone() -> None:
    assert coloured(".py", "", "x = [" + "1, " * 2000 + "]", "") == ((),)


@given(st.integers(0, 5 * CHUNK - 1), st.sampled_from(["x = 1\n", "    return None\n", "def f(): pass\n"]))
def test_a_line_far_down_is_coloured_as_if_it_were_the_first(line: int, text: str) -> None:
    document = document_of(text * 5 * CHUNK)
    alone = {name for *_, name in line_colours(document_of(text), 0)}
    assert {name for *_, name in line_colours(document, line)} == alone


@given(st.lists(st.sampled_from(["a = 1", "    b", "def f():", ""]), max_size=4 * CHUNK))
def test_every_line_has_colours_within_it(lines: list[str]) -> None:
    document = document_of("".join(line + "\n" for line in lines))
    for number, line in enumerate(lines[:: CHUNK // 2]):
        colours = line_colours(document, number * (CHUNK // 2))
        assert all(0 <= start <= end <= len(line) for start, end, _ in colours)

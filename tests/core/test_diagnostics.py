"""Diagnostics: ranges that fit the text, CPython's suggestions, and what is deliberately not reported."""

import ast
import inspect
import shlex
import string
import textwrap
import warnings
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editflow.diagnostic import Diagnostic
from editflow.diagnostics import check_python, suggest_name

IDENTIFIERS = st.text(string.ascii_letters + "_", min_size=1, max_size=12)


def marked(text: str) -> list[tuple[str, str]]:
    """What each diagnostic underlines, and its message."""
    return [(text[found.start : found.end], found.message) for found in check_python(text)]


@pytest.mark.parametrize(
    ("text", "start", "underlined", "message"),
    [
        ("x = = 1\n", 4, "=", "invalid syntax"),
        ("'é𐍈' ]\n", 5, "]", "unmatched ']'"),
        ("\fx = = 1\n", 5, "=", "invalid syntax"),
        ("a = 1\r\nb = = 2\r\n", 11, "=", "invalid syntax"),
        ("a = 1\rb = = 2\n", 10, "=", "invalid syntax"),
        ("a = '\x85\u2028'\nb = = 2\n", 13, "=", "invalid syntax"),
        ("if x\n", 4, "\n", "expected ':'"),
        ("x = (\n", 4, "(", "'(' was never closed"),
        ("x = 1 +", 6, "+", "invalid syntax"),
        ("def f():\npass\n", 9, "pass", "expected an indented block after function definition on line 1"),
        ("x\0y", 1, "\0", "source code string cannot contain null bytes"),
        ("x = '\ud800'", 5, "\ud800", "lone surrogate in source"),
    ],
)
def test_syntax_error_is_one_diagnostic_in_place(
    text: str, start: int, underlined: str, message: str
) -> None:
    assert check_python(text) == [Diagnostic(start, start + len(underlined), message, "python")]


@pytest.mark.parametrize("text", ["if x:\n\ty\n        z\n", "if x:\n    y\n  z\n", "  x\n"])
def test_indentation_error_is_on_its_line(text: str) -> None:
    (found,) = check_python(text)
    assert text.rstrip("\n").rfind("\n") < found.start < found.end <= len(text)


def test_error_in_a_replacement_field_is_on_the_line_of_its_string() -> None:
    text = "x = 1\n    \ny = f'{a b}'\n"
    (found,) = check_python(text)
    assert text.index("y") <= found.start < found.end < len(text)


@pytest.mark.parametrize("text", ["-" * 9000 + "1", "a" + ".b" * 100_000])
def test_text_nested_too_deep_to_parse_is_reported(text: str) -> None:
    assert check_python(text) == [Diagnostic(0, 1, "too deeply nested to parse", "python")]


def test_text_nested_too_deep_to_walk_is_not_judged() -> None:
    text = "nowhere" + "+1" * 900
    ast.parse(text)
    assert check_python(text) == []


def test_undefined_name_comes_with_its_suggestion() -> None:
    text = "def f(value):\n    return valeu\n"
    (found,) = check_python(text)
    assert found == Diagnostic(25, 30, "undefined name 'valeu'. Did you mean: 'value'?", "pyflakes")


def test_columns_are_characters_not_bytes() -> None:
    text = "def f(größe):\n    return 'é𐍈', größ, f'ü{gröse}'\n"
    message = "Did you mean: 'größe'?"
    expected = [(name, f"undefined name '{name}'. {message}") for name in ("größ", "gröse")]
    assert marked(text) == expected


def test_names_in_quoted_annotations_are_found() -> None:
    assert marked('def f(x: "list[Missing]"):\n    pass\n') == [("Missing", "undefined name 'Missing'")]


def test_name_written_in_a_compatibility_form() -> None:
    assert marked("ﬁle_1\n") == [("ﬁle_1", "undefined name 'file_1'")]


def test_diagnostics_are_sorted_though_functions_are_checked_last() -> None:
    assert [name for name, _ in marked("def f():\n    return one_\n\ntwo_\n")] == ["one_", "two_"]


def test_name_assigned_too_late() -> None:
    text = "size = 1\ndef f():\n    print(size)\n    size = 2\n"
    assert marked(text) == [("size", "local variable 'size' referenced before assignment")]


def test_ties_go_to_the_enclosing_function_then_to_the_nearest() -> None:
    text = "bats = 1\n\ndef f(cats):\n    rats = 2\n    return zats\n"
    assert marked(text)[0][1].endswith("'rats'?")
    assert marked("bats = 1\ncats = 2\nzats\n")[0][1].endswith("'cats'?")


def test_methods_do_not_see_the_names_of_their_class() -> None:
    text = "class A:\n    handler = 1\n    handlr\n    def f(self):\n        return handlr\n"
    assert [message for _, message in marked(text)] == [
        "undefined name 'handlr'. Did you mean: 'handler'?",
        "undefined name 'handlr'",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "from os import *\nprint(anything)\n",
        "try:\n    unicode\nexcept NameError:\n    pass\n",
        "def f():\n    return later\n\ndef g():\n    global later\n    later = 1\n",
        "import os\nx = 1\n",
        "print(__name__, __file__)\n",
        "",
    ],
)
def test_not_reported(text: str) -> None:
    assert check_python(text) == []


def test_known_names_are_neither_reported_nor_forgotten_as_suggestions() -> None:
    text = "total(totl)\n"
    assert marked(text) == [("total", "undefined name 'total'"), ("totl", "undefined name 'totl'")]
    (found,) = check_python(text, ["total"])
    assert (found.start, found.message) == (6, "undefined name 'totl'. Did you mean: 'total'?")
    assert check_python(text, ["*"]) == []


def test_warnings_of_the_text_stay_in_it() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_python("x = '\\d'\n1 is 1\n") == []


@pytest.mark.parametrize("module", [textwrap, string, shlex])
def test_library_code_is_clean(module: ModuleType) -> None:
    assert check_python(inspect.getsource(module)) == []


@pytest.mark.parametrize(
    ("wrong", "candidates", "expected"),
    [
        ("valeu", ["total", "value"], "value"),
        ("TRUE", ["True"], "True"),
        ("tru", ["True"], None),
        ("i", ["j"], None),
        ("i", ["id"], None),
        ("c1", ["b2", "b1"], "b1"),
        ("ab", ["AB", "aB"], "aB"),
        ("blech", ["blach", "bleck"], "blach"),
        ("abc", ["xyz"], None),
        ("wrod", ["rows", "word"], "word"),
        ("a" * 41, ["a" * 40], None),
        ("value", [f"name{n}" for n in range(750)] + ["valve"], None),
    ],
)
def test_suggestion(wrong: str, candidates: list[str], expected: str | None) -> None:
    assert suggest_name(wrong, candidates) == expected


def reference_cost(a: str, b: str) -> int:
    """Optimal string alignment by its recurrence, with the costs of CPython's Lib/traceback.py."""
    table = [[2 * (i + j) for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            change = 0 if x == y else 1 if x.lower() == y.lower() else 2
            best = min(table[i - 1][j - 1] + change, table[i - 1][j] + 2, table[i][j - 1] + 2)
            if min(i, j) > 1 and x == b[j - 2] and y == a[i - 2]:
                best = min(best, table[i - 2][j - 2] + 2)
            table[i][j] = best
    return table[-1][-1]


@settings(deadline=None)
@given(IDENTIFIERS, st.lists(IDENTIFIERS, max_size=6))
def test_lower_case_suggestions_are_the_closest_names(wrong: str, names: list[str]) -> None:
    wrong, names = wrong.lower(), [name.lower() for name in names]
    best, best_cost = None, 3 if len(wrong) == 2 else len(wrong)
    for name in names:
        limit = min((len(name) + len(wrong) + 3) * 2 // 6, best_cost - 1)
        if name != wrong and (cost := reference_cost(wrong, name)) <= limit:
            best, best_cost = name, cost
    assert suggest_name(wrong, names) == best


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*"()[]:,='\"#\\\n\r\f\t {}é𐍈\0\ud800", "if", "f'", "def f", "x", "1_", "  "]))
)
def test_ranges_lie_in_the_text(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = check_python(text)
    assert all(0 <= one.start < one.end <= len(text) and one.message for one in found)
    assert found == sorted(found, key=lambda one: one.start)

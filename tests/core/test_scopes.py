"""Windows over real and broken files: every function once, nothing twice, nothing that does not fit."""

import ast
import bisect
import contextlib
import inspect
import textwrap
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.diagnostic import Diagnostic
from editflow.diagnostics import check_python
from editflow.placed import PlacedWindow
from editflow.scopes import AROUND_LINES, place_windows
from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS

MODULES = [textwrap, bisect, contextlib, tokenize]
SNIPPETS = [
    "def f(x):",
    "class A:",
    "@a",
    "if x:",
    "return x",
    "x = 1",
    "'''",
    "# é",
    "(",
    ")",
    "",
    "\f",
    "\t",
]


def lines_of(placed: PlacedWindow, text: str) -> range:
    """0-based lines under a window."""
    first = text.count("\n", 0, placed.start)
    return range(first, first + placed.window.text.count("\n"))


def windows_over(
    text: str,
    tokenizer: CodeTokenizer,
    *,
    suffix: str = ".py",
    lines: tuple[int, int] | None = None,
    diagnostics: list[Diagnostic] | None = None,
) -> list[PlacedWindow]:
    """Windows, once it is certain that they hold the text where they start, in order, apart, and fit."""
    placed = place_windows(text, tokenizer, suffix=suffix, lines=lines, diagnostics=diagnostics or ())
    end = 0
    for each in placed:
        own = each.window.text
        assert (text + "\n")[each.start : each.start + len(own)] == own
        assert own.endswith("\n")
        assert each.start >= end
        assert each.start == 0 or text[each.start - 1] == "\n"
        assert 0 <= each.allowed[0] < each.allowed[1] <= len(own)
        assert len(tokenizer.encode(own).ids) <= EDITABLE_TOKENS * 1.1  # sizes are of lines, tokenised alone
        end = each.start + len(own)
    return placed


def texts_over(text: str, tokenizer: CodeTokenizer) -> list[str]:
    return [each.window.text for each in windows_over(text, tokenizer)]


def outermost(node: ast.AST) -> Iterator[range]:
    """0-based lines of functions that are in no other function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            yield range(first - 1, child.end_lineno or 0)
        else:
            yield from outermost(child)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
@pytest.mark.parametrize("broken", [False, True])
def test_every_function_is_covered_once(
    module: ModuleType, broken: bool, code_tokenizer: CodeTokenizer
) -> None:
    source = inspect.getsource(module)
    text = source + "\nx = (\n" if broken else source
    covered = [line for each in windows_over(text, code_tokenizer) for line in lines_of(each, text)]
    functions = {line for function in outermost(ast.parse(source)) for line in function}
    rows = source.split("\n")
    assert len(covered) == len(set(covered))
    assert functions - set(covered) <= {line for line in functions if not rows[line].strip()}
    assert all(rows[n].strip() == "" or rows[n].lstrip()[0] == "#" for n in set(covered) - functions)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_range_is_covered_and_nothing_else_may_change(
    module: ModuleType, code_tokenizer: CodeTokenizer
) -> None:
    text = inspect.getsource(module)
    rows = text.split("\n")
    for first in range(1, len(rows) - 20, 37):
        last = first + 20
        allowed: set[int] = set()
        for each in windows_over(text, code_tokenizer, lines=(first, last)):
            low, high = (text.count("\n", 0, each.start + offset) for offset in each.allowed)
            assert not allowed & set(range(low, high))
            allowed |= set(range(low, high))
        assert allowed <= set(range(first - 1, last))
        assert all(n in allowed for n in range(first - 1, last) if rows[n].strip())


@pytest.mark.parametrize(
    ("lines", "pointed"),
    [((2, 2), "    a = 1\n"), ((2, 4), "    a = 1\n    b = 2\n    c = 3\n"), ((2, 5), None), (None, None)],
)
def test_a_short_selection_is_pointed_at(
    lines: tuple[int, int] | None, pointed: str | None, code_tokenizer: CodeTokenizer
) -> None:
    text = "def f():\n    a = 1\n    b = 2\n    c = 3\n    return a\n"
    (placed,) = place_windows(text, code_tokenizer, lines=lines)
    window = placed.window
    assert (window.text[slice(*window.pointed)] if window.pointed else None) == pointed


def test_a_whole_region_is_not_pointed_at(code_tokenizer: CodeTokenizer) -> None:
    (placed,) = place_windows("x = 1\n", code_tokenizer, lines=(1, 1))
    assert placed.window.pointed is None


@pytest.mark.parametrize("lines", [(4, 3), (0, 0), (-5, 0), (100, 10**12)])
def test_a_range_outside_the_text_has_no_windows(
    lines: tuple[int, int], code_tokenizer: CodeTokenizer
) -> None:
    assert place_windows("def f():\n    pass\n\nx = 1\n", code_tokenizer, lines=lines) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(SNIPPETS)), max_size=12), st.booleans())
def test_whatever_the_text_no_line_is_covered_twice(
    code_tokenizer: CodeTokenizer, lines: list[tuple[int, str]], ends: bool
) -> None:
    text = "\n".join("  " * depth + line for depth, line in lines) + "\n" * ends
    rows = text.split("\n")
    windows_over(text, code_tokenizer, diagnostics=check_python(text))
    everything = windows_over(text, code_tokenizer, lines=(1, len(rows)))
    covered = {line for each in everything for line in lines_of(each, text)}
    assert all(n in covered for n, row in enumerate(rows) if row.strip())


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_has_windows(code_tokenizer: CodeTokenizer, text: str) -> None:
    for suffix in (".py", ".js"):
        windows_over(text.replace("\r\n", "\n"), code_tokenizer, suffix=suffix)


NESTED = '''import a
from b import c

class Outer(
    Base,
):
    """Says something."""
    x = 1

    class Inner:
        @one
        # between
        @two(
            3
        )
        async def method(self):
            def local():
                return 1
            return local

if a:
    def f(): pass
else:
    def g():
        pass
'''


def test_a_function_has_its_decorators_classes_and_imports(code_tokenizer: CodeTokenizer) -> None:
    method, f, g = windows_over(NESTED, code_tokenizer)
    assert method.window.text.startswith("        @one\n")
    assert method.window.text.endswith("return local\n")
    assert method.window.scope == "class Outer(\n    Base,\n):\n    class Inner:\n"
    assert (f.window.text, f.window.scope) == ("    def f(): pass\n", "")
    assert g.window.text == "    def g():\n        pass\n"
    assert {each.window.imports for each in (method, f, g)} == {"import a\nfrom b import c\n"}
    assert (method.window.before, method.window.after) == ("", "")


DECORATED = """@dataclass
class A:
    x: int

    @p
    def f(self):
        pass

    def g(self):
        pass

y = (
"""


def test_classes_of_a_broken_file_are_scopes_too(code_tokenizer: CodeTokenizer) -> None:
    f, g = windows_over(DECORATED, code_tokenizer)
    assert f.window.text == "    @p\n    def f(self):\n        pass\n"
    assert g.window.text == "    def g(self):\n        pass\n"
    assert f.window.scope == g.window.scope == "class A:\n"


@pytest.mark.parametrize(
    "broken",
    [
        "def f(x)\n    return x\n",
        "def f(x:\n    return x\n",
        "def f(x):\n    y = [x, (1\n    return y\n",
        "def f(x):\n    y = x)\n    return y\n",
        "def f(x):\n    y = 'x\n    return y\n",
        "def f(x):\n    if x\n        return 1\n    retrun 2\n",
        "def f(x):\nreturn x\n",
        "def f(x):\nprint(x)\nreturn x)\n",
        "def f(x):\ny = x\n    return y\n",
        "def f(x):\n    y = x\nz = y\n    return z\n",
        "def f(x):\n    y = x\n      return y\n",
        "def f(x):\n    y = x)\nreturn y\n",
        "def f(\n    x,\n) -> int\n    return x\n",
        "def f(x):\n    y = x)\n# note:\n    return y\n",
        "@a\n@b\ndef f(x)\n\n    return x\n",
    ],
)
@pytest.mark.parametrize("indent", ["", "    ", "\t"])
def test_a_broken_function_has_one_window(broken: str, indent: str, code_tokenizer: CodeTokenizer) -> None:
    function = textwrap.indent(broken, indent)
    head = "class A:\n" if indent else ""
    text = f"{head}{function}\n{indent}def g():\n{indent}    pass\n\nmain = (\n"
    g = f"{indent}def g():\n{indent}    pass\n"
    assert texts_over(text, code_tokenizer) == [function, g]
    assert windows_over(text, code_tokenizer)[0].window.scope == head


@pytest.mark.parametrize(
    "after",
    [
        "x = 1\n",
        "if x:\n    y = (\n",
        "x = [\n    1,\n]\n",
        "for x in y:\n    z()\n",
        "class A:\n    x = 1\n",
    ],
)
def test_a_function_of_a_broken_file_ends_where_other_code_begins(
    after: str, code_tokenizer: CodeTokenizer
) -> None:
    assert texts_over("def f(x)\n    return x\n" + after, code_tokenizer) == ["def f(x)\n    return x\n"]


def test_code_outside_functions_has_a_window_where_a_diagnostic_is(code_tokenizer: CodeTokenizer) -> None:
    text = "x = 1\n\ndef f():\n    pass\n\ny = z\n\ndef g():\n    pass\n\nw = 1\n"
    f, g = windows_over(text, code_tokenizer)
    assert (f.window.text, g.window.text) == ("def f():\n    pass\n", "def g():\n    pass\n")
    _, y, _ = windows_over(text, code_tokenizer, diagnostics=check_python(text))
    assert y.window.text == "y = z\n"
    (noted,) = y.window.diagnostics
    assert y.window.text[noted.start : noted.end] == "z"
    assert [w.window.text for w in windows_over(text, code_tokenizer, lines=(1, 1))] == ["x = 1\n"]


def test_of_long_code_outside_functions_only_the_part_with_the_diagnostic(
    code_tokenizer: CodeTokenizer,
) -> None:
    text = "".join(f"name_{n} = other_{n}\n" for n in range(200))
    at = text.index("other_100")
    (part,) = windows_over(text, code_tokenizer, diagnostics=[Diagnostic(at, at + 9, "wrong", "python")])
    assert "other_100" in part.window.text
    (noted,) = part.window.diagnostics
    assert part.window.text[noted.start : noted.end] == "other_100"


def test_other_languages_are_cut_by_lines(code_tokenizer: CodeTokenizer) -> None:
    text = "".join(f"let x{n} = f({n});\n" for n in range(100))
    parts = windows_over(text, code_tokenizer, suffix=".js")
    assert "".join(part.window.text for part in parts) == text
    assert len(parts) > 1
    assert {part.window.imports for part in parts} == {""}


def test_a_long_function_is_cut_with_the_lines_around(code_tokenizer: CodeTokenizer) -> None:
    body = [f"    name_{n} = other_{n}" for n in range(100)]
    text = "\n".join(["def f():", *body])
    parts = windows_over(text, code_tokenizer)
    assert "".join(part.window.text for part in parts) == text + "\n"
    assert len(parts) > 2
    for part, following in pairwise(parts):
        assert following.window.before == "\n".join(part.window.text.split("\n")[-AROUND_LINES - 1 :])
        assert following.window.text.startswith(part.window.after[: len(following.window.text)])
    assert (parts[0].window.before, parts[-1].window.after) == ("", "")


@pytest.mark.parametrize("suffix", [".py", ".js"])
def test_a_line_that_does_not_fit_is_in_no_window(suffix: str, code_tokenizer: CodeTokenizer) -> None:
    long = f"    x = '{'ab ' * 33_333}'\n"
    text = f"def f():\n    a()\n{long}    b()\n{long}{long}"
    windows = windows_over(text, code_tokenizer, suffix=suffix, lines=(1, 6))
    assert [each.window.text for each in windows] == ["def f():\n    a()\n", "    b()\n"]


@pytest.mark.parametrize(
    "text", ["", "\n", "  \n\t\n\f\n", "# a\n\n# b", "'''text'''\n", "\ufeff", "\r", "\\"]
)
def test_texts_without_functions_have_no_windows(text: str, code_tokenizer: CodeTokenizer) -> None:
    assert windows_over(text, code_tokenizer) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n\treturn 1",
        "\f\ndef f():\n    pass\n\f\ndef g():\n    pass\n",
        "def naïve(größe):\n    '''→ 😀'''\n    return größe\n\n\ndef ψ():\n    pass\n",
        "def f():\n    x = '''\nabc\n'''\n    return x\n# end\n",
        "def f():\n    return \\\n1\n\n\n",
        "def f(): return 1\ndef g(): return 2\nx = 1",
    ],
)
def test_functions_are_whole(text: str, code_tokenizer: CodeTokenizer) -> None:
    rows = text.split("\n")
    expected = ["\n".join(rows[f.start : f.stop]) + "\n" for f in outermost(ast.parse(text))]
    assert texts_over(text, code_tokenizer) == expected


def test_deep_nesting_is_no_trouble(code_tokenizer: CodeTokenizer) -> None:
    sums = f"def f():\n    return {'1 + ' * 20_000}1\n\ndef g():\n    pass\n"
    assert texts_over(sums, code_tokenizer) == ["def f():\n", "def g():\n    pass\n"]
    ifs = "".join(" " * n + "if x:\n" for n in range(700)) + " " * 700 + "def f(): pass\n"
    assert texts_over(ifs, code_tokenizer) == [" " * 700 + "def f(): pass\n"]

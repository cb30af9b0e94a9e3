"""Cutting a changed file into functions and hunks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.mining.edits import Level, MinedEdit, extract
from editflow_trainer.mining.history import Commit, FileChange
from editflow_trainer.mining.hunks import Hunk, apply, hunks, lines_of
from editflow_trainer.mining.languages import grammar_of, language_of
from editflow_trainer.mining.outline import Definition, outline
from tests.trainer.mining.history_maker import SHOP, replaced

COMMIT = Commit("c0ffee", 1, 5, "Ada <a@b.c>", "Fix it\n\nSigned-off-by: Ada <a@b.c>\n", ())


def edits(old: str, new: str, path: str = "shop.py") -> list[MinedEdit]:
    change = FileChange("1", "2", path)
    return list(extract("ada/shop", COMMIT, change, old, new, language_of(path) or ""))


def applied(old: str, found: list[MinedEdit]) -> str:
    changes = (
        Hunk(edit.line - 1, tuple(lines_of(edit.before)), tuple(lines_of(edit.after))) for edit in found
    )
    return "".join(apply(lines_of(old), changes))


def test_a_changed_method_is_one_edit_with_where_it_stands() -> None:
    (edit,) = edits(SHOP, replaced("amount + tax", "amount * tax"))
    assert edit.before.startswith("    def total(self") and edit.before.endswith("amount + tax\n")
    assert edit == MinedEdit(
        before=edit.before,
        after=edit.before.replace("+ tax", "* tax"),
        repository="ada/shop",
        commit="c0ffee",
        date=5,
        path="shop.py",
        language="python",
        level=Level.function,
        scope="Shop.total",
        line=7,
        message="Fix it",
    )


def test_what_is_in_no_function_is_a_hunk() -> None:
    new = replaced("import math\n", "import math\nimport os\n")
    new = replaced('"""Sells."""', '"""Sells."""\n    tax = 1', new)
    new = replaced("self.owner.name", "self.name", new)
    found = edits(SHOP, new)
    assert [(e.level, e.scope) for e in found] == [("hunk", ""), ("function", "Shop.name")]
    found = edits(SHOP, replaced("    def name(self):\n        return self.owner.name\n", ""))
    assert [(e.level, e.before.count("\n"), e.after.count("\n")) for e in found] == [("hunk", 8, 6)]


def test_scope_of_a_hunk_is_the_class_around_it() -> None:
    body = "".join(f"    field_{i} = {i}\n" for i in range(20))
    old = f"class A:\n    class B:\n{body.replace('    field', '        field')}"
    (edit,) = edits(old, old.replace("field_9 = 9", "field_9 = 0"))
    assert (edit.scope, edit.level) == ("A.B", Level.hunk)


def test_functions_of_one_name_are_told_apart_by_their_order() -> None:
    old = "@property\ndef x(s):\n    return 1\n\n@x.setter\ndef x(s, v):\n    s.v = v\n"
    (edit,) = edits(old, old.replace("s.v = v", "s.v = int(v)"))
    assert edit.before.startswith("@x.setter\ndef x") and edit.line == 5


def test_a_function_in_a_function_is_part_of_it() -> None:
    old = "def f():\n    def g():\n        return 1\n    return g\n"
    (edit,) = edits(old, old.replace("1", "2"))
    assert (edit.scope, edit.before) == ("f", old)


def test_languages_without_a_grammar_have_hunks_only() -> None:
    old = "sub f {\n" + "  a;\n" * 9 + "}\n"
    assert grammar_of("perl") is None
    (edit,) = edits(old, old.replace("sub f", "sub g"), "x.pl")
    assert (edit.level, edit.language, edit.before.count("\n")) == (Level.hunk, "perl", 4)


def test_other_grammars_are_used_where_they_are_installed() -> None:
    pytest.importorskip("tree_sitter_javascript")
    old = "class A {\n  f(x) {\n    return x;\n  }\n}\nexport function g() {\n  return 1;\n}\n"
    (edit,) = edits(old, old.replace("return x", "return -x"), "x.js")
    assert (edit.level, edit.scope) == (Level.function, "A.f")
    (edit,) = edits(old, old.replace("1", "2"), "x.mjs")
    assert edit.before.startswith("export function g")


def test_outline_counts_lines_as_git_does() -> None:
    text = "x = '\x0c\x85'\n@d\nasync def f():\n  return 1\nclass C:\n  def é(self): pass"
    found = outline(text, "python")
    assert found is not None and found.parses
    assert found.functions == (Definition("f", 1, 4), Definition("C.é", 5, 6))
    assert found.classes == (Definition("C", 4, 6),)
    broken = outline("def f(:\n", "python")
    assert broken is not None and not broken.parses


def test_a_hunk_that_is_not_of_the_text_does_not_apply() -> None:
    with pytest.raises(ValueError, match="line 0"):
        apply(["a\n"], [Hunk(0, ("b\n",), ())])


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=30)


@given(LINES, LINES, st.integers(0, 3))
def test_hunks_lead_from_one_text_to_the_other(old: list[str], new: list[str], context: int) -> None:
    found = list(hunks(old, new, context))
    assert apply(old, found) == new
    assert all(hunk.before != hunk.after for hunk in found)
    assert bool(found) == (old != new)


PARTS = st.sampled_from(
    [
        "def f():\n    return 1\n",
        "def f():\n    return 2\n",
        "def g(x):\n    y = x\n\n    return y\n",
        "class A:\n    def f(self):\n        return 1\n",
        "class A:\n    def f(self):\n        return 2\n    z = 1\n",
        "x = 1\n",
        "\n",
        "if x:\n    def h(): return 1\n",
        "@d\ndef g(x):\n    return x\n",
        "def broken(:\n",
        "# é\n",
        "last",
    ]
)
FILES = st.lists(PARTS, max_size=8).map("".join)


@given(FILES, FILES, st.sampled_from(["a.py", "a.pl"]))
def test_all_edits_of_a_file_lead_from_old_to_new(old: str, new: str, path: str) -> None:
    found = edits(old, new, path)
    assert applied(old, found) == new
    assert [replace(edit, before="", after="") for edit in found if edit.before == edit.after] == []


@given(st.text(st.sampled_from("ab\n\r\x0c\u2028"), max_size=30))
def test_lines_joined_are_the_text(text: str) -> None:
    lines = lines_of(text)
    assert "".join(lines) == text and all(line.count("\n") <= 1 for line in lines)

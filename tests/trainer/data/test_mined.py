"""Mined edits as examples: both sides exact, the message as instruction, complaints only where they are certain."""

from dataclasses import replace

import pytest

from editflow.window import AFTER, BEFORE, EDITABLE_TOKENS, INSTRUCTION, SCOPE
from editflow_trainer.data.example import Source
from editflow_trainer.data.mined import MOST_LINES, complaints, mined_example, scope_lines
from editflow_trainer.mining.edits import Level, MinedEdit
from tests.trainer.data.examples import stripped
from tests.trainer.data.test_functions import tokenizer

BEFORE_TEXT = "    def area(self):\n        return self.width + self.height\n"
EDIT = MinedEdit(
    BEFORE_TEXT,
    BEFORE_TEXT.replace("+", "*"),
    repository="owner/name",
    commit="0" * 40,
    date=0,
    path="shapes/box.py",
    language="python",
    level=Level.function,
    scope="Box.area",
    line=3,
    message="Fix the area\n\nIt was wrong.",
)


def test_an_edit_keeps_both_sides_and_its_message() -> None:
    made = mined_example(EDIT, tokenizer(), 0)
    assert made is not None
    assert made.source is Source.FIX
    assert tokenizer().decode(stripped(made.z0)) == EDIT.before
    assert tokenizer().decode(stripped(made.z1)) == EDIT.after
    assert (made.z0 != made.z1).sum() == 1
    assert tokenizer().decode(made.instruction.tolist()) == EDIT.message
    assert tokenizer().decode(dict(made.context)[SCOPE].tolist()) == "class Box:\n"
    assert INSTRUCTION not in dict(made.context)
    assert made.complaints == ()
    other = mined_example(replace(EDIT, message="Areas are products, fixes #3"), tokenizer(), 0)
    assert other is not None
    assert other.source is Source.FIX
    renamed = mined_example(replace(EDIT, message="Areas are products"), tokenizer(), 0)
    assert renamed is not None
    assert renamed.source is Source.EDIT


@pytest.mark.parametrize(
    "change",
    [
        {"language": "go"},
        {"level": Level.hunk},
        {"after": EDIT.before},
        {"after": EDIT.before + "        pass\n" * (MOST_LINES + 1)},
    ],
)
def test_what_is_no_small_edit_of_a_function_is_left_out(change: dict[str, object]) -> None:
    assert mined_example(replace(EDIT, **change), tokenizer(), 0) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("at", [0, 30, 79])
def test_a_long_function_is_cut_around_its_change(at: int) -> None:
    lines = [f"    value_{n} = compute({n}, 'text {n}')\n" for n in range(80)]
    before = "def f():\n" + "".join(lines)
    after = before.replace(f"compute({at},", f"convert({at}, 1,")
    made = mined_example(replace(EDIT, before=before, after=after, scope="f"), tokenizer(), 1)
    assert made is not None
    source, target = (tokenizer().decode(stripped(side)) for side in (made.z0, made.z1))
    assert len(stripped(made.z0)) <= EDITABLE_TOKENS
    assert source in before
    assert source.replace(f"compute({at},", f"convert({at}, 1,") == target != source
    assert {BEFORE, AFTER} & {marker for marker, _ in made.context}


def test_scope_lines_are_nested_classes() -> None:
    assert scope_lines("f") == ""
    assert scope_lines("A.B.f") == "class A:\n    class B:\n"


def test_only_certain_complaints_count() -> None:
    before = "def f(items):\n    return helper(itms)\n"
    (found,) = complaints(before, before.replace("itms", "items"))
    assert before[found.start : found.end] == "itms"
    # a name of the module that the edit takes away may well be bound there
    assert complaints("def f(x):\n    return old(x)\n", "def f(x):\n    return new(x)\n") == []
    method = "    def f(self):\n        return self.g(slf)\n"
    (found,) = complaints(method, method.replace("slf", "self"))
    assert method[found.start : found.end] == "slf"

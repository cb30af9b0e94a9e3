"""Renames made from functions: exactly one name differs, at all of its places, and the message names it."""

from __future__ import annotations

import ast
import inspect
import keyword
import random
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.personal import renames as module
from editflow_trainer.personal.renames import MESSAGES, names_in, renames
from editflow_trainer.sources import SourceFunction, functions_in


def functions_of(*modules: object) -> list[SourceFunction]:
    return [
        function
        for one in modules
        for function in functions_in(inspect.getsource(one), package="std", path="lib/std.py")  # type: ignore[arg-type]
    ]


FUNCTIONS = functions_of(random, textwrap)


def exchanged(edit: MinedEdit) -> tuple[str, str]:
    """The name that goes and the one that comes."""
    before, after = names_in(edit.before), names_in(edit.after)
    (old,), (new,) = before.keys() - after.keys(), after.keys() - before.keys()
    return old, new


@given(st.integers(0, 10_000))
def test_the_names_places_are_all_that_differs(seed: int) -> None:
    for edit in renames(FUNCTIONS, 5, seed):
        old, new = exchanged(edit)
        places, new_places = names_in(edit.before)[old], names_in(edit.after)[new]
        assert len(places) == len(new_places)
        text, at = [], 0
        for start, end in places:
            text += [edit.before[at:start], new]
            at = end
        assert "".join([*text, edit.before[at:]]) == edit.after
        assert old.isidentifier() and not keyword.iskeyword(old) and old != new


@given(st.integers(0, 10_000))
def test_the_right_side_is_a_function_of_the_repository_and_the_other_one_parses(seed: int) -> None:
    texts = {function.text: function for function in FUNCTIONS}
    for edit in renames(FUNCTIONS, 5, seed):
        function = texts[edit.after]
        ast.parse(function.header + edit.before)
        assert (edit.path, edit.repository) == (function.path, function.package)
        assert edit.scope.endswith(function.name)


@given(st.integers(0, 10_000))
def test_the_message_names_what_comes_in(seed: int) -> None:
    for edit in renames(FUNCTIONS, 5, seed):
        assert exchanged(edit)[1] in edit.message or "new name of" in edit.message


def test_every_message_names_the_new_name() -> None:
    assert all("{new}" in message for message in MESSAGES)


def test_as_many_as_asked_for_and_the_same_for_the_same_seed() -> None:
    assert list(renames(FUNCTIONS, 8, 3)) == list(renames(FUNCTIONS, 8, 3)) != list(renames(FUNCTIONS, 8, 4))
    assert 0 < len(list(renames(FUNCTIONS, 8, 3))) <= 8
    assert list(renames([], 8, 3)) == []


@pytest.mark.parametrize("text", ["def f(:\n  '''", "def f():\n    a\n  b\n", "\0", "("])
def test_what_cannot_be_read_has_no_names(text: str) -> None:
    assert names_in(text) == {}


@given(
    st.lists(
        st.sampled_from(
            ["name", "größe", "self", "if", "x", " ", "\n", '"name"', "# name\n", ".", "\f", "\r"]
        )
    )
)
def test_places_are_those_of_names(pieces: list[str]) -> None:
    text = "".join(pieces)
    for name, places in names_in(text).items():
        assert name in ("name", "größe") or name not in ("self", "if", "x")
        assert all(text[start:end] == name for start, end in places)


def test_strings_comments_and_short_or_reserved_names_are_no_names() -> None:
    text = 'def total(self, a):\n    """total"""\n    return self.__dict__[a], None  # total\n'
    assert set(names_in(text)) == {"total"}


def test_no_number_is_taken_for_a_name() -> None:
    pool = module._Names([SourceFunction("p", "a.py", "f", "def f(value_123): pass\n", "", "", ())])
    function = SourceFunction("p", "a.py", "f", "def f(value_123): return value_123\n", "", "", ())
    assert "123" in {pool.other("value_123", random.Random(seed)) for seed in range(20)}
    made = [module._rename(function, pool, random.Random(seed)) for seed in range(40)]
    assert {exchanged(edit)[0] for edit in made if edit} == {"value"}


def test_methods_carry_their_classes() -> None:
    text = "class Shop(Base):\n    def total(self, prices):\n        return sum(prices) + self.rate\n"
    functions = list(functions_in(text, package="p", path="a.py"))
    edits = [edit for seed in range(20) for edit in renames([*functions, *FUNCTIONS], 200, seed)]
    assert {edit.scope for edit in edits if edit.path == "a.py"} == {"Shop.total"}

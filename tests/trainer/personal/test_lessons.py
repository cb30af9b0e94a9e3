"""What teaches something: changes that recur, and those that a message spells out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.mining.edits import Level, MinedEdit
from editflow_trainer.personal.lessons import (
    RECURRING,
    Conventions,
    changes,
    conventional,
    lessons,
    spelled_out,
)

WORDS = st.lists(st.sampled_from(["a", "b", "load", "(", ")", "1"]), max_size=12)


def edit(before: str, after: str, message: str = "") -> MinedEdit:
    return MinedEdit(before, after, "ada/shop", "", 0, "a.py", "python", Level.function, "f", 1, message)


def renamed(name: str) -> MinedEdit:
    return edit(f"{name} = load(path)\n", f"{name} = read(path)\n")


@given(WORDS, WORDS)
def test_changes_are_the_words_that_go_and_come(old: list[str], new: list[str]) -> None:
    found = changes(" ".join(old), " ".join(new))
    gone, come = ([word for change in found for word in change[side]] for side in (0, 1))
    assert sorted([*old, *come]) == sorted([*new, *gone])
    assert all(left or right for left, right in found)
    assert bool(found) == (old != new)


def test_layout_is_no_change() -> None:
    assert changes("f(a,  b)\n", "f(\n    a,\n    b)\n") == []


def test_a_change_is_a_convention_once_enough_edits_make_it() -> None:
    few = [renamed(f"name{number}") for number in range(RECURRING - 1)]
    assert lessons(few) == []
    enough = [*few, renamed("another")]
    assert lessons(enough) == enough
    odd = edit("x = load(path)\nold\n", "x = read(path)\nstrange\n")
    assert lessons([*enough, odd]) == enough  # all of an edit must be foreseen, not only a part


def test_a_change_counts_once_for_each_edit_that_makes_it() -> None:
    repeated = edit("load(a); load(b); load(c)", "read(a); read(b); read(c)")
    assert not Conventions([repeated]).covers(repeated)
    (change, count), *_ = Conventions([repeated, repeated]).most_common(5)
    assert (change, count) == ((("load",), ("read",)), 2)


def test_an_edit_without_a_change_teaches_nothing() -> None:
    same = edit("f()\n", "f( )\n", "f")
    assert not Conventions([same] * 9).covers(same) and not spelled_out(same)


def test_a_message_spells_out_all_names_that_come_in() -> None:
    assert spelled_out(edit("f(a)", "f(a, strict=True)", "Pass strict=True to f"))
    assert not spelled_out(edit("f(a)", "f(a, strict=True)", "Pass strict to f"))
    assert not spelled_out(edit("f(a, b)", "f(a)", "Drop b"))  # nothing comes in
    assert not spelled_out(edit("f(1)", "f(2)", "2"))  # a number is no name
    long = " ".join(f"name{number}" for number in range(13))
    assert not spelled_out(edit("", long, long))
    many = " x ".join("abcdef")
    assert not spelled_out(edit(many, many.replace("x", "y"), "y"))


def test_lessons_keep_their_order() -> None:
    edits = [renamed("a"), edit("x", "y"), renamed("b"), edit("old", "new", "new"), renamed("c")]
    assert lessons(edits) == [edits[0], edits[2], edits[3], edits[4]]


def test_most_common_changes_come_first() -> None:
    found = Conventions([*map(renamed, "abc"), edit("1", "2")]).most_common(1)
    assert found == [((("load",), ("read",)), 3)]


@pytest.mark.parametrize(
    ("repeating", "others", "expected"), [(0, 0, 0), (0, 3, 0), (1, 3, 0.5), (2, 2, 1), (3, 0, 1)]
)
def test_newer_edits_are_conventional_where_half_of_them_repeat_older_ones(
    repeating: int, others: int, expected: float
) -> None:
    older = [renamed(f"name{number}") for number in range(RECURRING)]
    newer = [renamed(f"later{number}") for number in range(repeating)]
    newer += [edit(f"x = {number}\n", f"x = {number + 9}\n") for number in range(others)]
    assert conventional(older, newer) == pytest.approx(expected)

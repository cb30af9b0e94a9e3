"""Decisions in editors as lessons: what was accepted is an edit, what was rejected without need is right code."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.outcomes import HunkOutcome, Outcome
from editflow_trainer.personal.feedback import Feedback, feedback_of
from editflow_trainer.personal.options import Target
from tests.trainer.mining.history_maker import make

TEXT = "def total(prices, tax):\n    amount = sum(prices)\n    return amount + tax\n"
FIXED = TEXT.replace("amount + tax", "amount * tax")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    folder = make(tmp_path_factory.mktemp("ada") / "shop")
    return Target(folder, "ada/shop", "0" * 40, "1" * 40)


def hunk(old: str, new: str, accepted: bool | None, text: str = TEXT) -> HunkOutcome:
    assert text.count(old) == 1
    return HunkOutcome(text.index(old), text.index(old) + len(old), new, 0.9, accepted)


def outcome(target: Target, *hunks: HunkOutcome, text: str = TEXT, path: str = "src/shop.py") -> Outcome:
    return Outcome(str(target.folder / path), "default@1", "fix the tax", text, hunks, 1234)


def test_accepted_hunks_make_an_edit_and_the_others_none(target: Target) -> None:
    plus = hunk("amount + tax", "amount * tax", True)
    others = hunk("total", "sum_up", None), hunk("sum(prices)", "sum(prices, 0)", False)
    found = feedback_of([outcome(target, *others, plus)], target)
    (edit,) = found.edits
    assert (edit.before, edit.after, edit.message) == (TEXT, FIXED, "fix the tax")
    assert (edit.path, edit.scope, edit.date, edit.repository) == ("src/shop.py", "total", 1234, "ada/shop")
    assert found.right == ()


def test_a_text_whose_hunks_were_all_rejected_is_right(target: Target) -> None:
    rejected = [hunk("sum(prices)", "max(prices)", False), hunk("amount + tax", "tax", False)]
    found = feedback_of([outcome(target, *rejected), outcome(target, rejected[0])], target)
    assert [function.text for function in found.right] == [TEXT] and found.edits == ()
    assert found.right[0].name == "total"


def test_what_was_not_decided_says_nothing(target: Target) -> None:
    undecided = [outcome(target), outcome(target, hunk("tax)", "rate)", False), hunk("sum(", "max(", None))]
    assert feedback_of(undecided, target) == Feedback()


@pytest.mark.parametrize("text", ["def f(:\n    pass\n", "    def f(self:\n        pass\n"])
def test_a_rejection_where_something_complains_says_nothing(text: str, target: Target) -> None:
    rejected = HunkOutcome(0, 1, "x", 0.9, False)
    assert feedback_of([outcome(target, rejected, text=text)], target) == Feedback()


def test_methods_are_right_with_their_margin(target: Target) -> None:
    text = "    async def f(self):\n        return self.name\n"
    (function,) = feedback_of([outcome(target, HunkOutcome(0, 1, "", 0.9, False), text=text)], target).right
    assert (function.text, function.name) == (text, "f")


def test_what_is_edited_elsewhere_is_not_right(target: Target) -> None:
    rejected = outcome(target, hunk("sum(prices)", "max(prices)", False))
    accepted = outcome(target, hunk("amount + tax", "amount * tax", True))
    for outcomes in ([rejected, accepted], [accepted, rejected]):
        found = feedback_of(outcomes, target)
        assert (len(found.edits), found.right) == (1, ())


def test_only_python_files_of_this_repository_count(target: Target, tmp_path: Path) -> None:
    plus = hunk("amount + tax", "amount * tax", True)
    inner = make(target.folder / "vendor" / "inner")
    (tmp_path / "link.py").symlink_to(target.folder / "linked.py")
    elsewhere = [
        outcome(target, plus, path="shop.js"),
        outcome(target, plus, path="../other/shop.py"),
        outcome(target, plus, path=str(inner / "shop.py")),
        Outcome(None, None, "", TEXT, (plus,), 0),
        None,
    ]
    assert feedback_of(elsewhere, target) == Feedback()
    linked = Outcome(str(tmp_path / "link.py"), None, "", TEXT, (plus,), 0)
    assert [edit.path for edit in feedback_of([linked], target).edits] == ["linked.py"]


def test_what_judges_is_not_trained_on_before_or_after(target: Target) -> None:
    accepted = outcome(target, hunk("amount + tax", "amount * tax", True))
    rejected = outcome(target, hunk("sum(prices)", "max(prices)", False))
    assert feedback_of([accepted, rejected], target, {TEXT}) == Feedback()
    assert feedback_of([accepted], target, {FIXED}) == Feedback()
    assert len(feedback_of([accepted], target, {"def other(): pass\n"}).edits) == 1


def test_credentials_and_mere_layout_are_left_out(target: Target) -> None:
    key = "AKIA" + "QWERTYUIOPASDFGH"
    secret = hunk("amount + tax", f'connect("{key}")', True)
    layout = hunk("amount + tax", "amount  +  tax", True)
    assert feedback_of([outcome(target, secret), outcome(target, layout)], target) == Feedback()


def test_hunks_at_one_place_are_applied_in_order(target: Target) -> None:
    at = TEXT.index("tax\n")
    insertion, replacement = (
        HunkOutcome(at, at, "2 * ", 0.9, True),
        HunkOutcome(at, at + 3, "rate", 0.9, True),
    )
    for hunks in ((insertion, replacement), (replacement, insertion)):
        (edit,) = feedback_of([outcome(target, *hunks)], target).edits
        assert edit.after == TEXT.replace("+ tax", "+ 2 * rate")


def test_hunks_that_overlap_are_no_edit(target: Target) -> None:
    hunks = [HunkOutcome(30, 40, "x", 0.9, True), HunkOutcome(35, 45, "y", 0.9, True)]
    assert feedback_of([outcome(target, *hunks)], target) == Feedback()


@given(st.data())
def test_the_order_of_hunks_and_of_outcomes_does_not_matter(target: Target, data: st.DataObject) -> None:
    words = ["prices)\n", "amount +", "tax\n"]
    decided = st.sampled_from([True, False, None])
    outcomes = []
    for number in range(3):
        text = TEXT.replace("total", f"total{number}")
        hunks = [hunk(word, "other" + word, data.draw(decided), text) for word in words]
        outcomes.append(outcome(target, *hunks, text=text))
    mixed = [
        Outcome(one.path, one.model, one.instruction, one.text, tuple(random.sample(one.hunks, 3)), one.time)
        for one in random.sample(outcomes, 3)
    ]
    found, again = feedback_of(outcomes, target), feedback_of(mixed, target)
    assert set(found.edits) == set(again.edits) and set(found.right) == set(again.right)
    for edit in found.edits:
        (source,) = (one for one in outcomes if one.text == edit.before)
        expected = edit.before
        for one in source.hunks:
            old = source.text[one.start : one.end]
            expected = expected.replace(old, one.new) if one.accepted else expected
        assert edit.after == expected

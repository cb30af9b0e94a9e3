"""The gate: better on held-out edits, not worse on right code, nothing forgotten."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.evaluation.verdict import Verdict
from editflow_trainer.personal.gate import decide, sign_test
from editflow_trainer.personal.scores import Scores


def scores(edits: str, clean: str = "....", slips: str = "xxxxxx") -> Scores:
    """x is exact, or touched; everything else is not."""

    def verdicts(marks: str) -> tuple[Verdict, ...]:
        return tuple(
            Verdict("", mark == "x", mark == "x", mark == "x", str(i)) for i, mark in enumerate(marks)
        )

    touched = tuple(mark == "x" for mark in clean)
    return Scores("model", verdicts(edits), touched, (), verdicts(slips), verdicts(edits), 1.0)


def test_a_better_adapter_is_installed() -> None:
    decision = decide(scores("x..."), scores("xx.x"))
    assert decision.install
    assert "2 more" in decision.reason


@pytest.mark.parametrize("after", ["x...", ".x..", "...."])
def test_no_gain_keeps_the_default(after: str) -> None:
    assert not decide(scores("x..."), scores(after)).install


def test_one_more_right_function_touched_keeps_the_default() -> None:
    decision = decide(scores("....", "...."), scores("xxxx", "...x"))
    assert not decision.install
    assert "1 of 4 right functions" in decision.reason


def test_as_many_other_functions_touched_is_not_worse() -> None:
    assert decide(scores("....", "x..."), scores("xxxx", "...x")).install


def test_forgotten_slips_keep_the_default() -> None:
    decision = decide(scores("....", slips="xxxxxx"), scores("xxxx", slips="x....."))
    assert not decision.install
    assert "1 of 6 slips" in decision.reason


def test_a_few_slips_less_are_chance() -> None:
    assert decide(scores("....", slips="xxxxxx"), scores("xxxx", slips="xx.x.x")).install


def test_the_adapter_in_use_is_not_replaced_by_a_worse_one() -> None:
    before, after = scores("...."), scores("x...")
    assert decide(before, after, scores("...x")).install
    decision = decide(before, after, scores("..xx"))
    assert not decision.install
    assert "in use 2" in decision.reason


def test_more_slips_repaired_up_to_chance_are_better_too() -> None:
    decision = decide(scores("x...", slips="x........"), scores("x...", slips="xxxxxx..."))
    assert decision.install
    assert "6 of 9 slips, the default 1" in decision.reason
    assert not decide(scores("x...", slips="x........"), scores("x...", slips="xxxxx....")).install


@pytest.mark.parametrize(("edits", "clean"), [("....", "...."), ("x...", "...x")])
def test_more_slips_repaired_make_up_for_nothing_lost(edits: str, clean: str) -> None:
    assert not decide(scores("x...", slips="." * 9), scores(edits, clean, slips="x" * 9)).install


def test_an_adapter_in_use_that_repairs_more_slips_stays() -> None:
    before, after = scores("....", slips="." * 9), scores("x...", slips="." * 9)
    decision = decide(before, after, scores("x...", slips="x" * 9))
    assert not decision.install
    assert "0 of 9 slips, the adapter in use 9" in decision.reason


@given(st.integers(0, 9), st.integers(0, 9))
def test_the_sign_test_counts_coin_tosses(wins: int, losses: int) -> None:
    tosses = list(product((0, 1), repeat=wins + losses))
    assert sign_test(wins, losses) == pytest.approx(sum(sum(one) >= wins for one in tosses) / len(tosses))


def test_scores_survive_json() -> None:
    made = scores("x.", "x.", ".x")
    assert Scores.of_json(made.as_json()) == made
    assert made.exact.hits == 1
    assert made.untouched.hits == 1
    assert replace(made, slips=()).repaired.value is None

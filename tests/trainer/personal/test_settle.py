"""Settling: thresholds are raised until right functions are left alone, and no further."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from editflow.document import Document
from editflow.engine import Engine
from editflow.pieces import TextEdit
from editflow.request import Request
from editflow.window import Window
from editflow_trainer.calibration.settle import LEAST_SHOWN
from editflow_trainer.evaluation.case import Case
from editflow_trainer.personal.cases import Cases
from editflow_trainer.personal.scores import score
from editflow_trainer.personal.settle import Allowed, settle
from tests.core.wild import Script, ScriptedEngine, wild_engine

BODY = "def scale_{name}({name}, rate):\n    scaled = {name} * {value}\n    return scaled\n"

OLD, ODD, NEW = "111", "222", "333"
Make = Callable[[Script], ScriptedEngine]


def case(name: str, value: str, wanted: str | None = None) -> Case:
    text = BODY.format(name=name, value=value)
    expected = BODY.format(name=name, value=wanted or value)
    return Case(
        "", Request(Document.from_text(text, Path("scale.py")), diagnostics=()), expected, cluster=name
    )


def cases(wrong: int, right: int) -> Cases:
    """OLD is to become NEW; ODD is right, though it looks like something to change."""
    return Cases(
        tuple(case(f"a{i}", OLD, NEW) for i in range(wrong)),
        tuple(case(f"b{i}", ODD) for i in range(right)),
        (),
        (),
        frozenset(),
    )


def unsure(at: float) -> Script:
    """Changes OLD surely, and ODD with a probability of `at`."""

    def edits(window: Window) -> list[TextEdit]:
        found: list[TextEdit] = []
        for old, probability in ((OLD, 0.9), (ODD, at)):
            place = window.text.find(old)
            found += [(place, place + 3, NEW, probability)] if place >= 0 else []
        return found

    return edits


@pytest.fixture
def make(tokenizer_file: Path) -> Make:
    return lambda script: ScriptedEngine(wild_engine(tokenizer_file), script)


def touched(engine: Engine, chosen: Sequence[Case]) -> int:
    return sum(score(engine, "", Cases((), tuple(chosen), (), (), frozenset())).clean)


def test_right_functions_are_left_alone_and_edits_still_made(make: Make) -> None:
    engine, chosen = make(unsure(0.6)), cases(12, 12)
    settled = settle(engine, chosen, Allowed(0, 0))
    assert settled.exact == 12
    assert settled.touched == 0
    assert touched(engine, chosen.clean) == 0
    assert score(engine, "", chosen).exact.hits == 12
    assert engine.calibration.show >= LEAST_SHOWN


def test_what_cannot_be_told_apart_is_not_shown(make: Make) -> None:
    engine, chosen = make(unsure(0.9)), cases(4, 12)
    settled = settle(engine, chosen, Allowed(0, 0))
    assert settled.touched == 0
    assert touched(engine, chosen.clean) == 0


def test_what_is_asked_in_vain_has_an_allowance_of_its_own(make: Make) -> None:
    engine, drawn = make(unsure(0.9)), cases(30, 3)
    asked = replace(drawn, clean=(), told=drawn.clean)
    assert settle(engine, asked, Allowed(0, 3)).exact == 30
    assert sum(score(engine, "", asked).told) == 3
    settle(engine, asked, Allowed(3, 0))
    assert sum(score(engine, "", asked).told) == 0


def test_an_allowance_is_not_exceeded(make: Make) -> None:
    engine, chosen = make(unsure(0.9)), cases(30, 3)
    assert settle(engine, chosen, Allowed(3, 3)).exact == 30
    assert touched(engine, chosen.clean) == 3
    assert settle(engine, chosen, Allowed(2, 2)).touched <= 2

"""Scores: what is shown, and first guesses, without asking twice what has no answer."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from editflow.checkpoint import Calibration
from editflow.engine import Engine
from editflow.pieces import TextEdit
from editflow.request import Request
from editflow.step import Step
from editflow.window import Window
from editflow_trainer.personal.cases import Cases
from editflow_trainer.personal.scores import score
from tests.core.wild import ScriptedEngine, wild_engine
from tests.trainer.personal.test_settle import NEW, OLD, case

SURE, UNSURE, SILENT = "111", "444", "555"


class Counting:
    """An engine that notes what it is asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.asked: list[Request] = []

    def fix(self, request: Request) -> Iterator[Step]:
        return self._engine.fix(request)

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        self.asked += requests
        return self._engine.fix_many(requests)


def script(window: Window) -> list[TextEdit]:
    """Changes SURE and UNSURE, and nothing else."""
    found = []
    for old, probability in ((SURE, 0.95), (UNSURE, 0.01)):
        place = window.text.find(old)
        found += [(place, place + 3, NEW, probability)] if place >= 0 else []
    return found


@pytest.fixture
def engine(tokenizer_file: Path) -> Counting:
    scripted = ScriptedEngine(wild_engine(tokenizer_file), script)
    scripted.calibration = Calibration(show=0.5)
    return Counting(scripted)


def test_what_has_no_first_guess_is_not_asked_again(engine: Counting) -> None:
    values = [SURE, SILENT, UNSURE, SILENT, SURE]
    edits = tuple(case(f"a{place}", value, NEW) for place, value in enumerate(values))
    scores = score(engine, "", Cases(edits, (), (), (), frozenset()))
    assert SURE == OLD
    assert [verdict.exact for verdict in scores.edits] == [True, False, False, False, True]
    assert [verdict.proposed for verdict in scores.edits] == [True, False, False, False, True]
    assert [verdict.exact for verdict in scores.guesses] == [True, False, True, False, True]
    assert [verdict.cluster for verdict in scores.edits] == [one.cluster for one in edits]
    assert len(engine.asked) == len(values) + values.count(SURE) + values.count(UNSURE)

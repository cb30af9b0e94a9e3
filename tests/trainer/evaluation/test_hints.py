"""Hints: how they are written, what each suite gives, and that the engine gets no other."""

from __future__ import annotations

import inspect
import json
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.request import Request
from editflow_trainer.evaluation.case import Settings, read_pool
from editflow_trainer.evaluation.debugbench import PRELUDE, Bug, evaluate_debugbench
from editflow_trainer.evaluation.failures import failing_assertion, failing_pytest
from editflow_trainer.evaluation.hints import Hint, parse_hints, shown_hints, told
from editflow_trainer.evaluation.injected import Stratum, draw
from editflow_trainer.evaluation.lines import changed_lines, pointed
from editflow_trainer.evaluation.measure import measure
from editflow_trainer.evaluation.programs import evaluate_programs, read_programs
from editflow_trainer.evaluation.suite import FOLDERS, HINTS, Suite
from editflow_trainer.injection import BugKind
from tests.trainer.evaluation.makers import KnownEngine

WRONG = "def add(a, b):\n    return a - b\n"
RIGHT = "def add(a, b):\n    return a + b\n"
TESTS = "def check(f):\n    assert f(0, 0) == 0\n    assert f(2, 3) == 5\n\ncheck(add)\n"


@pytest.mark.parametrize(
    "text", ["none", "line", "diagnostic", "message", "test", "line+message", "line+diagnostic+test"]
)
def test_hints_are_read_and_shown(text: str) -> None:
    assert shown_hints(parse_hints(text)) == text


@pytest.mark.parametrize("text", ["", "lines", "line+", "none+line", "line message"])
def test_other_hints_are_refused_with_the_known(text: str) -> None:
    with pytest.raises(EditFlowError, match="none, line, diagnostic, message, test"):
        parse_hints(text)


def test_what_was_told_is_a_sentence() -> None:
    assert told(()) == "the model was given the code alone"
    assert told({Hint.line, Hint.message}).count("and") == 1


@pytest.mark.parametrize(
    ("lines", "expected", "narrow"),
    [
        (None, "a\nB\nc\nd\n", (2, 2)),
        (None, "A\nb\nC\nd\n", (1, 3)),
        ((2, 3), "A\nb\nC\nd\n", (2, 3)),
        ((1, 4), "a\nb\nc\nd\ne\n", (4, 4)),
        ((2, 3), "a\nb\nc\nd\n", (2, 3)),
    ],
)
def test_pointed_lines(lines: tuple[int, int] | None, expected: str, narrow: tuple[int, int]) -> None:
    assert pointed(Request(Document.from_text("a\nb\nc\nd\n"), lines), expected).lines == narrow


def idle() -> KnownEngine:
    return KnownEngine(lambda request: [(request.document.text, 1.0)])


class TestPrograms:
    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        row = {"id": "Python/0", "before": WRONG, "after": RIGHT, "tests": TESTS, "kind": "operator misuse"}
        (tmp_path / "humanevalpack.jsonl").write_text(json.dumps(row), "utf-8")
        return tmp_path

    @pytest.mark.parametrize(
        ("hint", "lines", "instruction"),
        [("none", None, ""), ("line", (2, 2), ""), ("line+test", (2, 2), "assert f(2, 3) == 5")],
    )
    def test_only_the_buggy_side_is_hinted_at(
        self, data: Path, hint: str, lines: tuple[int, int] | None, instruction: str
    ) -> None:
        engine = idle()
        programs = read_programs("humanevalfix", data)
        measured = evaluate_programs(engine, programs, Settings(hints=parse_hints(hint)))
        assert [(r.lines, r.instruction) for r in engine.requests] == [(lines, instruction), (None, "")]
        assert [(e.name, e.verdict) for e in measured.exhibits] == [
            ("operator misuse Python/0", "nothing proposed")
        ]

    def test_later_candidate_is_told_in_words(self, data: Path) -> None:
        engine = KnownEngine(lambda request: [(WRONG + "#\n", 1.0), (RIGHT, 0.9)])
        programs = read_programs("humanevalfix", data)
        (exhibit,) = evaluate_programs(engine, programs, Settings(candidates=2)).exhibits
        assert (exhibit.verdict, exhibit.right) == ("candidate 2 passes the tests", False)


@pytest.mark.parametrize(
    ("program", "tests", "text"),
    [
        (WRONG, TESTS, "assert f(2, 3) == 5"),
        (RIGHT, TESTS, ""),
        ("def add(a, b):\n    return c\n", TESTS, "assert f(0, 0) == 0; NameError: name 'c' is not defined"),
        (
            WRONG,
            "assert add(1, 1) == 2, 'one and one'\n",
            "assert add(1, 1) == 2, 'one and one'; AssertionError: one and one",
        ),
    ],
)
def test_failing_assertion(program: str, tests: str, text: str) -> None:
    assert failing_assertion(program, tests) == text


def test_failing_assertion_of_pytest() -> None:
    printed = "    def test():\n>       assert add(2, 3) == 5\nE       assert -1 == 5\nE        +  where -1\n\na.py:3\n"
    assert failing_pytest(printed) == "assert add(2, 3) == 5; assert -1 == 5"
    assert failing_pytest("1 passed in 0.1s\n") == ""
    assert (
        failing_pytest("E   assert [<generator o...7f57b34b54e0>] == [1]\n")
        == "assert [<generator o...>] == [1]"
    )


class TestFunctions:
    @pytest.mark.parametrize("hint", ["none", "line", "message", "line+diagnostic+message"])
    def test_injected_bugs_are_pointed_at_and_named(self, tmp_path: Path, hint: str) -> None:
        (tmp_path / "textwrap.py").write_text(inspect.getsource(textwrap), "utf-8")
        settings = Settings(tmp_path, limit=3, hints=parse_hints(hint))
        stratum = Stratum("x", frozenset({BugKind.wrong_comparison}), range(1, 2))
        cases = draw(stratum, read_pool(settings), settings, lambda text: len(text) < 1500)
        assert len(cases) == 3
        for case in cases:
            request = case.request
            changed = changed_lines(request.document, case.expected)
            assert request.lines is not None
            assert (request.lines == (min(changed) + 1, max(changed) + 1)) is ("line" in hint)
            assert bool(request.instruction) is ("message" in hint)
            assert request.diagnostics == ()

    def test_solutions_are_pointed_at(self) -> None:
        engine = idle()
        evaluate_debugbench(engine, [Bug("x", WRONG, RIGHT)], Settings(hints=parse_hints("line")))
        first = PRELUDE.count("\n") + 1
        assert [request.lines for request in engine.requests] == [(first + 1, first + 1)]


def test_suites_refuse_what_their_data_cannot_give() -> None:
    assert HINTS.keys() == FOLDERS.keys() == set(Suite)
    settings = Settings(hints=parse_hints("line+test"))
    for suite in (Suite.realfix, Suite.injected, Suite.debugbench):
        with pytest.raises(EditFlowError, match=f"{suite} has no test to give"):
            measure(suite, None, settings)  # type: ignore[arg-type]  # refused before anything is asked
    with pytest.raises(EditFlowError, match="clean has no line to give"):
        measure(Suite.clean, None, replace(settings, hints=parse_hints("line")))  # type: ignore[arg-type]

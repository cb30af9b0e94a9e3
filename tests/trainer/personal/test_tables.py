"""The tables at the end: the numbers of a result, the decision in one sentence, and nothing a terminal obeys."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from editflow_trainer.personal.options import Method
from editflow_trainer.personal.plan import Plan, dates_of
from editflow_trainer.personal.summary import plan_as_json, result_as_json
from editflow_trainer.personal.tables import (
    convention_rows,
    decision_line,
    mined_rows,
    print_plan,
    print_result,
)
from tests.trainer.personal.results import ADAPTER, DEFAULT, ENTRY, MATERIAL, TARGET, gathered, result_of

REPORT = Path("report.html")
PLAN = Plan(
    TARGET, MATERIAL, dates_of(gathered().split), DEFAULT, Method.lora, "cpu", 600.0, Path("adapters/aaaa")
)


def console(width: int = 120) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width), file


def test_a_better_adapter_is_said_to_be_in_use_from_now_on() -> None:
    line = decision_line(result_of())
    assert line.startswith(f"{ADAPTER} is installed")
    assert "by themselves" in line
    assert "of the held-out edits it makes 2 more exactly" in line


def test_a_better_adapter_that_is_written_elsewhere_is_not_said_to_be_installed() -> None:
    line = decision_line(result_of(), Path("out"))
    assert "written to out" in line
    assert "installed" not in line


@pytest.mark.parametrize(
    ("current", "kept"), [("", "the default is kept"), ("xxx", "the adapter in use is kept")]
)
def test_what_stays_in_use_is_named_with_the_reason(current: str, kept: str) -> None:
    result = result_of("..." if not current else "xx.", current=current)
    assert decision_line(result).startswith(f"{kept}, {ADAPTER} is not installed: {result.decision.reason}")


def test_every_filter_has_its_count_and_credentials_always_do() -> None:
    rows = {row[0]: row[1:] for row in mined_rows(ENTRY)}
    assert rows["seen"] == ("90", "200", "150")
    assert rows["merge"] == ("10", "", "")
    assert rows["secret (credentials)"] == ("0", "0", "3")
    assert rows["kept"] == ("80", "150", "140")
    without = replace(ENTRY, edits=replace(ENTRY.edits, dropped=ENTRY.edits.dropped.copy()))
    del without.edits.dropped[next(reason for reason in without.edits.dropped if reason == "secret")]
    assert {row[0]: row[1:] for row in mined_rows(without)}["secret (credentials)"] == ("0", "0", "0")


def test_a_result_is_printed_whole_with_the_decision_last() -> None:
    shown, file = console()
    print_result(result_of(), REPORT, None, shown)
    text = file.getvalue()
    assert f"{DEFAULT} ┃" in text
    assert "67% " in text  # two of three edits
    assert "0:03, training 1:01" in text
    assert text.index("report.html") < text.index(f"{ADAPTER} is installed")
    assert not {"\x1b", "\u202e"} & set(text)


@pytest.mark.parametrize("width", [40, 72, 200])
def test_tables_fit_into_any_terminal(width: int) -> None:
    shown, file = console(width)
    print_result(result_of(), REPORT, None, shown)
    print_plan(PLAN, shown)
    assert max(map(len, file.getvalue().splitlines())) <= width


def test_punctuation_is_no_convention() -> None:
    conventions = ((")", "", 30), ("fetch", "load", 17), ("", "_x", 3), ("a", "b", 2))
    rows = convention_rows(replace(MATERIAL, conventions=conventions), 2)
    assert rows == [("fetch", "load", "17"), ("(nothing)", "_x", "3")]


def test_a_plan_says_dates_budget_and_place() -> None:
    shown, file = console()
    print_plan(PLAN, shown)
    text = file.getvalue()
    for part in ("1970-01-07 to 1970-01-08", "1970-01-09", "1970-01-10", "lora for 10:00", "adapters/aaaa"):
        assert part in text
    assert "3 decisions recorded in editors" in text


def test_the_objects_for_programs_hold_the_numbers() -> None:
    found = json.loads(json.dumps(result_as_json(result_of(), REPORT)))
    assert found["installed"] is True
    assert found["after"]["held_out"]["hits"] == 2
    assert found["before"]["clean"] == {"hits": 1, "cases": 2, "low": 0.0945, "high": 0.9055}
    assert (found["after"]["told"]["hits"], found["before"]["slips"]["hits"]) == (2, 1)
    assert found["material"]["entry"]["edits"]["dropped"] == {"near_duplicate": 7, "secret": 3}
    assert found["adapter"] is None is found["in_use"]
    plan = json.loads(json.dumps(plan_as_json(PLAN)))
    assert (plan["method"], plan["budget"], plan["dates"]["held_out"]) == ("lora", 600.0, "1970-01-10")

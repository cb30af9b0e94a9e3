"""The suite `editeval`: edits that an instruction names, from CodeInstruct (arXiv 2310.20329).

Where a row has tests, and does not say that its own right side fails them, they judge; elsewhere the text does,
whitespace at line ends aside. The two are reported apart, because the second is far stricter.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from editflow_trainer.evaluation.case import Fixer, Settings
from editflow_trainer.evaluation.exhibit import Measured
from editflow_trainer.evaluation.programs import Program, exhibits, group_rows, run_programs, whole
from editflow_trainer.evaluation.rows import read_rows
from editflow_trainer.evaluation.sandbox import Outcome, run_program
from editflow_trainer.evaluation.verdict import tidied

FILE = "editeval.jsonl"
BY_TESTS, BY_TEXT = "judged by tests", "judged by text"
_CODE = "{{Code}}"


def read_editeval(data: Path) -> list[Program]:
    """The rows of a folder; EditFlowError where it does not hold them."""
    return read_rows("editeval", data / FILE, _program)


def evaluate_editeval(engine: Fixer, programs: list[Program], settings: Settings) -> Measured:
    """One row for each way to judge: passed, changed, and whether edited programs stay right."""
    results = run_programs(engine, programs, settings)
    return Measured(group_rows(results, settings.candidates), exhibits(results))


def _program(row: dict[str, Any]) -> Program:
    prelude, after = whole(row.get("prelude") or ""), whole(row["after"])
    tested = bool(row["tests"]) and row.get("after_result") != "fail"
    run = partial(_run_in, prelude, row.get("template") or _CODE, str(row["tests"]))
    return Program(
        Path("program.py"),
        BY_TESTS if tested else BY_TEXT,
        whole(row["before"]),
        after,
        prelude,
        run if tested else partial(_compare, prelude + after),
        str(row["instruction"]),
        name=str(row["instruction"]),
    )


def _run_in(prelude: str, template: str, tests: str, text: str) -> Outcome:
    """Run the edited code where the template has its place; some templates also quote it."""
    code = text.removeprefix(prelude).rstrip("\n")
    return run_program(f"{prelude}{template.replace(_CODE, code)}\n{tests}\n")


def _compare(expected: str, text: str) -> Outcome:
    return Outcome.PASSED if tidied(text) == tidied(expected) else Outcome.FAILED

"""Reads the layout of the public QuixBugs repository: buggy and correct programs, JSON cases, pytest files.

Each program's tests run by pytest in a copy of that layout which holds this one program. Tests that the
repository itself skips as slow stay skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from editflow.errors import EditFlowError
from editflow_trainer.evaluation.failures import failing_pytest, printed_by
from editflow_trainer.evaluation.programs import Program
from editflow_trainer.evaluation.sandbox import Outcome, run_program

TIMEOUT_S = 5  # CPU seconds
_BUGGY, _CORRECT, _TESTS = "python_programs", "correct_python_programs", "python_testcases"
_SHARED = ("conftest.py", f"{_BUGGY}/node.py", f"{_TESTS}/node.py", f"{_TESTS}/load_testdata.py")
_RUN_TESTS = f"""\
import os
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
import pytest
assert pytest.main(["-q", "-x", "-p", "no:cacheprovider", "{_TESTS}"]) == 0
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """The files that the tests of one program need, without the program."""

    program: str
    files: dict[str, str]

    def run(self, text: str) -> Outcome:
        """Run the tests with `text` as the program."""
        return run_program(_RUN_TESTS, TIMEOUT_S, files=self._with(text))

    def failure(self, text: str) -> str:
        """The first assertion that fails with `text` as the program, and by what; "" where none does in time."""
        return failing_pytest(printed_by(_RUN_TESTS, TIMEOUT_S, files=self._with(text)))

    def _with(self, text: str) -> dict[str, str]:
        return {**self.files, f"{_BUGGY}/{self.program}.py": text}


def read_quixbugs(data: Path) -> list[Program]:
    """The programs that have a correct side and tests, by name.

    Raises:
        EditFlowError: the folder has another layout, or pytest is not installed.
    """
    if find_spec("pytest") is None:
        raise EditFlowError("the tests of quixbugs need pytest: pip install pytest")
    names = sorted(path.stem for path in (data / _CORRECT).glob("*.py"))
    programs = [_program(data, name) for name in names if (data / _TESTS / f"test_{name}.py").is_file()]
    if not programs:
        raise EditFlowError(f"{data} has not the layout of QuixBugs; give --data a clone of jkoppel/QuixBugs")
    return programs


def _program(data: Path, name: str) -> Program:
    wanted = [*_SHARED, f"{_TESTS}/test_{name}.py", f"json_testcases/{name}.json"]
    files = {path: (data / path).read_text("utf-8") for path in wanted if (data / path).is_file()}
    files["pytest.ini"] = "[pytest]\n"  # so that no configuration further up is found
    before, after = ((data / side / f"{name}.py").read_text("utf-8") for side in (_BUGGY, _CORRECT))
    layout = Layout(name, files)
    return Program(Path(f"{name}.py"), "", before, after, "", layout.run, failure=layout.failure, name=name)

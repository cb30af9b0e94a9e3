"""Suites of public programs with one known bug or more, judged by running their tests.

`parity4` and `humanevalfix` are JSON lines with `before`, `after`, `tests` and `prelude`; EditEval and QuixBugs
have modules of their own. Running them is what `editflow eval` is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.step import Step
from editflow_trainer.evaluation.case import Fixer, Settings, answers
from editflow_trainer.evaluation.exhibit import Exhibit, Measured
from editflow_trainer.evaluation.failures import failing_assertion
from editflow_trainer.evaluation.hints import Hint
from editflow_trainer.evaluation.lines import pointed
from editflow_trainer.evaluation.report import Row
from editflow_trainer.evaluation.rows import read_rows
from editflow_trainer.evaluation.sandbox import Outcome, run_program
from editflow_trainer.evaluation.statistics import Rate

FILES = {"parity4": "parity4.jsonl", "humanevalfix": "humanevalpack.jsonl"}


@dataclass(frozen=True, slots=True)
class Program:
    """A program on its buggy and on its correct side; `passes` runs a text of it against its tests."""

    path: Path
    group: str  # "" where the benchmark has none
    before: str
    after: str
    prelude: str  # what stands above it, "" or ending in a newline
    run: Callable[[str], Outcome]
    instruction: str = ""  # what the edit shall be, where the benchmark says so
    failure: Callable[[str], str] | None = None  # text of the test that a text fails; None without such tests
    name: str = ""  # for people

    def passes(self, text: str) -> bool:
        """Whether `text` (prelude included) passes all tests; EditFlowError where no limits can be set."""
        outcome = self.run(text)
        if outcome is Outcome.ERROR:
            raise EditFlowError("this system refuses limits on time and memory; run this suite on Linux")
        return outcome is Outcome.PASSED


@dataclass(frozen=True, slots=True)
class Result:
    """How the two sides of one program went."""

    program: Program
    request: Request  # of the buggy side
    solved_by: int | None  # the first of the candidates, best first, that passes; None: none does
    changed: bool
    still_correct: bool


def read_programs(suite: str, data: Path) -> list[Program]:
    """The rows of `parity4` or `humanevalfix`; EditFlowError where the folder does not hold them."""
    return read_rows(suite, data / FILES[suite], partial(_program, suite))


def evaluate_programs(engine: Fixer, programs: list[Program], settings: Settings) -> Measured:
    """One row for all and one for each group: passed, changed, and whether correct programs stay so."""
    results = run_programs(engine, programs, settings)
    rows = [_row("all", "all", results, settings.candidates), *group_rows(results, settings.candidates)]
    return Measured(rows, exhibits(results))


def run_programs(engine: Fixer, programs: list[Program], settings: Settings) -> list[Result]:
    """Both sides of the first programs, up to the limit, through the engine and then through their tests."""
    chosen = programs[: settings.limit]
    broken = [_hinted(_request(p, p.before, settings), p, settings) for p in chosen]
    correct = [_request(p, p.after, replace(settings, candidates=1)) for p in chosen]
    fixed = list(answers(engine, broken, "buggy programs"))
    kept = list(answers(engine, correct, "correct programs"))
    return [_result(*sides) for sides in zip(chosen, broken, fixed, kept, strict=True)]


def group_rows(results: Sequence[Result], candidates: int) -> list[Row]:
    """One row for each group that has a name."""
    groups = sorted({result.program.group for result in results} - {""})
    return [
        _row("group", name, [r for r in results if r.program.group == name], candidates) for name in groups
    ]


def exhibits(results: Sequence[Result]) -> list[Exhibit]:
    """The buggy sides for people."""
    return [
        Exhibit(
            " ".join(filter(None, (result.program.group, result.program.name))),
            result.request,
            result.program.prelude + result.program.after,
            _verdict(result),
            right=result.solved_by == 0,
            proposed=result.changed,
        )
        for result in results
    ]


def whole(text: str) -> str:
    """The text with a newline at its end."""
    return text if text.endswith("\n") or not text else text + "\n"


def _program(suite: str, row: dict[str, Any]) -> Program:
    group = f"bugs: {row['n_bugs']}" if suite == "parity4" else str(row["kind"])
    prelude, tests = whole(row.get("prelude") or ""), str(row["tests"])
    return Program(
        Path("program.py"),
        group,
        whole(row["before"]),
        whole(row["after"]),
        prelude,
        partial(_run_with, tests),
        failure=lambda text: failing_assertion(text, tests),
        name=str(row.get("id", "")),
    )


def _run_with(tests: str, text: str) -> Outcome:
    return run_program(f"{text}\n{tests}\n")


def _request(program: Program, text: str, settings: Settings) -> Request:
    """The whole document, or the lines below the prelude; checked by the engine as a user's file is."""
    first = program.prelude.count("\n") + 1
    return Request(
        Document.from_text(program.prelude + text, program.path),
        lines=(first, first + text.rstrip("\n").count("\n")) if program.prelude else None,
        instruction=program.instruction,
        diagnostics=None if settings.diagnostics else (),
        candidates=settings.candidates,
        seed=settings.seed,
    )


def _hinted(request: Request, program: Program, settings: Settings) -> Request:
    """With what only the buggy side has: lines that the right fix changes, and a test that fails."""
    if Hint.line in settings.hints:
        request = pointed(request, program.prelude + program.after)
    if Hint.test in settings.hints and program.failure:
        request = replace(request, instruction=program.failure(request.document.text))
    return request


def _result(program: Program, request: Request, fixed: Step, kept: Step) -> Result:
    offered = (fixed.proposal, *(p for p in fixed.alternatives if p.text != fixed.proposal.text))
    tried = offered[: request.candidates]
    return Result(
        program,
        request,
        next((place for place, proposal in enumerate(tried) if _solves(program, proposal)), None),
        bool(fixed.proposal.hunks),
        not kept.proposal.hunks or program.passes(kept.proposal.text),
    )


def _solves(program: Program, proposal: Proposal) -> bool:
    return bool(proposal.hunks) and program.passes(proposal.text)


def _verdict(result: Result) -> str:
    if result.solved_by is None:
        return "tests fail" if result.changed else "nothing proposed"
    return "tests pass" if result.solved_by == 0 else f"candidate {result.solved_by + 1} passes the tests"


def _row(section: str, name: str, results: Sequence[Result], candidates: int) -> Row:
    """pass@k: whether one of the first k passes. Candidates are ranked, so no estimator over draws is due."""
    rates = {
        f"pass@{k}": Rate.of(r.solved_by is not None and r.solved_by < k for r in results)
        for k in powers_to(candidates)
    }
    rates |= {
        "changed": Rate.of(r.changed for r in results),
        "still_correct": Rate.of(r.still_correct for r in results),
    }
    return Row(section, name, len(results), rates)


def powers_to(most: int) -> list[int]:
    """1, 2, 4 and so on below `most`, then `most`."""
    return [*takewhile(lambda k: k < most, (1 << i for i in range(most))), most]

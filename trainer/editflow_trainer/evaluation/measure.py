"""Runs one suite and reports on it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from editflow.errors import EditFlowError
from editflow.window import EDITABLE_TOKENS
from editflow_trainer.evaluation.clean import evaluate_clean
from editflow_trainer.evaluation.debugbench import evaluate_debugbench, read_debugbench
from editflow_trainer.evaluation.editeval import evaluate_editeval, read_editeval
from editflow_trainer.evaluation.hints import shown_hints, told
from editflow_trainer.evaluation.injected import evaluate_injected
from editflow_trainer.evaluation.programs import evaluate_programs, read_programs
from editflow_trainer.evaluation.quixbugs import read_quixbugs
from editflow_trainer.evaluation.report import Report
from editflow_trainer.evaluation.suite import HINTS, Suite

if TYPE_CHECKING:
    from editflow_trainer.evaluation.case import Settings, Subject
    from editflow_trainer.evaluation.exhibit import Exhibit, Measured

_JUDGED_BY_TEXT = (Suite.injected, Suite.clean, Suite.realfix, Suite.debugbench)
_FIRST_ONLY = "judged by text: candidates after the first do not count"
_RAN = "programs ran with limits on time and memory, with none on the network"
_OF_SUITE = {
    Suite.injected: (),
    Suite.clean: (),
    Suite.realfix: (),
    Suite.debugbench: (
        "exact: the text of the right solution, whitespace at line ends aside; nothing was run",
    ),
    Suite.editeval: ("the model was given the instruction of each edit", _RAN),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One suite's report, and its cases for people."""

    report: Report
    exhibits: tuple[Exhibit, ...]


def measure(suite: Suite, engine: Subject, settings: Settings) -> Run:
    """Run one suite; EditFlowError where its data is missing, not in its form, or cannot give a hint."""
    lacking = settings.hints - HINTS[suite]
    if lacking:
        raise EditFlowError(f"{suite} has no {shown_hints(lacking)} to give: leave that out of --hint")
    start = time.perf_counter()
    measured = _measured(suite, engine, settings)
    report = Report(
        suite=suite,
        model=engine.name,
        device=str(engine.device),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=time.perf_counter() - start,
        settings={
            "limit": settings.limit,
            "seed": settings.seed,
            "candidates": settings.candidates,
            "hint": shown_hints(settings.hints),
            "repos": settings.repositories is not None,
            "baseline": settings.baseline,
        },
        notes=(*_notes(suite, settings), *measured.notes),
        rows=tuple(measured.rows),
    )
    return Run(report, tuple(measured.exhibits))


def _measured(suite: Suite, engine: Subject, settings: Settings) -> Measured:
    if suite in (Suite.injected, Suite.clean, Suite.realfix):
        return _on_functions(suite, engine, settings)
    if settings.data is None:
        raise EditFlowError(f"{suite} needs its programs: give --data DIR, the folder of the benchmark")
    if suite is Suite.debugbench:
        return evaluate_debugbench(engine, read_debugbench(settings.data), settings)
    if suite is Suite.editeval:
        return evaluate_editeval(engine, read_editeval(settings.data), settings)
    quixbugs = suite is Suite.quixbugs
    programs = read_quixbugs(settings.data) if quixbugs else read_programs(suite, settings.data)
    return evaluate_programs(engine, programs, settings)


def _on_functions(suite: Suite, engine: Subject, settings: Settings) -> Measured:
    tokenizer = engine.checkpoint.tokenizer()
    if suite is Suite.realfix:
        try:
            from editflow_trainer.evaluation.realfix import evaluate_realfix
        except ModuleNotFoundError as error:
            raise EditFlowError(f"realfix needs {error.name}; run pip install 'editflow[train]'") from error
        return evaluate_realfix(engine, settings, tokenizer)
    evaluate = evaluate_clean if suite is Suite.clean else evaluate_injected
    return evaluate(engine, settings, lambda text: len(tokenizer.encode(text).ids) <= EDITABLE_TOKENS)


def _notes(suite: Suite, settings: Settings) -> tuple[str, ...]:
    """What was measured, and what it was told."""
    measured: tuple[str, ...] = ()
    if settings.baseline:
        from editflow_trainer.evaluation.baselines import NOTES  # which need causal models

        measured = (NOTES[settings.baseline],)
    if settings.baseline == "copy":
        return measured
    first = (_FIRST_ONLY,) if settings.candidates > 1 and suite in _JUDGED_BY_TEXT else ()
    return (*measured, told(settings.hints), *first, *_OF_SUITE.get(suite, (_RAN,)))

"""The command `editflow eval`: measure a checkpoint on one suite and print a table or a JSON object."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from editflow.errors import EditFlowError

if TYPE_CHECKING:
    from editflow.engine import Engine
    from editflow_trainer.evaluation.case import Settings
    from editflow_trainer.evaluation.report import Report, Row


class Suite(StrEnum):
    """What can be measured."""

    injected = "injected"
    clean = "clean"
    parity4 = "parity4"
    quixbugs = "quixbugs"
    humanevalfix = "humanevalfix"
    debugbench = "debugbench"
    editeval = "editeval"


class Baseline(StrEnum):
    """What can be measured in place of the flow."""

    copy = "copy"
    one_pass = "one-pass"


_FUNCTION_SUITES = (Suite.injected, Suite.clean)
_GIVEN = "the model was given the complaints of the parser and the name checker"
_NOT_GIVEN = "the model was given no diagnostics"
_RAN = "programs ran with limits on time and memory, with none on the network"
_OF_SUITE = {
    Suite.injected: (),
    Suite.clean: (),
    Suite.debugbench: (
        "exact: the text of the right solution, whitespace at line ends aside; nothing was run",
    ),
    Suite.editeval: ("the model was given the instruction of each edit", _RAN),
}


def evaluate(
    suite: Annotated[Suite, typer.Argument(help="What to measure.", show_default=False)],
    model: Annotated[str, typer.Option(help="Name or folder of a checkpoint.")] = "default",
    data: Annotated[
        Path | None, typer.Option(help="Folder of packages, functions.jsonl, or folder of the benchmark.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Cases: in `injected` per kind, else in all.  [default: the suite's own]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the cases.")] = 0,
    candidates: Annotated[
        int, typer.Option(min=1, help="Answers to each case; programs are solved if one passes.")
    ] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.  [default: torch's own]")] = None,
    diagnostics: Annotated[
        bool, typer.Option(" /--no-diagnostics", help="Give the model no diagnostics.", show_default=False)
    ] = True,
    baseline: Annotated[
        Baseline | None, typer.Option(help="Measure this instead: no change, or one pass of the model.")
    ] = None,
) -> None:
    """Measure a checkpoint on a suite.

    parity4, quixbugs, humanevalfix and editeval run the benchmark's programs on this machine, with limits on time
    and memory and with none on the network.
    """
    from editflow_trainer.evaluation.case import Settings
    from editflow_trainer.evaluation.report import standard_output

    if baseline is not None and candidates > 1:
        raise EditFlowError("a baseline gives one answer: leave out --candidates or --baseline")
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    settings = Settings(data, limit, seed, candidates, diagnostics, baseline)
    report = measure(suite, _load(model, baseline), settings)
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
    else:
        report.print(standard_output())


def measure(suite: Suite, engine: Engine, settings: Settings) -> Report:
    """Run one suite; EditFlowError where its data is missing or not in its form."""
    from editflow_trainer.evaluation.report import Report

    start = time.perf_counter()
    rows = _rows(suite, engine, settings)
    return Report(
        suite=suite,
        model=engine.name,
        device=str(engine.device),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=time.perf_counter() - start,
        settings={
            "limit": settings.limit,
            "seed": settings.seed,
            "candidates": settings.candidates,
            "diagnostics": settings.diagnostics,
            "baseline": settings.baseline,
        },
        notes=_notes(suite, settings),
        rows=tuple(rows),
    )


def _load(model: str, baseline: Baseline | None) -> Engine:
    from editflow.engine import Engine
    from editflow_trainer.evaluation.baselines import BASELINES

    return (BASELINES[baseline] if baseline else Engine).load(model)


def _rows(suite: Suite, engine: Engine, settings: Settings) -> list[Row]:
    if suite in _FUNCTION_SUITES:
        return _function_rows(suite, engine, settings)
    if settings.data is None:
        raise EditFlowError(f"{suite} needs its programs: give --data DIR, the folder of the benchmark")
    return _benchmark_rows(suite, engine, settings.data, settings)


def _function_rows(suite: Suite, engine: Engine, settings: Settings) -> list[Row]:
    from editflow.window import EDITABLE_TOKENS
    from editflow_trainer.evaluation.clean import evaluate_clean
    from editflow_trainer.evaluation.injected import evaluate_injected

    tokenizer = engine.checkpoint.tokenizer()
    evaluate_suite = evaluate_clean if suite is Suite.clean else evaluate_injected
    return evaluate_suite(engine, settings, lambda text: len(tokenizer.encode(text).ids) <= EDITABLE_TOKENS)


def _benchmark_rows(suite: Suite, engine: Engine, data: Path, settings: Settings) -> list[Row]:
    from editflow_trainer.evaluation.debugbench import evaluate_debugbench, read_debugbench
    from editflow_trainer.evaluation.editeval import evaluate_editeval, read_editeval
    from editflow_trainer.evaluation.programs import evaluate_programs, read_programs
    from editflow_trainer.evaluation.quixbugs import read_quixbugs

    if suite is Suite.debugbench:
        return evaluate_debugbench(engine, read_debugbench(data), settings)
    if suite is Suite.editeval:
        return evaluate_editeval(engine, read_editeval(data), settings)
    programs = read_quixbugs(data) if suite is Suite.quixbugs else read_programs(suite, data)
    return evaluate_programs(engine, programs, settings)


def _notes(suite: Suite, settings: Settings) -> tuple[str, ...]:
    from editflow_trainer.evaluation.baselines import NOTES

    if settings.baseline == Baseline.copy:
        return (NOTES[Baseline.copy],)
    told = _GIVEN if settings.diagnostics else _NOT_GIVEN
    measured = (NOTES[settings.baseline],) if settings.baseline else ()
    return (*measured, told, *_OF_SUITE.get(suite, (_RAN,)))

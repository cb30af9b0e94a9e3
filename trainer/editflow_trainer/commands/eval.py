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


_FUNCTION_SUITES = (Suite.injected, Suite.clean)
_GIVEN = "the model was given the complaints of the parser and the name checker"
_NOT_GIVEN = "the model was given no diagnostics"
_RAN = "programs ran with limits on time and memory, with none on the network"


def evaluate(
    suite: Annotated[Suite, typer.Argument(help="What to measure.", show_default=False)],
    model: Annotated[str, typer.Option(help="Name or folder of a checkpoint.")] = "default",
    data: Annotated[
        Path | None, typer.Option(help="Folder of packages, functions.jsonl, or folder of the benchmark.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Cases: per kind of bug, else in all.  [default: the suite's own]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the cases.")] = 0,
    candidates: Annotated[
        int, typer.Option(min=1, help="Answers to each case; programs are solved if one passes.")
    ] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.  [default: torch's own]")] = None,
    diagnostics: Annotated[
        bool, typer.Option(" /--no-diagnostics", help="Give the model no diagnostics.", show_default=False)
    ] = True,
) -> None:
    """Measure a checkpoint on a suite.

    parity4, quixbugs and humanevalfix run the benchmark's programs on this machine, with limits on time and
    memory and with none on the network.
    """
    from editflow.engine import Engine
    from editflow_trainer.evaluation.case import Settings
    from editflow_trainer.evaluation.report import standard_output

    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    settings = Settings(data, limit, seed, candidates, diagnostics)
    report = measure(suite, Engine.load(model), settings)
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
        },
        notes=_notes(suite, settings),
        rows=tuple(rows),
    )


def _rows(suite: Suite, engine: Engine, settings: Settings) -> list[Row]:
    if suite not in _FUNCTION_SUITES:
        return _program_rows(suite, engine, settings)
    from editflow.window import EDITABLE_TOKENS
    from editflow_trainer.evaluation.clean import evaluate_clean
    from editflow_trainer.evaluation.injected import evaluate_injected

    tokenizer = engine.checkpoint.tokenizer()
    evaluate_suite = evaluate_clean if suite is Suite.clean else evaluate_injected
    return evaluate_suite(engine, settings, lambda text: len(tokenizer.encode(text).ids) <= EDITABLE_TOKENS)


def _program_rows(suite: Suite, engine: Engine, settings: Settings) -> list[Row]:
    from editflow_trainer.evaluation.programs import evaluate_programs, read_programs
    from editflow_trainer.evaluation.quixbugs import read_quixbugs

    if settings.data is None:
        raise EditFlowError(f"{suite} needs its programs: give --data DIR, the folder of the benchmark")
    quixbugs = suite is Suite.quixbugs
    programs = read_quixbugs(settings.data) if quixbugs else read_programs(suite, settings.data)
    return evaluate_programs(engine, programs, settings)


def _notes(suite: Suite, settings: Settings) -> tuple[str, ...]:
    told = _GIVEN if settings.diagnostics else _NOT_GIVEN
    return (told,) if suite in _FUNCTION_SUITES else (told, _RAN)

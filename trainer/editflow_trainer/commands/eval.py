"""The command `editflow eval`: measure a checkpoint on suites and print tables, a JSON object or an HTML page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from editflow.errors import EditFlowError
from editflow_trainer.evaluation.hints import DEFAULT, parse_hints, shown_hints
from editflow_trainer.evaluation.suite import FOLDERS, Suite

if TYPE_CHECKING:
    from editflow_trainer.evaluation.case import Settings, Subject
    from editflow_trainer.evaluation.measure import Run


class Baseline(StrEnum):
    """What can be measured in place of the flow."""

    copy = "copy"
    one_pass = "one-pass"
    rewrite = "rewrite"
    diff = "diff"


def evaluate(
    suites: Annotated[
        list[Suite], typer.Argument(metavar="SUITE...", help="What to measure.", show_default=False)
    ],
    model: Annotated[str, typer.Option(help="Name or folder of a checkpoint.")] = "default",
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of packages, functions.jsonl, folder of mined edits, or folder of the benchmark."
        ),
    ] = None,
    data_root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help=f"Folder of all suites' data: {', '.join(dict.fromkeys(FOLDERS.values()))}."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page that shows cases pass by pass.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Cases: in `injected` per kind, else in all.  [default: the suite's own]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the cases.")] = 0,
    candidates: Annotated[
        int, typer.Option(min=1, help="Answers to each case; pass@k tells whether one of the first k passes.")
    ] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.  [default: torch's own]")] = None,
    hint: Annotated[
        str,
        typer.Option(
            help="What the model is told: none, or some of line, diagnostic, message, test, with +."
        ),
    ] = shown_hints(DEFAULT),
    repos: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Clones of what was mined, for the files around the fixes."),
    ] = None,
    baseline: Annotated[
        Baseline | None,
        typer.Option(help="Measure this instead: no change, one pass, or a causal model's rewrite or diff."),
    ] = None,
    baseline_model: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Causal model of the baselines rewrite and diff.")
    ] = None,
) -> None:
    """Measure a checkpoint on one or more suites.

    parity4, quixbugs, humanevalfix and editeval run the benchmark's programs on this machine, with limits on time
    and memory and with none on the network.
    """
    from editflow_trainer.evaluation.case import Settings
    from editflow_trainer.evaluation.measure import measure

    if baseline is not None and candidates > 1:
        raise EditFlowError("a baseline gives one answer: leave out --candidates or --baseline")
    if data is not None and (data_root is not None or len(suites) > 1):
        raise EditFlowError("--data is for one suite: give --data-root DIR instead")
    settings = Settings(data, limit, seed, candidates, parse_hints(hint), baseline, repos)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    subject = _load(model, baseline, baseline_model)
    runs = [measure(suite, subject, _for(suite, settings, data_root)) for suite in suites]
    if html is not None:
        _write_page(html, subject, runs)
    _print(runs, as_json=as_json)


def _for(suite: Suite, settings: Settings, root: Path | None) -> Settings:
    return replace(settings, data=root / FOLDERS[suite]) if root else settings


def _load(model: str, baseline: Baseline | None, baseline_model: Path | None) -> Subject:
    from editflow.engine import Engine
    from editflow_trainer.evaluation.baselines import load

    return load(baseline, model, baseline_model) if baseline else Engine.load(model)


def _write_page(file: Path, subject: Subject, runs: Sequence[Run]) -> None:
    from editflow_trainer.evaluation.page import page

    try:
        file.write_text(page(runs, subject), "utf-8")
    except OSError as error:
        raise EditFlowError(f"{file} cannot be written: {error.strerror}; choose another --html") from error


def _print(runs: Sequence[Run], *, as_json: bool) -> None:
    """Each suite's report, and with several of them one table over all."""
    from editflow_trainer.evaluation.report import standard_output, summary

    reports = [run.report for run in runs]
    if as_json:
        objects = [report.as_json() for report in reports]
        typer.echo(json.dumps(objects[0] if len(objects) == 1 else {"suites": objects}, indent=2))
        return
    console = standard_output()
    for report in reports:
        report.print(console)
    if len(reports) > 1:
        console.print(summary(reports))

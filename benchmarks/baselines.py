"""A flow beside what it is measured against: no change, one pass, and causal models; quality and latency.

Run from the repository's root as `python -m benchmarks.baselines`; baselines.md says what the columns mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Annotated

import torch
import typer

from benchmarks.machine import describe_machine
from benchmarks.report import print_facts, print_table, write_json
from benchmarks.samples import files_without_colon
from editflow.checkpoint import Calibration
from editflow.engine import Engine
from editflow_trainer.causal.fixer import CausalFixer
from editflow_trainer.causal.formats import FormatName
from editflow_trainer.causal.model import CausalCheckpoint
from editflow_trainer.evaluation.baselines import load
from editflow_trainer.evaluation.case import Case, Settings, Subject
from editflow_trainer.evaluation.measure import measure
from editflow_trainer.evaluation.report import Report
from editflow_trainer.evaluation.suite import Suite

LOOKUP = 10
"""Tokens that prompt lookup takes at a time."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares of cases in per cent, None where there are none."""

    subject: str
    exact: float | None
    """Of functions with one injected bug."""
    located: float | None
    proposed: float | None
    untouched: float | None
    """Of clean functions."""
    refused: int
    """Answers of both suites that do not apply."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Wall times of one request at a time, the whole function's file in, the proposal out."""

    subject: str
    tokens: int
    functions: int
    exact: int
    steps: float
    """Median of passes, or of tokens written."""
    p50_ms: float
    p90_ms: float


def baselines(
    data: Annotated[Path, typer.Option(help="Folder of packages, or functions.jsonl, not trained on.")],
    model: Annotated[str, typer.Option(help="Name or folder of the flow's checkpoint.")] = "default",
    rewrite: Annotated[Path | None, typer.Option(help="Folder of a causal model.")] = None,
    diff: Annotated[Path | None, typer.Option(help="Folder of a causal model.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Injected bugs of a kind.")] = 5,
    clean: Annotated[int, typer.Option(min=1, help="Clean functions.")] = 100,
    show: Annotated[float, typer.Option(help="Confidence from which a causal answer is shown.")] = 0.5,
    functions: Annotated[int, typer.Option(min=2, help="Functions timed of a size.")] = 10,
    sizes: Annotated[str, typer.Option(help="Tokens of the functions timed.")] = "64,128,256",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of torch.")] = 2,
    output: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all results.")] = None,
) -> None:
    """Measure all that is given on the same cases."""
    torch.set_num_threads(threads)
    subjects = _subjects(model, {FormatName.rewrite: rewrite, FormatName.diff: diff}, show)
    injected, untouched = Settings(data, limit), Settings(data, clean)
    qualities = [_quality(name, subject, injected, untouched) for name, subject in subjects.items()]
    cases = {size: _cases(subjects["flow"], size, functions) for size in map(int, sizes.split(","))}
    latencies = [row for size, chosen in cases.items() for row in _latencies(subjects, size, chosen)]
    facts: dict[str, str | float] = {name: subject.name for name, subject in subjects.items()}
    facts |= {**describe_machine(), "device": str(subjects["flow"].device), "threads": threads}
    facts |= {"limit": limit, "clean": clean, "show": show}
    print_facts(facts)
    _print(qualities)
    _print(latencies)
    if output is not None:
        rows = {"quality": [asdict(q) for q in qualities], "latency": [asdict(row) for row in latencies]}
        write_json(output, {**facts, **rows})


def _subjects(model: str, causal: Mapping[FormatName, Path | None], show: float) -> dict[str, Subject]:
    """What is compared, by the name of its rows."""
    engine = Engine.load(model)
    subjects: dict[str, Subject] = {name: load(name, model, None) for name in ("copy", "one-pass")}
    subjects["flow"] = engine
    for form, folder in causal.items():
        if folder is not None:
            fixer = CausalFixer(CausalCheckpoint(folder), form, engine.device)
            fixer.calibration = Calibration(show=show)
            subjects[form] = fixer
    return subjects


def _quality(name: str, subject: Subject, injected: Settings, clean: Settings) -> Quality:
    if isinstance(subject, CausalFixer):
        subject.refusals.clear()
    bugs = measure(Suite.injected, subject, injected).report
    untouched = _share(measure(Suite.clean, subject, clean).report, "untouched")
    refused = subject.refusals.total() if isinstance(subject, CausalFixer) else 0
    exact, located, proposed = (_share(bugs, rate) for rate in ("exact", "located", "proposed"))
    return Quality(name, exact, located, proposed, untouched, refused)


def _share(report: Report, rate: str) -> float | None:
    """Per cent, over all cases of the first row."""
    value = report.rows[0].rates[rate].value
    return None if value is None else round(100 * value, 1)


def _cases(subject: Subject, size: int, count: int) -> list[Case]:
    """Functions of about this many tokens, each without one colon."""
    return files_without_colon(subject.checkpoint.tokenizer(), range(size * 3 // 4, size + 1), count)


def _latencies(subjects: dict[str, Subject], size: int, cases: Sequence[Case]) -> Iterator[Latency]:
    """Each subject, a causal one also with prompt lookup."""
    for name, subject in subjects.items():
        yield _timed(name, subject, size, cases)
        if isinstance(subject, CausalFixer):
            subject.lookup = LOOKUP
            yield _timed(f"{name}, lookup", subject, size, cases)
            subject.lookup = 0


def _timed(name: str, subject: Subject, size: int, cases: Sequence[Case]) -> Latency:
    subject.fix_many([cases[0].request])
    steps, times = [], list[float]()
    for case in cases:
        start = perf_counter()
        steps += subject.fix_many([case.request])
        times.append((perf_counter() - start) * 1000)
    return Latency(
        subject=name,
        tokens=size,
        functions=len(cases),
        exact=sum(step.proposal.text == case.expected for step, case in zip(steps, cases, strict=True)),
        steps=median(step.index for step in steps),
        p50_ms=round(median(times), 1),
        p90_ms=round(quantiles(times, n=10, method="inclusive")[-1], 1),
    )


def _print(rows: Sequence[Quality] | Sequence[Latency]) -> None:
    print_table([field.name for field in fields(rows[0])], [astuple(row) for row in rows])


if __name__ == "__main__":
    typer.run(baselines)

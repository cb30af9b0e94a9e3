"""Quality and spurious edits of every sampler against its number of steps, on held-out functions.

Run from the repository's root as `python -m benchmarks.samplers --data FUNCTIONS`. Rates of false edits are small, but
a sampler asks for them at every step: with base probabilities p_i of an edit at the tokens of clean code and linear
kappa, N Euler steps are expected to make (sum_i p_i) H_N edits, H_N = 1 + 1/2 + ... + 1/N. The column `predicted` is
that number, from the rates of the unchanged source; `spurious` is what was measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.machine import describe_machine
from benchmarks.report import print_facts, print_table, write_json
from benchmarks.sampler_cases import buggy_pairs, clean_pairs
from benchmarks.sampler_runs import (
    LOCALIZED_VARIANTS,
    PUBLISHED_VARIANTS,
    UNTIMED_VARIANTS,
    Model,
    Result,
    Variant,
    measure,
)
from editflow.device import choose_device
from editflow_trainer.evaluation.case import Settings
from editflow_trainer.evaluation.statistics import Rate

COLUMNS = (
    "model",
    "sampler",
    "steps",
    "exact (95 %)",
    "distance",
    "untouched (95 %)",
    "spurious",
    "predicted",
    "evaluations",
    "seconds",
)


def samplers(
    data: Annotated[Path, typer.Option(help="functions.jsonl, its folder, or a folder of packages.")],
    model: Annotated[str, typer.Option(metavar="NAME|PATH", help="Network without time.")] = "default",
    published: Annotated[Path | None, typer.Option(help="Checkpoint trained with the exact loss.")] = None,
    localized: Annotated[Path | None, typer.Option(help="Checkpoint trained on the localized path.")] = None,
    cases: Annotated[int, typer.Option(min=2, help="Functions with a bug, and as many without.")] = 40,
    timed_cases: Annotated[int, typer.Option(min=2, help="The same for networks with time.")] = 20,
    steps: Annotated[str, typer.Option(help="Steps of a run.")] = "4,8,16,32,64,100,300,1000",
    timed_steps: Annotated[str, typer.Option(help="The same for networks with time.")] = "4,8,16,32,64,100",
    seed: Annotated[int, typer.Option(help="Draws the cases and the noise.")] = 0,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to compute.")] = "cpu",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of torch.")] = 2,
    timed_only: Annotated[bool, typer.Option("--timed-only", help="Skip the network without time.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--json", metavar="FILE", help="Write all results; what it holds is not measured again."
        ),
    ] = None,
    plots: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Draw curves (needs matplotlib).")
    ] = None,
) -> None:
    """Measure samplers on functions with one visible bug, diagnostics given, and on clean ones."""
    torch.set_num_threads(threads)
    settings, processor = Settings(data, seed=seed), choose_device(device)
    work = [] if timed_only else [(model, UNTIMED_VARIANTS)]
    work += [(str(folder), PUBLISHED_VARIANTS) for folder in (published,) if folder is not None]
    work += [(str(folder), LOCALIZED_VARIANTS) for folder in (localized,) if folder is not None]
    facts: dict[str, object] = {"device": processor.type, "threads": threads, "seed": seed}
    facts |= {"cases": cases, "timed_cases": timed_cases, **describe_machine()}
    results = _kept(output)
    for name, variants in work:
        loaded = Model.load(name, processor)
        timed = loaded.backbone.time is not None
        counts = _numbers(timed_steps if timed else steps)
        done = {(r.model, r.sampler, r.steps) for r in results}
        wanted = {v: [n for n in counts if (loaded.name, v.name, n) not in done] for v in variants}
        for result in _measured(loaded, wanted, settings, timed_cases if timed else cases):
            results.append(result)
            if output is not None:  # after each, so that an interrupted run is not lost
                write_json(output, {**facts, "results": [r.as_json() for r in results]})
    print_facts(facts)
    print_table(COLUMNS, [cells(result) for result in results])
    if plots is not None:
        from benchmarks.plots import draw

        draw(results, plots)


def cells(result: Result) -> list[object]:
    """A row of the table."""
    return [
        result.model,
        result.sampler,
        result.steps,
        _shown(result.exact),
        result.distance,
        _shown(result.untouched),
        f"{result.spurious} ± {result.spurious_error}",
        "" if result.predicted is None else result.predicted,
        result.evaluations,
        result.seconds,
    ]


def _kept(output: Path | None) -> list[Result]:
    """The results of a run that was interrupted, or of another number of steps."""
    if output is None or not output.is_file():
        return []
    return [Result.from_json(values) for values in json.loads(output.read_text("utf-8"))["results"]]


def _measured(
    model: Model, wanted: Mapping[Variant, Sequence[int]], settings: Settings, cases: int
) -> Iterable[Result]:
    """Results by variant and number of steps; a terminal shows how far it is."""
    total = sum(map(len, wanted.values()))
    if not total:
        return []
    buggy = buggy_pairs(settings, model.tokenizer, cases)
    clean = clean_pairs(settings, model.tokenizer, cases)
    console = Console(stderr=True)
    results = (r for v, n in wanted.items() if n for r in measure(model, v, n, buggy, clean, settings.seed))
    return track(results, model.name, total, console=console, transient=True, disable=not console.is_terminal)


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a list of numbers such as 4,8,16") from error


def _shown(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.value:.0%} ({low * 100:.0f}-{high * 100:.0f})"


if __name__ == "__main__":
    typer.run(samplers)

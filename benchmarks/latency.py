"""Speed and memory of a checkpoint: one pass, the sampler's overhead, whole runs, and whole functions.

Run from the repository's root as `python -m benchmarks.latency`; README.md says what the columns mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, astuple, fields
from enum import StrEnum
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, TypeVar

import torch
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.function_fix import FunctionFixes, measure_functions
from benchmarks.machine import describe_machine
from benchmarks.passes import Job, PassTimes, measure
from benchmarks.report import print_facts, print_table, write_json
from benchmarks.samples import windows
from editflow.checkpoint import Checkpoint
from editflow.device import choose_device, computes_bfloat16

Result = TypeVar("Result")


class Precision(StrEnum):
    """`auto` is fp32, and bf16 too where the processor computes in it."""

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"


def latency(
    model: Annotated[str, typer.Option(metavar="NAME|PATH", help="Checkpoint to time.")] = "default",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to compute.")] = "auto",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of torch.")] = 2,
    precision: Annotated[
        Precision, typer.Option(help="auto: fp32, and bf16 where it is native.")
    ] = Precision.auto,
    lengths: Annotated[str, typer.Option(help="Tokens of a window.")] = "64,128,256,512,1024",
    batches: Annotated[str, typer.Option(help="Windows of a batch.")] = "1,4,16,32",
    count: Annotated[int, typer.Option("--windows", min=1, help="Windows run to the end.")] = 32,
    seconds: Annotated[float, typer.Option(help="Time spent on repeated passes, each configuration.")] = 3.0,
    output: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all results.")] = None,
) -> None:
    """Time a checkpoint on buggy code of the standard library."""
    checkpoint, processor = Checkpoint.open(model), choose_device(device)
    tokenizer, sizes = checkpoint.tokenizer(), _numbers(batches)
    jobs = [
        Job(model, device, threads, bfloat16, batch, rows, seconds)
        for length in _numbers(lengths)
        for rows in [tuple(windows(tokenizer, length, max(count, *sizes)))]
        for batch in sizes
        for bfloat16 in _precisions(precision, processor)
    ]
    gpu = torch.cuda.get_device_name(processor) if processor.type == "cuda" else "none"
    facts: dict[str, str | int] = {
        "model": checkpoint.name,
        "device": processor.type,
        "gpu": gpu,
        "threads": threads,
        **describe_machine(),
    }
    times = list(_timed(jobs))
    fixes = _in_fresh_process(measure_functions, model, device, threads)
    _print(facts, times, fixes)
    if output is not None:
        write_json(output, {**facts, "passes": [asdict(t) for t in times], "functions": asdict(fixes)})


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a list of numbers such as 64,128") from error


def _precisions(precision: Precision, device: torch.device) -> list[bool]:
    """Whether to compute in bfloat16: no, yes, or one after the other."""
    if precision is not Precision.auto:
        return [precision is Precision.bf16]
    return [False, True] if device.type == "cuda" or computes_bfloat16() else [False]


def _timed(jobs: list[Job]) -> Iterator[PassTimes]:
    """Results in order; a terminal shows how far it is."""
    console = Console(stderr=True)
    for job in track(jobs, "configurations", console=console, disable=not console.is_terminal):
        yield _in_fresh_process(measure, job)


def _in_fresh_process(function: Callable[..., Result], *arguments: object) -> Result:
    """What the function returns in a new Python."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _print(facts: dict[str, str | int], times: list[PassTimes], fixes: FunctionFixes) -> None:
    print_facts(facts)
    print_table([field.name for field in fields(PassTimes)], [astuple(row) for row in times])
    print_table([field.name for field in fields(FunctionFixes)], [astuple(fixes)])


if __name__ == "__main__":
    typer.run(latency)

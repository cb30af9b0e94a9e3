"""How long the command takes in a process of its own: `editflow --help`, and a fix that loads the model.

Run from the repository's root as `python -m benchmarks.startup`.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import typer

from benchmarks.machine import describe_machine
from benchmarks.report import print_facts, print_table, write_json

EXAMPLE = Path("examples", "buggy.py")
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class StartTimes:
    """Wall times of one command, in seconds, each run in a new process."""

    command: str
    runs: int
    first_s: float
    """May include reading from the disk what later runs find in the page cache."""
    median_s: float
    best_s: float


def startup(
    model: Annotated[str, typer.Option(metavar="NAME|PATH", help="Checkpoint to load.")] = "default",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to compute.")] = "auto",
    output: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all results.")] = None,
) -> None:
    """Time the start of the command."""
    facts: dict[str, str | int] = {"model": model, "device": device, **describe_machine()}
    times = [
        time_command(["--help"], runs=5),
        time_command(["fix", EXAMPLE.as_posix(), "--diff", "--model", model, "--device", device], runs=3),
    ]
    print_facts(facts)
    print_table([field.name for field in fields(StartTimes)], [astuple(row) for row in times])
    if output is not None:
        write_json(output, {**facts, "commands": [asdict(row) for row in times]})


def time_command(arguments: list[str], runs: int) -> StartTimes:
    """Run `editflow ARGUMENTS` in this Python; CalledProcessError if it fails, its reason on stderr."""
    seconds = [_seconds([sys.executable, "-m", "editflow", *arguments]) for _ in range(runs)]
    first, middle, best = (round(s, 3) for s in (seconds[0], median(seconds), min(seconds)))
    return StartTimes(" ".join(["editflow", *arguments]), runs, first, middle, best)


def _seconds(command: list[str]) -> float:
    start = perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - start


if __name__ == "__main__":
    typer.run(startup)

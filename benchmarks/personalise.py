"""What `editflow train` reaches on repositories that the default was not trained on: the default against its adapters.

Run from the repository's root as `python -m benchmarks.personalise REPO... --out FILE`; personalise.md says what the
columns mean. Every repository is trained on by the command itself, in folders that are thrown away. What FILE holds of
a repository is not measured again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.machine import describe_machine
from benchmarks.report import print_facts, print_table, write_json
from editflow_trainer.evaluation.report import shown_rate
from editflow_trainer.evaluation.statistics import Rate
from editflow_trainer.mining.repository import Repository

SHOWN = ("held_out", "first_guess", "clean", "told", "slips")
COMPLETED = (0, 1)  # exit codes: installed, and kept the default


def personalise(
    repositories: Annotated[list[Path], typer.Argument(help="Folders of git.")],
    out: Annotated[Path, typer.Option(help="JSON file of results; kept and added to.")],
    budget: Annotated[str, typer.Option(help="Of each training, for everything.")] = "10m",
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of each.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Trainings at a time.")] = 1,
) -> None:
    """Train on each repository, and print what the default and the adapter make of its newest commits."""
    known: dict[str, Any] = json.loads(out.read_text("utf-8")) if out.exists() else {}
    known |= describe_machine()
    results: dict[str, Any] = known.setdefault("repositories", {})
    left = {Repository.at(folder).name: folder for folder in repositories}
    left = {name: folder for name, folder in left.items() if name not in results}
    with ThreadPoolExecutor(jobs) as pool:
        going = {pool.submit(train, folder, budget, threads): name for name, folder in left.items()}
        for done in as_completed(going):
            results[going[done]] = done.result() | {"budget": budget, "jobs": jobs}
            write_json(out, known)
    print_facts({name: value for name, value in known.items() if name != "repositories"})
    print_table(*table(results))


def train(folder: Path, budget: str, threads: int) -> dict[str, Any]:
    """The command's own report on one repository, with the seconds that the command took."""
    with tempfile.TemporaryDirectory() as scratch:
        places = {name: f"{scratch}/{name}" for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME")}
        command = [sys.executable, "-m", "editflow", "train", "--repo", str(folder), "--json"]
        options = ["--budget", budget, "--threads", str(threads)]
        start = time.perf_counter()
        done = subprocess.run(
            [*command, *options], env=os.environ | places, stdout=subprocess.PIPE, text=True
        )
    if done.returncode not in COMPLETED:
        raise SystemExit(f"{folder}: editflow train ended with {done.returncode}")
    result: dict[str, Any] = json.loads(done.stdout)
    for key in ("folder", "report"):
        del result[key]
    del result["repository"]["folder"]
    return result | {"wall": round(time.perf_counter() - start, 1)}


def table(results: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Head and rows: one a repository, and one for all together."""
    head = ["repository", "edits", "exact", "with adapter", "first guess", "with adapter"]
    head += ["right code left alone", "with adapter", "asked in vain", "with adapter"]
    head += ["slips", "with adapter", "used", "budget", "steps", "minutes", "MB"]
    rows = []
    for name, result in results.items():
        sides = result["before"], result["after"]
        shares = [shown(side[key]) for key in SHOWN for side in sides]
        used = "yes" if result["installed"] else "no"
        last = [used, result["budget"], str(result["steps"])]
        last += [f"{result['wall'] / 60:.1f}", f"{result['memory_mb']:.0f}"]
        rows.append([name, str(sides[0]["held_out"]["cases"]), *shares, *last])
    return head, rows


def shown(rate: Mapping[str, Any]) -> str:
    """Per cent with the interval that the command gave."""
    return shown_rate(Rate(rate["hits"], rate["cases"], (rate["low"], rate["high"])))


if __name__ == "__main__":
    typer.run(personalise)

"""`editflow train --repos FILE`: trains on each repository of a list in a process of its own, some at a time.

Started by torchrun or SLURM, each process takes its part of the list. The trainings join nothing: they are not told
that they have a launcher.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from editflow.document import shown
from editflow.errors import EditFlowError
from editflow.patch import visible
from editflow_trainer.mining.settings import Settings
from editflow_trainer.personal.child import COMMAND, Child, Place, ended_by_signals, threads_of
from editflow_trainer.personal.options import Target
from editflow_trainer.personal.ranks import Rank, gpus
from editflow_trainer.personal.target import target_at
from editflow_trainer.personal.trainings import FAILED, Row, Say, Trainings
from editflow_trainer.personal.workspace import claimed, interrupted_head, private_folder, trained_head


def train_many(
    file: Path,
    arguments: Sequence[str],
    *,
    jobs: int = 1,
    resume: bool = False,
    ray: Settings | None = None,
    say: Say,
    command: Sequence[str] = COMMAND,
) -> list[Row]:
    """Train on each repository that the file names, `jobs` at a time; the rows are in the file's order.

    `arguments` are those of each training, as they would be typed. With `ray`, what of their histories these settings
    ask for is mined on a Ray cluster first. With `resume`, interrupted trainings go on, and what was trained at the
    same commit is passed over.

    Raises:
        EditFlowError: the file cannot be read or names nothing, or Ray is not installed.
    """
    rank = Rank.of(os.environ)
    entries = _without_twins([_target(folder) for folder in rank.share(read_folders(file))])
    if resume:
        entries = [_unless_trained(entry) for entry in entries]
    targets = [entry for entry in entries if isinstance(entry, Target)]
    if ray is not None:
        _mine_on_ray(targets, ray, say)
    cards = gpus() if jobs * rank.world > 1 else []
    threads = threads_of(jobs * rank.beside, os.environ)

    def start(target: Target, slot: int) -> Child:
        own = rank.local * jobs + slot
        place = Place(threads, cards[own % len(cards)] if cards else None)
        going_on = resume and interrupted_head(target.root) == target.head
        options = [*arguments, *(["--resume"] if going_on else [])]
        return Child.start(target.folder, options, private_folder(target.root), place, command)

    with ended_by_signals() as stop:
        rows = Trainings(start, jobs, say).run(targets, stop)
    return [rows[entry.root] if isinstance(entry, Target) else entry for entry in entries]


def read_folders(file: Path) -> list[Path]:
    """The folders that a file names, one a line, relative to the file; a line that begins with "#" is a comment.

    Raises:
        EditFlowError: it cannot be read, or names none.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EditFlowError(f"{shown(file)} cannot be read ({error}): give a file of folders") from error
    named = [line.strip() for line in lines if not line.lstrip().startswith("#")]
    folders = [file.parent / name for name in dict.fromkeys(named) if name]
    if not folders:
        raise EditFlowError(f"{shown(file)} names no folder: write that of one repository a line")
    return folders


def print_rows(rows: Sequence[Row], console: Console) -> None:
    """A line for each repository, with the shares before and after."""
    table = Table("repository", "held-out edits, exact", "right functions left alone", "seconds", "")
    for row in rows:
        rates = [_compared(row.result, name) for name in ("held_out", "clean")]
        cells = (row.name, *rates, f"{row.seconds:.0f}" if row.seconds else "", row.said)
        table.add_row(*(Text(visible(cell)) for cell in cells))
    console.print(table)


def exit_code(rows: Sequence[Row]) -> int:
    """0, FAILED or INTERRUPTED, the worst of all; a failure is 0 under torchrun, which would end the other ranks."""
    code = max((row.code for row in rows), default=0)
    return 0 if code == FAILED and Rank.of(os.environ).elastic else code


def _target(folder: Path) -> Target | Row:
    try:
        return target_at(folder)
    except EditFlowError as error:
        return Row(shown(folder), str(error), FAILED)


def _without_twins(entries: Sequence[Target | Row]) -> list[Target | Row]:
    """Clones of one repository would train one adapter; the first does."""
    first: dict[str, Target] = {}
    found: list[Target | Row] = []
    for entry in entries:
        if isinstance(entry, Target) and (twin := first.setdefault(entry.root, entry)) is not entry:
            entry = Row(entry.name, f"has the history of {shown(twin.folder)}, which is trained on", FAILED)
        found.append(entry)
    return found


def _unless_trained(entry: Target | Row) -> Target | Row:
    if isinstance(entry, Target) and trained_head(entry.root) == entry.head:
        return Row(entry.name, "trained before at the same commit")
    return entry


def _mine_on_ray(targets: Sequence[Target], settings: Settings, say: Say) -> None:
    """Mine what is not mined yet into the folders that the trainings will look into."""
    from editflow_trainer.mining.cluster import run_jobs_on_ray
    from editflow_trainer.mining.miner import mine_each
    from editflow_trainer.mining.repository import Repository
    from editflow_trainer.personal.material import clear_unlike

    with ExitStack() as claims:
        places: list[tuple[Repository, Path]] = []
        for target in targets:
            try:
                space = claims.enter_context(claimed(target.root))
            except EditFlowError as error:
                say(f"{target.name}: not mined: {error}")
                continue
            clear_unlike(space.mined, settings, target.name)
            places.append((Repository(target.name, target.folder), space.mined))
        mine_each(places, settings, workers=os.cpu_count() or 1, engine=run_jobs_on_ray, say=say)


def _compared(result: Mapping[str, Any] | None, name: str) -> str:
    """Hits of cases, before and after."""
    if result is None:
        return ""
    before, after = result["before"][name], result["after"][name]
    return f"{before['hits']} -> {after['hits']} of {after['cases']}"

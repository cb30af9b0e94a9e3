"""What a repository gives to learn from: its mined edits split by time, and its own code as of the trained commits."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyarrow import ArrowException

from editflow.errors import EditFlowError
from editflow.tokens import CodeTokenizer
from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.mining.exclusion import Exclusion
from editflow_trainer.mining.miner import mine_all
from editflow_trainer.mining.repository import Repository
from editflow_trainer.mining.settings import Settings
from editflow_trainer.mining.store import Entry, Store
from editflow_trainer.personal.cases import Cases, Most, draw_cases
from editflow_trainer.personal.code import functions_at
from editflow_trainer.personal.feedback import Feedback
from editflow_trainer.personal.lessons import conventional, lessons
from editflow_trainer.personal.options import Target
from editflow_trainer.personal.prepare import RENAMES, REPLAYED, Lessons, draw_functions
from editflow_trainer.personal.renames import renames
from editflow_trainer.personal.replay import replayed
from editflow_trainer.personal.split import LEAST_COMMITS, Split, split_by_time

LEAST_CASES = 5
"""Held-out edits without which nothing can be proven."""
TUNING = Most(edits=80, clean=80, told=30, slips=40)
SUFFICIENT_RENAMES = 100
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Gathered:
    """All of it."""

    entry: Entry
    """What mining counted."""
    split: Split
    lessons: Lessons
    tuning: Cases
    held_out: Cases
    feedback: Feedback
    conventional: float
    """How far what was done lately repeats what had been done before (see editflow_trainer.personal.lessons)."""


def mine(target: Target, folder: Path, settings: Settings, say: Say) -> tuple[Entry, Split]:
    """Mine a repository's history, unless that was done at the same commit, and split it by time.

    Raises:
        EditFlowError: it cannot be mined, or holds too little to learn from and to prove it.
    """
    repository = Repository(target.name, target.folder)
    clear_unlike(folder, settings, target.name)
    try:
        entry, edits = _mined(repository, folder, settings, say)
    except (ArrowException, FileNotFoundError):  # its tables are damaged
        shutil.rmtree(folder)
        entry, edits = _mined(repository, folder, settings, say)
    split = split_by_time(edits)
    if split is None:
        raise EditFlowError(
            f"{target.name} has {entry.commits.seen} commits with {entry.levels['function']} edits of functions that "
            f"can be learned from, in fewer than {LEAST_COMMITS} commits: too little to learn from and prove it"
        )
    return entry, split


def clear_unlike(folder: Path, settings: Settings, name: str) -> None:
    """Remove what was mined with other settings, from a clone of another name, or is damaged; it can be mined again.

    Two clones cannot share a folder: what the first one has counts as known in the second.
    """
    try:
        alike = not Store(folder, settings.as_json(Exclusion().fingerprint)).entries.keys() - {name}
    except EditFlowError:
        alike = False
    if not alike:
        shutil.rmtree(folder)


def _mined(
    repository: Repository, folder: Path, settings: Settings, say: Say
) -> tuple[Entry, tuple[MinedEdit, ...]]:
    """What mining counted, and found."""
    run = mine_all([repository], folder, settings, say=say)
    if run.failures:
        raise EditFlowError(run.failures[0].why)
    store: Store = run.store
    return store.entries[repository.name], tuple(store.edits(repository.name))


def gather(
    target: Target, entry: Entry, split: Split, feedback: Feedback, tokenizer: CodeTokenizer, seed: int
) -> Gathered:
    """Cases and lessons; no text of a right function that judges is trained on.

    Raises:
        EditFlowError: too few held-out edits fit into a window.
    """
    held_out = draw_cases(split.held_out, target.folder, tokenizer, Most(), seed)
    tuning = draw_cases(split.tuning, target.folder, tokenizer, TUNING, seed)
    if len(held_out.edits) < LEAST_CASES:
        raise EditFlowError(
            f"only {len(held_out.edits)} of the newest edits of {target.name} fit into a window: nothing can be proven"
        )
    functions = draw_functions(list(functions_at(target.folder, split.newest_trained, target.name)), seed)
    real = lessons(split.train)
    count = min(RENAMES, max(SUFFICIENT_RENAMES, len(real) // 2))
    made = list(renames(functions, count, seed))
    right = [*functions, *feedback.right]
    habit = conventional(split.train, split.tuning)
    # Conventions are about the repository's own code, right code that looks like a wrong one above all.
    found = Lessons([*feedback.edits, *real], made, right, replayed(round((1 - habit) * REPLAYED), seed))
    # Where dates are askew, after a rebase, even an older tree may hold what a held-out commit made.
    made_later = {edit.after for edit in (*split.held_out, *split.tuning)}
    taught = found.without(held_out.unseen | tuning.unseen | made_later)
    return Gathered(entry, split, taught, tuning, held_out, feedback, habit)

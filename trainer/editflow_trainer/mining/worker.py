"""Mining one repository: from its history to a file of candidates, which only lacks the search for duplicates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from editflow.diagnostics import check_python
from editflow_trainer.fix_kinds import FixKind, classify
from editflow_trainer.mining.blobs import Blobs
from editflow_trainer.mining.edits import Level, MinedEdit, extract
from editflow_trainer.mining.exclusion import Exclusion
from editflow_trainer.mining.filters import commit_reason, dedented, edit_reason, path_reason, text_reason
from editflow_trainer.mining.git import head_commit, is_shallow
from editflow_trainer.mining.history import Commit, FileChange, read_history
from editflow_trainer.mining.languages import language_of
from editflow_trainer.mining.licence import Licence, find_licence
from editflow_trainer.mining.message import says_fix
from editflow_trainer.mining.parquet import write_candidates
from editflow_trainer.mining.reasons import Reason, Stage
from editflow_trainer.mining.repository import Repository
from editflow_trainer.mining.settings import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """One repository and where its candidates go."""

    repository: Repository
    settings: Settings
    exclude: tuple[Path, ...]
    out: Path


@dataclass(slots=True)
class Stages:
    """Counts of all candidates: commits, the files they modified, the edits in these."""

    commits: Stage = field(default_factory=Stage)
    files: Stage = field(default_factory=Stage)
    edits: Stage = field(default_factory=Stage)


@dataclass(frozen=True, slots=True)
class Mined:
    """What became of a job."""

    head: str
    shallow: bool
    licence: Licence
    stages: Stages
    seconds: float


def mine_repository(job: Job) -> Mined:
    """Write a repository's candidates; runs in a process of its own.

    Raises:
        EditFlowError: there is no history to read.
    """
    start, folder, stages = time.perf_counter(), job.repository.folder, Stages()
    head, exclusion = head_commit(folder), _exclusion(job.exclude)
    with Blobs(folder) as blobs:
        write_candidates(job.out, _edits(job, blobs, stages, exclusion))
        licence = find_licence(folder, head, blobs)
    return Mined(head, is_shallow(folder), licence, stages, time.perf_counter() - start)


@lru_cache(maxsize=1)
def _exclusion(folders: tuple[Path, ...]) -> Exclusion:
    return Exclusion(folders)


def _edits(job: Job, blobs: Blobs, stages: Stages, exclusion: Exclusion) -> Iterator[MinedEdit]:
    settings = job.settings
    commits = read_history(
        job.repository.folder,
        since=settings.since,
        limit=settings.limit,
        paths=settings.paths,
        author=settings.author,
    )
    for commit in commits:
        if settings.enough and stages.edits.kept >= settings.enough:
            break
        if not stages.commits.passes(commit_reason(commit)):
            continue
        for change, texts in _texts(commit, blobs, stages.files):
            language = language_of(change.path) or ""
            for edit in extract(job.repository.name, commit, change, *texts, language):
                reason = edit_reason(edit)
                if reason is None and exclusion.covers(edit):
                    reason = Reason.evaluation
                if stages.edits.passes(reason):
                    yield _completed(edit, commit, texts[0], settings)


def _texts(commit: Commit, blobs: Blobs, files: Stage) -> Iterator[tuple[FileChange, tuple[str, str]]]:
    """The changes whose texts before and after are worth cutting into edits."""
    named = [(change, path_reason(change.path)) for change in commit.changes]
    wanted = [change for change, reason in named if reason is None]
    found = iter(blobs.read([name for change in wanted for name in (change.old, change.new)]))
    for change, reason in named:
        if reason is not None:
            files.passes(reason)
            continue
        old, new = next(found), next(found)
        if isinstance(old, Reason) or isinstance(new, Reason):
            files.passes(old if isinstance(old, Reason) else Reason(new))
        elif files.passes(text_reason(old, new, language_of(change.path) or "")):
            yield change, (old, new)


def _completed(edit: MinedEdit, commit: Commit, file: str, settings: Settings) -> MinedEdit:
    python = edit.language == "python"
    if python and edit.level is Level.function and says_fix(commit.subject):
        edit = replace(edit, kind=kind_of(edit))
    if python and settings.diagnostics:
        edit = replace(edit, diagnostics=_complaints(edit, file))
    return edit


def kind_of(edit: MinedEdit) -> FixKind:
    """The kind of a fix of a Python function."""
    return classify(dedented(edit.before), dedented(edit.after))


def _complaints(edit: MinedEdit, file: str) -> int:
    """How many complaints about the old file lie in the edit's lines."""
    last = edit.line + edit.before.count("\n") - 1
    return sum(edit.line <= line <= last for line in _complaint_lines(file))


@lru_cache(maxsize=8)
def _complaint_lines(file: str) -> tuple[int, ...]:
    """The lines (1-based) of a file's syntax error or undefined names."""
    return tuple(file.count("\n", 0, found.start) + 1 for found in check_python(file))

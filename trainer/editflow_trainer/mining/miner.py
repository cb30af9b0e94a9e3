"""Mining repositories into a store: each is read by a job of its own, then its edits are searched for duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from editflow.errors import EditFlowError
from editflow_trainer.mining.dedup import Fingerprint, Seen
from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.mining.exclusion import Exclusion
from editflow_trainer.mining.git import head_commit
from editflow_trainer.mining.parquet import read_candidates
from editflow_trainer.mining.pool import Failure, Result, run_jobs
from editflow_trainer.mining.reasons import Stage
from editflow_trainer.mining.repository import Repository
from editflow_trainer.mining.settings import Settings
from editflow_trainer.mining.store import Entry, Store
from editflow_trainer.mining.worker import Job, Mined

Engine = Callable[[Sequence[Job], int], Iterator[Result]]


@dataclass(frozen=True, slots=True)
class Run:
    """What one call of the miner did."""

    store: Store
    mined: tuple[str, ...]
    kept: tuple[str, ...]  # mined before, at the same commit
    failures: tuple[Failure, ...]


def mine_all(
    repositories: Sequence[Repository],
    folder: Path,
    settings: Settings,
    *,
    exclude: Sequence[Path] = (),
    workers: int = 1,
    engine: Engine = run_jobs,
    say: Callable[[str], object] = lambda line: None,
) -> Run:
    """Mine what the folder does not hold yet; repositories that fail are reported and leave nothing behind.

    Raises:
        EditFlowError: two repositories share a name, or the folder was mined with other settings.
    """
    if len({repository.name for repository in repositories}) < len(repositories):
        raise EditFlowError("two of the repositories have one name; give each only once")
    store = Store(folder, settings.as_json(Exclusion(exclude).fingerprint))
    kept = tuple(repository.name for repository in repositories if _is_done(repository, store))
    jobs = [
        Job(repository, settings, tuple(exclude), store.candidates(repository.file_stem))
        for repository in repositories
        if repository.name not in kept
    ]
    seen = _seen(store, {job.repository.name for job in jobs})
    mined: list[str] = []
    failures: list[Failure] = []
    for job, result in engine(jobs, workers):
        if isinstance(result, Failure):
            failures.append(result)
            say(f"{result.repository}: failed: {result.why}")
        else:
            _add(store, job, result, seen)
            mined.append(job.repository.name)
            say(_line(job.repository.name, store.entries[job.repository.name]))
    return Run(store, tuple(mined), kept, tuple(failures))


def mine_each(
    places: Sequence[tuple[Repository, Path]],
    settings: Settings,
    *,
    workers: int = 1,
    engine: Engine = run_jobs,
    say: Callable[[str], object] = lambda line: None,
) -> None:
    """Mine each repository into a folder of its own, as `mine_all` would one by one, with one call of the engine.

    What is done is kept, and what fails is said and leaves nothing behind.

    Raises:
        EditFlowError: a folder was mined with other settings, or is damaged.
    """
    opened = [(one, Store(folder, settings.as_json(Exclusion().fingerprint))) for one, folder in places]
    left = [(one, store) for one, store in opened if not _is_done(one, store)]
    jobs = [Job(one, settings, (), store.candidates(one.file_stem)) for one, store in left]
    for (one, store), (job, result) in zip(left, engine(jobs, workers), strict=True):
        if isinstance(result, Failure):
            say(f"{one.name}: failed: {result.why}")
        else:
            _add(store, job, result, Seen())
            say(_line(one.name, store.entries[one.name]))


def _is_done(repository: Repository, store: Store) -> bool:
    entry = store.entries.get(repository.name)
    return entry is not None and entry.head == head_commit(repository.folder)


def _seen(store: Store, changing: set[str]) -> Seen:
    """The edits of the store, but for the repositories that are mined anew."""
    seen = Seen()
    for name in store.entries.keys() - changing:
        for edit in store.edits(name):
            seen.reason(Fingerprint.of(edit))
    return seen


def _add(store: Store, job: Job, mined: Mined, seen: Seen) -> None:
    stages = mined.stages
    entry = Entry(
        head=mined.head,
        shallow=mined.shallow,
        licence=mined.licence,
        mined=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=mined.seconds,
        commits=stages.commits,
        files=stages.files,
        edits=stages.edits,
    )
    new = _new(job.out, seen, stages.edits)
    store.add(job.repository.name, job.repository.file_stem, entry, new)


def _new(candidates: Path, seen: Seen, counts: Stage) -> Iterator[MinedEdit]:
    """The candidates that were not met before; the others are counted as dropped."""
    for edit, fingerprint in read_candidates(candidates):
        reason = seen.reason(fingerprint)
        if reason is None:
            yield edit
        else:
            counts.dropped[reason] += 1


def _line(name: str, entry: Entry) -> str:
    rate = entry.commits.seen / max(entry.seconds, 1e-3)
    return f"{name}: {entry.edits.kept} edits of {entry.commits.seen} commits, {rate:.0f} commits/s"

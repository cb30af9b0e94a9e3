"""Running the jobs: in this process, or in one process each at a time; a job that fails does not end the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

from editflow.errors import EditFlowError
from editflow_trainer.mining.worker import Job, Mined, mine_repository


@dataclass(frozen=True, slots=True)
class Failure:
    """A repository that could not be mined, and why."""

    repository: str
    why: str


Result = tuple[Job, Mined | Failure]


def run_jobs(jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Yields the results in the order of the jobs, whatever the number of processes."""
    if min(workers, len(jobs)) <= 1:
        yield from ((job, mine_or_fail(job)) for job in jobs)
    else:
        yield from _in_pool(jobs, workers)


def failure(job: Job, error: Exception) -> Failure:
    """The error on one line, with its type where it is none of ours."""
    what = str(error) if isinstance(error, EditFlowError) else f"{type(error).__name__}: {error}"
    return Failure(job.repository.name, " ".join(what.split()))


def mine_or_fail(job: Job) -> Mined | Failure:
    """Run one job in this process."""
    try:
        return mine_repository(job)
    except Exception as error:  # whatever one repository holds, the others go on
        return failure(job, error)


def _in_pool(jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    with _executor(workers) as pool:
        futures = [pool.submit(mine_or_fail, job) for job in jobs]
        for job, future in zip(jobs, futures, strict=True):
            try:
                result = future.result()
            except BrokenProcessPool:  # some job's process died and took the pool along
                result = _alone(job)
            yield job, result


def _alone(job: Job) -> Mined | Failure:
    with _executor(1) as pool:
        try:
            return pool.submit(mine_or_fail, job).result()
        except BrokenProcessPool:
            return Failure(job.repository.name, "its process died, perhaps for lack of memory")


def _executor(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))

"""Running the jobs on a Ray cluster: the same function as in the pool, for corpora that outgrow one machine.

All machines must see the repositories and the output under the same paths. Without a cluster, Ray starts one here.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence

from editflow.errors import EditFlowError
from editflow_trainer.mining.pool import Result, failure, mine_or_fail
from editflow_trainer.mining.worker import Job


def run_jobs_on_ray(jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Yields the results in the order of the jobs; `workers` is the number of CPUs of a cluster started here.

    Raises:
        EditFlowError: Ray is not installed.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise EditFlowError("--engine ray needs Ray; run pip install 'editflow[train,ray]'") from error
    started = not ray.is_initialized()
    if started:
        _start(workers)
    try:
        task = ray.remote(num_cpus=1, max_retries=1)(mine_or_fail)
        results = [task.remote(job) for job in jobs]
        for job, result in zip(jobs, results, strict=True):
            try:
                yield job, ray.get(result)
            except ray.exceptions.RayError as error:
                yield job, failure(job, error)
    finally:
        if started:
            ray.shutdown()


def _start(workers: int) -> None:
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no reports to Ray's makers unless asked for
    try:
        ray.init(address="auto", logging_level=logging.ERROR, log_to_driver=False)
    except ConnectionError:  # no cluster to join
        ray.init(num_cpus=workers, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)

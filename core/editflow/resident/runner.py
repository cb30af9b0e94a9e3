"""The engine's one thread: it makes a pass of one job after another, connections taking turns."""

from collections.abc import Callable, Hashable
from dataclasses import replace
from threading import Condition, Thread

from editflow.resident.fair import FairQueue
from editflow.resident.job import Job, Load
from editflow.resident.keeper import Keeper, is_out_of_memory
from editflow.resident.log import log_failure, readable
from editflow.resident.status import EngineStatus, StatusKind

OUT_OF_MEMORY = "out of memory, even in small batches: fix fewer lines at a time"


class Runner(Thread):
    """Runs jobs; its methods may be called from any thread, and it calls back from its own or the caller's."""

    def __init__(
        self,
        load: Load,
        device: str,
        on_status: Callable[[EngineStatus], None],
        *,
        unload_after: float,
    ) -> None:
        """`unload_after`: seconds without jobs after which the model is dropped."""
        super().__init__(name="editflow-engine", daemon=True)
        self._on_status, self._unload_after = on_status, unload_after
        self._keeper = Keeper(load, device, self._publish)
        self._changed = Condition()
        self._queue: FairQueue[Hashable, Job] = FairQueue()
        self._at_work: Job | None = None
        self._stopping = False

    def submit(self, owner: Hashable, job: Job) -> None:
        """Queue a job behind its owner's others."""
        with self._changed:
            self._queue.add(owner, job)
            self._publish()
            self._changed.notify()

    def cancel(self, owner: Hashable, job: Job) -> None:
        """End a job: at once if it waits, after its pass if it is at work, and not at all if it is over."""
        with self._changed:
            job.cancelled = True
            if job is not self._at_work and job in self._queue:
                self._remove(owner, job)
                job.end()

    def stop(self) -> None:
        """End the thread after the pass at work; jobs are left as they are."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def run(self) -> None:
        """Make passes until stopped."""
        while turn := self._next():
            owner, job = turn
            goes_on = self._pass(job)
            with self._changed:
                self._at_work = None
                if goes_on and job.cancelled:
                    job.end()
                if not goes_on or job.cancelled:
                    self._remove(owner, job)

    def _next(self) -> tuple[Hashable, Job] | None:
        """The job whose turn it is, as soon as there is one; None when stopped."""
        with self._changed:
            while not self._stopping:
                if turn := self._queue.turn():
                    return turn
                if not self._changed.wait(self._unload_after if self._keeper.loaded else None):
                    self._keeper.unload()
        return None

    def _pass(self, job: Job) -> bool:
        """Make one pass, loading the model if need be; whether the job goes on."""
        try:
            self._keeper.model()  # may take seconds, in which a cancelled job ends at once
            return self._begin(job) and job.advance(self._keeper.model)
        except Exception as error:
            if not is_out_of_memory(error):
                log_failure("a job", error)
                job.end(readable(error))
                return False
        # Only here is the traceback gone, and with it the tensors that its frames held.
        return self._retreat(job)

    def _begin(self, job: Job) -> bool:
        """Put a job to work, unless it was cancelled."""
        with self._changed:
            self._at_work = None if job.cancelled else job
            return not job.cancelled

    def _retreat(self, job: Job) -> bool:
        """Make do with less memory: all jobs begin again, for what they hold is part of what ran out."""
        with self._changed:
            for started in self._queue:
                started.restart()
        if self._keeper.retreat():
            return True
        job.end(OUT_OF_MEMORY)
        return False

    def _remove(self, owner: Hashable, job: Job) -> None:
        self._queue.remove(owner, job)
        self._publish()

    def _publish(self) -> None:
        """Tell the status, in order: the lock is held meanwhile."""
        with self._changed:
            known, queue = self._keeper.status, sum(job.number is not None for job in self._queue)
            works = queue > 0 and known.kind in (StatusKind.ready, StatusKind.warning)
            self._on_status(replace(known, kind=StatusKind.busy if works else known.kind, queue=queue))

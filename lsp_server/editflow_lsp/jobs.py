"""Fixes under way: each follows its document's changes until it ends, once, in one of five ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

from editflow.pieces import TextEdit
from editflow.step import Step
from editflow_lsp.buffer import Buffer, Change
from editflow_lsp.messages import FixParams, JobStatus
from editflow_lsp.rebase import Placed, rebase

RequestId = str | int
CHANGED = "the document was changed where the fix was at work"
CLOSED = "the document was closed"
SUPERSEDED = "a newer fix of this document was asked for"
ASKED = "cancelled"


class Cancellable(Protocol):
    """What computes a job."""

    def cancel(self) -> None:
        """Stop before the next pass."""


@dataclass(eq=False)
class Job:
    """One fix of one document; it has ended when `status` is set, and nothing sets it again."""

    params: FixParams
    request_id: RequestId | None = None
    version: int = field(init=False)
    """The document's version that window and edits are valid for now."""
    window: tuple[int, int] = (0, 0)
    """What may be edited, in characters of the document as it is now."""
    computed_by: Cancellable | None = None
    latest: Step | None = None
    model: str | None = None
    """Which model made the latest step."""
    status: JobStatus | None = None
    reason: str | None = None
    cancel_ms: float | None = None
    by_request: bool = False
    """It was cancelled by cancelling its request."""
    origin: int = 0
    """Where the window began at the start."""
    _started: float = field(default_factory=perf_counter)
    _ended: float | None = None

    def __post_init__(self) -> None:
        self.version = self.params.text_document.version

    @property
    def id(self) -> str:
        """The client's name for it."""
        return self.params.job_id

    @property
    def uri(self) -> str:
        """Of its document."""
        return self.params.text_document.uri

    @property
    def elapsed_ms(self) -> float:
        """Since it was asked for."""
        return 1000 * (perf_counter() - self._started)

    def place(self, window: tuple[int, int]) -> None:
        """Say what may be edited, once."""
        self.window, self.origin = window, window[0]

    def compute(self, by: Cancellable) -> None:
        """Say who computes it."""
        self.computed_by = by

    def end(self, status: JobStatus, reason: str | None = None) -> bool:
        """End it unless it has ended; whether this was its end. Its computation is told to stop."""
        if self.status is not None:
            return False
        self.status, self.reason, self._ended = status, reason, perf_counter()
        if self.computed_by is not None and status is not JobStatus.done:
            self.computed_by.cancel()
        return True

    def stopped(self) -> None:
        """Note that its computation has stopped after a cancellation."""
        if self.status in (JobStatus.cancelled, JobStatus.stale) and self._ended is not None:
            self.cancel_ms = 1000 * (perf_counter() - self._ended)

    def follow(self, version: int, changes: Sequence[Change]) -> None:
        """Move with the document's changes, or end as stale where they touch the window."""
        for change in changes:
            moved = rebase(Placed(self.window, ()), change)
            if moved is None:
                self.end(JobStatus.stale, CHANGED)
                return
            self.window = moved.window
        self.version = version

    def edits(self) -> list[TextEdit]:
        """The latest step's edits, in characters of the document as it is now."""
        shift = self.window[0] - self.origin
        return [(start + shift, end + shift, new, sure) for start, end, new, sure in self.original_edits()]

    def original_edits(self) -> list[TextEdit]:
        """The latest step's edits, in characters of the document as it was at the start."""
        hunks = self.latest.proposal.hunks if self.latest else ()
        return [(hunk.start, hunk.end, hunk.new, hunk.confidence) for hunk in hunks]


class Jobs:
    """The jobs of one connection that have not ended; at most one a document."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def add(self, job: Job) -> None:
        """Take a job in; the one of the same document, or of the same id, is cancelled."""
        for other in self:
            if other.uri == job.uri or other.id == job.id:
                self._end(other, JobStatus.cancelled, SUPERSEDED)
        self._jobs[job.id] = job

    def remove(self, job: Job) -> None:
        """Forget a job: nothing that happens from now on changes how it ends."""
        if self._jobs.get(job.id) is job:
            del self._jobs[job.id]

    def cancel(self, job_id: str, reason: str = ASKED) -> bool:
        """Cancel by id; whether there was such a job."""
        job = self._jobs.get(job_id)
        return job is not None and self._end(job, JobStatus.cancelled, reason)

    def cancel_request(self, request_id: RequestId) -> None:
        """Cancel the job of a request."""
        for job in self:
            if job.request_id == request_id:
                job.by_request = self._end(job, JobStatus.cancelled, ASKED)

    def cancel_all(self, reason: str) -> None:
        """Cancel everything."""
        for job in self:
            self._end(job, JobStatus.cancelled, reason)

    def follow(self, buffer: Buffer, changes: Sequence[Change]) -> None:
        """A document has changed, or only its version."""
        for job in self:
            if job.uri == buffer.uri:
                job.follow(buffer.version or 0, changes)
                self._forget_ended(job)

    def close(self, uri: str) -> None:
        """A document was closed or renamed."""
        for job in self:
            if job.uri == uri:
                self._end(job, JobStatus.stale, CLOSED)

    def _end(self, job: Job, status: JobStatus, reason: str) -> bool:
        ended = job.end(status, reason)
        self._forget_ended(job)
        return ended

    def _forget_ended(self, job: Job) -> None:
        if job.status is not None:
            self.remove(job)

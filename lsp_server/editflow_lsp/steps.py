"""The stream of a job: steps at the pace and size that docs/protocol.md allows, and the end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from editflow.pieces import TextEdit
from editflow_lsp.buffer import Buffer
from editflow_lsp.hunks import HunkNames
from editflow_lsp.jobs import Job
from editflow_lsp.messages import (
    END,
    STEP,
    EndMessage,
    Hunk,
    HunkState,
    JobStatus,
    StepMessage,
    VersionedDocument,
)
from editflow_lsp.pacing import Pacer
from editflow_lsp.payload import payload
from editflow_lsp.peer import Peer

MAX_MESSAGE = 32 * 1024
"""Bytes of a step, as JSON."""
ENVELOPE = 256
"""Bytes of it that the method's name and the JSON-RPC members take at most."""


class StepStream:
    """What is sent while a job runs; says nothing of steps to a client that does not stream."""

    def __init__(self, job: Job, buffer: Buffer, peer: Peer, *, hz: float, streams: bool) -> None:
        self._job, self._buffer, self._peer, self._streams = job, buffer, peer, streams
        self._names = HunkNames()
        self._seq = 0
        self._pacer: Pacer[None] = Pacer(hz, self._send)

    def show(self) -> None:
        """Send the job's latest step, now or when its turn has come."""
        ids = self._names.name(self._job.original_edits())
        self._ids = ids
        if self._streams:
            self._pacer.offer(None)

    def end(self) -> None:
        """Send what is left of the steps of a job that is done, and the end."""
        if not self._streams:
            return
        job = self._job
        if job.status is JobStatus.done:
            self._pacer.flush()
        else:
            self._pacer.drop()
            self._peer.discard(job.id)
        index = job.latest.index if job.latest else 0
        end = EndMessage(
            job.id, job.status or JobStatus.error, index, job.elapsed_ms, job.reason, job.cancel_ms
        )
        self._peer.notify(END, payload(end))

    def hunks(self) -> tuple[Hunk, ...]:
        """The latest step's hunks, placed in the document as it is now."""
        if self._job.latest is None:
            return ()
        state = HunkState.settled if self._job.latest.done else HunkState.draft
        edits: Sequence[TextEdit] = self._job.edits()
        index = self._buffer.index
        return tuple(
            Hunk(name, index.range(start, end), new, state, sure)
            for name, (start, end, new, sure) in zip(self._ids, edits, strict=True)
        )

    def _send(self, _: None) -> None:
        job, step = self._job, self._job.latest
        if step is None or (job.status is not None and job.status is not JobStatus.done):
            return
        self._seq += 1
        document = VersionedDocument(job.uri, job.version)
        window = self._buffer.index.range(*job.window)
        total = step.total or None
        message = StepMessage(job.id, self._seq, step.index, total, document, self.hunks(), window)
        self._peer.replace(job.id, STEP, _fitted(message))


def _fitted(message: StepMessage) -> dict[str, object]:
    """The message as JSON, with as many hunks as its size allows."""
    while True:
        written = payload(message)
        if len(json.dumps(written)) <= MAX_MESSAGE - ENVELOPE or not message.hunks:
            return written
        message = replace(message, hunks=message.hunks[: len(message.hunks) // 2], truncated=True)

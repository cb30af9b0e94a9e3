"""One editor's fixes from request to answer, whatever the editor does meanwhile.

The session owns jobs and knows neither JSON-RPC nor the model: a `Peer` speaks to the editor, a `Model` computes. All
of it runs on one event loop, so between two awaits nothing changes; after each of them the job is asked whether it
still stands, and what is applied is decided in the same instant as it is sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lsprotocol.types import MessageType, WorkspaceEdit
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcRequestCancelled

from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.request import Request
from editflow.step import Step
from editflow_lsp.applying import Applying, Withdrawn
from editflow_lsp.buffer import Buffer, Change
from editflow_lsp.client import ClientFeatures
from editflow_lsp.edits import edited_text, workspace_edit
from editflow_lsp.jobs import Job, Jobs, RequestId
from editflow_lsp.messages import FixParams, FixResult, JobStatus, Mode, VersionedDocument
from editflow_lsp.peer import Peer
from editflow_lsp.progress import Progress
from editflow_lsp.request import request_of
from editflow_lsp.rules import Rules
from editflow_lsp.settings import Settings
from editflow_lsp.steps import StepStream
from editflow_lsp.target import Target, target_of
from editflow_lsp.workspace import Workspace

LABEL = "Fix with Edit Flow"
STOPPED = "the engine stopped before it had finished"


class Fixing(Protocol):
    """A fix that is being computed."""

    @property
    def model(self) -> str | None:
        """Which model answers, with its adapter; None before the first step."""

    def __aiter__(self) -> AsyncIterator[Step]:
        """The steps; the last one is done, unless it was cancelled. EditFlowError where it fails."""

    def cancel(self) -> None:
        """Stop before the next pass."""


class Model(Protocol):
    """What computes fixes."""

    def start(self, request: Request, adapter: Path | None = None) -> Fixing:
        """Begin a fix, with the adapter in a folder if one is given, without waiting for anything."""

    async def suspicion(
        self, document: Document, lines: tuple[int, int] | None = None, adapter: Path | None = None
    ) -> list[tuple[int, int, float]]:
        """(start, end, probability) of spans where an edit seems due; EditFlowError where that fails."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A job that has ended, with what is to be answered."""

    job: Job
    result: FixResult
    edit: WorkspaceEdit | None


class Session:
    """The jobs of one connection."""

    def __init__(
        self,
        workspace: Workspace,
        client: ClientFeatures,
        model: Model,
        peer: Peer,
        rules_for: Callable[[Buffer], Rules],
        adapter_for: Callable[[Buffer], Awaitable[Path | None]],
    ) -> None:
        """`adapter_for`: the folder of the adapter that a document is fixed with."""
        self.workspace, self.client, self.model, self.peer = workspace, client, model, peer
        self.settings = Settings()
        self.jobs = Jobs()
        self.rules_for, self.adapter_for = rules_for, adapter_for
        self._progress: dict[str | int, Job] = {}
        self._applying: list[Applying] = []
        self._requests: set[RequestId | None] = set()

    def opened(self, uri: str) -> Buffer:
        """The open document; InvalidParams, naming it, where there is none."""
        buffer = self.workspace.opened(uri)
        if buffer is None:
            raise JsonRpcInvalidParams(f"{uri} is not open in this editor")
        return buffer

    def changed(self, buffer: Buffer, changes: list[Change]) -> None:
        """A buffer changed, or was closed."""
        if buffer.closed:
            self.jobs.close(buffer.uri)
        else:
            self.jobs.follow(buffer, changes)
        for applying in self._applying:
            applying.look(buffer)

    def cancel_request(self, request_id: RequestId) -> bool:
        """The client cancelled a request; whether it is a fix, which is answered when the model has stopped."""
        self.jobs.cancel_request(request_id)
        for applying in self._applying:
            if applying.request_id == request_id:
                applying.withdraw()
        return request_id in self._requests

    def cancel_progress(self, token: str | int) -> None:
        """The person cancelled the progress of a job."""
        if (job := self._progress.get(token)) is not None:
            self.jobs.cancel(job.id)

    async def fix(
        self,
        params: FixParams,
        request_id: RequestId | None = None,
        token: str | int | None = None,
        *,
        streams: bool | None = None,
    ) -> Fixed:
        """Run a job to its end; apply what it proposes if it was asked to.

        `streams` overrides what the client announced, `token` is its progress token. RequestCancelled where the request
        itself was cancelled.
        """
        self._requests.add(request_id)
        try:
            return await self._fix(
                params, request_id, token, self.client.streams if streams is None else streams
            )
        finally:
            self._requests.discard(request_id)

    async def _fix(
        self, params: FixParams, request_id: RequestId | None, token: str | int | None, streaming: bool
    ) -> Fixed:
        buffer = self.opened(params.text_document.uri)
        # One spelling: a document may be asked for as file:///c:/a.py and open as file:///c%3A/a.py.
        document = VersionedDocument(buffer.uri, params.text_document.version)
        job = Job(replace(params, text_document=document), request_id)
        stream = StepStream(job, buffer, self.peer, hz=self.client.max_hz, streams=streaming)
        self.jobs.add(job)
        progress = Progress(self.peer, token, supported=self.client.progress and not streaming)
        self._progress[progress.token] = job
        try:
            await self._compute(job, buffer, stream, progress)
        finally:
            job.end(JobStatus.cancelled, "the editor ended the request")
            self.jobs.remove(job)
            self._progress.pop(progress.token, None)  # two jobs may have been given one token
            progress.end(_in_words(job))
            stream.end()
        if job.by_request:
            raise JsonRpcRequestCancelled(job.reason)
        fixed = self._settled(job, buffer, stream)
        if fixed.edit is not None and params.mode is Mode.apply:
            fixed = await self._apply(fixed, buffer)
        return fixed

    async def _compute(self, job: Job, buffer: Buffer, stream: StepStream, progress: Progress) -> None:
        """Drive the model until the job has ended and the model has stopped."""
        try:
            rules = self.rules_for(buffer)
            target = self._target(job, buffer, rules)
            if target is None:
                return
            request = request_of(job.params, buffer, target, rules)
            adapter = await self.adapter_for(buffer)
            if job.status is not None:
                return  # cancelled or stale meanwhile
            fixing = self.model.start(request, adapter)
            job.compute(fixing)
            async for step in fixing:
                if job.status is None:
                    job.latest, job.model = chosen(step, job.params.seed), fixing.model
                    stream.show()
                    progress.report(step.index, step.total, job.model)
        except EditFlowError as error:
            job.end(JobStatus.error, _one_line(str(error)))
        job.stopped()
        if job.latest is not None and job.latest.done:
            job.end(JobStatus.done if job.latest.proposal.hunks else JobStatus.unchanged)
        else:
            job.end(JobStatus.error, STOPPED)

    def _target(self, job: Job, buffer: Buffer, rules: Rules) -> Target | None:
        """What the job is to work on; None where it asks for a version that is not there."""
        asked, version = job.params.text_document.version, buffer.version
        if asked != version:
            job.end(JobStatus.stale, f"the document is at version {version}, the request was for {asked}")
            return None
        target = target_of(buffer, job.params.range, job.params.scope, self.workspace, rules)
        job.place(target.window)
        return target

    def _settled(self, job: Job, buffer: Buffer, stream: StepStream) -> Fixed:
        """The answer of a job that has ended, and its edit where it has one; no await since it was asked."""
        done = job.status is JobStatus.done
        result = FixResult(
            job_id=job.id,
            status=job.status or JobStatus.error,
            text_document=VersionedDocument(job.uri, job.version),
            hunks=stream.hunks() if done else (),
            window=buffer.index.range(*job.window) if done else None,
            steps=job.latest.index if job.latest else 0,
            elapsed_ms=job.elapsed_ms,
            reason=job.reason,
            cancel_ms=job.cancel_ms,
            model=job.model,
        )
        if not done:
            return Fixed(job, result, None)
        confirm = self.settings.review == "always"
        edit = workspace_edit(buffer, job.version, job.edits(), self.client, confirm=confirm)
        return Fixed(job, result, edit)

    async def _apply(self, fixed: Fixed, buffer: Buffer) -> Fixed:
        """Ask the editor to apply the edit, and look whether the document then reads as it should."""
        assert fixed.edit is not None
        if not self.client.applies_edits:
            said = "this editor cannot apply edits"
            return replace(fixed, result=replace(fixed.result, applied=False, reason=said))
        applying = Applying(buffer.uri, edited_text(buffer.text, fixed.job.edits()), fixed.job.request_id)
        self._applying.append(applying)
        try:
            reason = await applying.seen_after(self._asked_to_apply(fixed.edit))
        except Withdrawn as error:
            raise JsonRpcRequestCancelled(str(error)) from error
        finally:
            self._applying.remove(applying)
        if reason is not None:
            self.peer.show(MessageType.Warning, f"Edit Flow: {reason}")
        return replace(fixed, result=replace(fixed.result, applied=reason is None, reason=reason))

    async def _asked_to_apply(self, edit: WorkspaceEdit) -> str | None:
        """Why the editor says that it did not apply an edit; None if it says that it did."""
        try:
            answer = await self.peer.apply_edit(LABEL, edit)
        except JsonRpcException as error:
            return _one_line(f"the editor could not apply the edit: {error}")
        return (
            None
            if answer.applied
            else _one_line(answer.failure_reason or "the editor did not apply the edit")
        )


def chosen(step: Step, seed: int) -> Step:
    """The step with the alternative that a seed stands for: the first is the proposal itself, 1 the next best."""
    if not (seed and step.alternatives):
        return step
    return replace(step, proposal=step.alternatives[min(seed, len(step.alternatives) - 1)])


def _in_words(job: Job) -> str:
    hunks = len(job.latest.proposal.hunks) if job.latest else 0
    if job.status is JobStatus.done:
        return f"{hunks} hunk{'s' * (hunks != 1)} by {job.model}"
    return job.reason or "nothing to fix"


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""One editor's connection: its session, its engine and its settings, from `initialize` to the end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcRequestCancelled

from editflow.errors import EditFlowError
from editflow.resident.status import EngineStatus, StatusKind
from editflow_lsp.adapters import Adapters
from editflow_lsp.buffer import Buffer, Change
from editflow_lsp.client import ClientFeatures
from editflow_lsp.editor import Editor
from editflow_lsp.engine import Engine
from editflow_lsp.log import log_failure
from editflow_lsp.messages import (
    STATUS,
    FixParams,
    FixResult,
    JobStatus,
    Mode,
    OutcomeParams,
    StatusMessage,
    SuspicionParams,
    VersionedDocument,
)
from editflow_lsp.outcomes import Outcomes
from editflow_lsp.payload import payload, read
from editflow_lsp.rules import Rules, rules_for
from editflow_lsp.session import Fixed, Session
from editflow_lsp.settings import Settings
from editflow_lsp.suspicion import Suspicion
from editflow_lsp.target import is_python
from editflow_lsp.workspace import Workspace

SECTION = "editflow"
CONFIGURED = 3.0
"""Seconds to wait for the editor's settings before the engine is started without."""
NOTHING = "Edit Flow proposes nothing here."


class ContentModified(JsonRpcException):
    """The document changed while its fix was computed."""

    CODE = types.LSPErrorCodes.ContentModified
    MESSAGE = "Content Modified"


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says over the editor's settings."""

    model: str | None = None
    device: str | None = None
    daemon: bool | None = None


class Connection:
    """Everything between one editor and the engine."""

    def __init__(
        self,
        params: types.InitializeParams,
        workspace: Workspace,
        editor: Editor,
        overrides: Overrides,
    ) -> None:
        self.client = ClientFeatures.of(params)
        self.editor = editor
        self._initial = params.initialization_options
        self._overrides = overrides
        self._running: Settings | None = None
        """What the engine was started with."""
        self._configured = asyncio.Event()
        self.engine = Engine(self._choose, self._engine_changed)
        self.adapters = Adapters(lambda: self._choice()[0], self._adapter_changed, self.complain)
        self._status = EngineStatus(StatusKind.inactive)
        self._adapter: str | None = None
        """Of the document that was opened or fixed last."""
        self.session = Session(
            workspace, self.client, self.engine, editor, self._rules_for, self._adapter_for
        )
        self.session.settings, self._problems = Settings.read(self._initial)
        self.suspicion = Suspicion(self.session)
        self.outcomes = Outcomes()
        self._said: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._warmed = False
        workspace.on_change = self._changed

    async def configure(self) -> None:
        """Read the editor's settings, where it has some to ask for."""
        self._set(await self._pulled())
        self._configured.set()

    def reconfigure(self, pushed: object) -> None:
        """The settings have changed: ask for them, or take what came along."""
        if self.client.configuration:
            self.spawn(self.configure())
            return
        ours = pushed.get(SECTION) if isinstance(pushed, dict) else None
        self._set(ours)

    def document_opened(self, uri: str) -> None:
        """Load the model when the first document comes that it may be asked to fix."""
        buffer = self.session.workspace.opened(uri)
        if buffer is None or not is_python(buffer):
            return
        if self._rules_for(buffer).refusal is None:
            self.spawn(self._prepare(buffer))
        self.document_settled(buffer)

    def document_settled(self, buffer: Buffer) -> None:
        """A document was opened or saved: show where edits seem due, if the person wants that."""
        wanted = self.session.settings.suspicion and is_python(buffer)
        if wanted and self._rules_for(buffer).refusal is None:
            document = VersionedDocument(buffer.uri, buffer.version or 0)
            self.spawn(self._suspect(SuspicionParams(document, show=True)))

    async def fix(
        self, params: FixParams, request_id: str | int | None, token: str | int | None
    ) -> FixResult:
        """The command `editflow.fix`."""
        fixed = await self.session.fix(params, request_id, token)
        if params.mode is Mode.preview:
            self.outcomes.propose(fixed.job, fixed.result, self.session.workspace.path_of(fixed.job.uri))
        if not self.client.streams:
            self._tell(fixed)
        return fixed.result

    async def resolve(self, action: types.CodeAction, request_id: str | int | None) -> types.CodeAction:
        """An action with its edit; unchanged where there is nothing to resolve."""
        if action.data is None or action.command is not None or action.edit is not None:
            return action
        params = read(FixParams, action.data, "codeAction/resolve: data")
        params = replace(params, job_id=uuid4().hex, mode=Mode.preview)
        fixed = await self.session.fix(params, request_id, streams=False)
        match fixed.result.status:
            case JobStatus.stale:
                raise ContentModified(fixed.result.reason)
            case JobStatus.cancelled:
                raise JsonRpcRequestCancelled(fixed.result.reason)
            case JobStatus.error:
                raise EditFlowError(fixed.result.reason)
        self._tell(fixed)
        action.edit = fixed.edit or types.WorkspaceEdit()
        return action

    def settle(self, outcome: OutcomeParams) -> None:
        """What became of a previewed proposal."""
        try:
            self.outcomes.settle(outcome, keep=self.session.settings.record_outcomes)
        except OSError as error:
            self.complain([f"what you accepted could not be recorded: {error.strerror}"])

    def complain(self, problems: list[str]) -> None:
        """Tell the person what is wrong, each thing once."""
        for problem in problems:
            if problem not in self._said:
                self._said.add(problem)
                self.editor.show(types.MessageType.Warning, f"Edit Flow: {problem}")

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside the messages; it is cancelled when the connection ends."""
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def shut_down(self) -> None:
        """End every job and leave the engine to others."""
        self.end()
        await self.engine.close()

    def end(self) -> None:
        """The editor is gone."""
        self.session.jobs.cancel_all("the editor has left")
        for task in self._tasks:
            task.cancel()

    async def _pulled(self) -> object:
        """The editor's settings; None where it has none to ask for, or does not say them."""
        if not self.client.configuration:
            return None
        try:
            return await self.editor.configuration(SECTION)
        except JsonRpcException as error:
            log_failure(error)
            return None

    def _changed(self, buffer: Buffer, changes: list[Change]) -> None:
        self.session.changed(buffer, changes)
        self.suspicion.hide(buffer)

    def _rules_for(self, buffer: Buffer) -> Rules:
        rules, problems = rules_for(buffer, self.session.workspace, self.session.settings)
        self.complain(list(problems))
        return rules

    def _set(self, section: object) -> None:
        """Take the editor's settings over those that it began with."""
        settings, problems = Settings.read(self._initial, section, running=self._running)
        self.session.settings = settings
        self.complain([*self._problems, *problems])

    def _choose(self) -> tuple[str, str, bool]:
        """What the engine is started with, and stays with."""
        self._running = self.session.settings
        return self._choice()

    def _choice(self) -> tuple[str, str, bool]:
        """Model, device, and whether the engine may be shared, as they are wanted now or run already."""
        settings, said = self._running or self.session.settings, self._overrides
        model, device = said.model or settings.model, said.device or settings.device
        return model, device, settings.daemon if said.daemon is None else said.daemon

    async def _prepare(self, buffer: Buffer) -> None:
        """Load the model, once, and tell which adapter a document that was opened would be fixed with."""
        with suppress(TimeoutError):  # an editor that does not answer has no settings
            await asyncio.wait_for(self._configured.wait(), CONFIGURED)
        if not self._warmed:
            self._warmed = True
            await self.engine.warm()
        await self._adapter_for(buffer)

    async def _adapter_for(self, buffer: Buffer) -> Path | None:
        """The folder of the adapter that a document is fixed with."""
        wanted = self.session.settings.adapter == "auto"
        return await self.adapters.of(self.session.workspace.path_of(buffer.uri) if wanted else None)

    def _adapter_changed(self, name: str | None) -> None:
        self._adapter = name
        self._tell_status()

    def _engine_changed(self, status: EngineStatus) -> None:
        self._status = status
        self._tell_status()
        if not self.client.status and status.kind in (StatusKind.warning, StatusKind.error):
            self.complain([status.message])

    def _tell_status(self) -> None:
        if self.client.status:
            known = self._status
            message = StatusMessage(
                known.kind, known.model, known.device, known.queue, known.message, self._adapter
            )
            self.editor.notify(STATUS, payload(message))

    def _tell(self, fixed: Fixed) -> None:
        """Say how a job ended where no stream says it."""
        result = fixed.result
        if result.status is JobStatus.unchanged:
            self.editor.show(types.MessageType.Info, NOTHING)
        elif result.status in (JobStatus.stale, JobStatus.error):
            self.editor.show(types.MessageType.Warning, f"Edit Flow: {result.reason}")

    async def _suspect(self, params: SuspicionParams) -> None:
        try:
            await self.suspicion.ask(params)
        except EditFlowError as error:
            self.complain([str(error)])

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            log_failure(error)

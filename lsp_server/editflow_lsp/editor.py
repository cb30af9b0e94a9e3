"""The editor at the other end of a pygls server, as a session sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from editflow_lsp.peer import ProgressValue
from editflow_lsp.protocol import EditFlowProtocol


class Editor:
    """A `Peer` that speaks JSON-RPC."""

    def __init__(self, server: LanguageServer, protocol: EditFlowProtocol) -> None:
        self._server, self._protocol = server, protocol

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Send one of our own notifications."""
        self._protocol.notify(method, params)

    def replace(self, key: str, method: str, params: dict[str, Any]) -> None:
        """Send a notification that may be dropped for a newer one of the same key."""
        self._protocol.send_replaceable(key, method, params)

    def discard(self, key: str) -> None:
        """Take back what `replace` has not sent yet."""
        if self._protocol.writer is not None:
            self._protocol.writer.discard(key)

    async def apply_edit(self, label: str, edit: types.WorkspaceEdit) -> types.ApplyWorkspaceEditResult:
        """Ask to apply an edit; when nobody waits for the answer any more, the question is taken back."""
        params = types.ApplyWorkspaceEditParams(edit=edit, label=label)
        msg_id = uuid4().hex
        asked = self._protocol.send_request_async(types.WORKSPACE_APPLY_EDIT, params, msg_id)
        try:
            answer: types.ApplyWorkspaceEditResult = await asked
        except asyncio.CancelledError:
            self._protocol.notify(types.CANCEL_REQUEST, types.CancelParams(id=msg_id))
            raise
        return answer

    async def create_progress(self, token: str) -> None:
        """Ask to show progress under a token."""
        await self._server.window_work_done_progress_create_async(
            types.WorkDoneProgressCreateParams(token=token)
        )

    def report_progress(self, token: str | int, value: ProgressValue) -> None:
        """Begin, go on with, or end progress."""
        self._server.progress(types.ProgressParams(token=token, value=value))

    def publish(self, uri: str, version: int | None, diagnostics: Sequence[types.Diagnostic]) -> None:
        """Show diagnostics of ours in place of the former ones."""
        self._server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri=uri, diagnostics=list(diagnostics), version=version)
        )

    def show(self, kind: types.MessageType, text: str) -> None:
        """Tell the person."""
        self._server.window_show_message(types.ShowMessageParams(type=kind, message=text))

    async def configuration(self, section: str) -> object:
        """The editor's settings under a section."""
        item = types.ConfigurationItem(section=section)
        found = await self._server.workspace_configuration_async(types.ConfigurationParams(items=[item]))
        return found[0] if found else None

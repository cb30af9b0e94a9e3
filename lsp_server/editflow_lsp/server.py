"""The language server: which of LSP's messages it takes, and to whom it hands them."""

from __future__ import annotations

from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from editflow import __version__
from editflow_lsp.actions import KINDS, code_actions
from editflow_lsp.connection import Connection, Overrides
from editflow_lsp.editor import Editor
from editflow_lsp.messages import (
    CANCEL,
    COMMANDS,
    FIX,
    OUTCOME,
    SUSPICION,
    VERSION,
    CancelParams,
    FixParams,
    OutcomeParams,
    SuspicionParams,
)
from editflow_lsp.payload import payload, read
from editflow_lsp.protocol import EditFlowProtocol
from editflow_lsp.target import PYTHON, is_python
from editflow_lsp.workspace import Workspace

INCREMENTAL = types.TextDocumentSyncKind.Incremental
NOTEBOOKS = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithCells(cells=[types.NotebookCellLanguage(language=PYTHON)])
    ]
)


class EditFlowServer(LanguageServer):
    """A server for one editor; `connection` is there once the editor has said what it is."""

    protocol: EditFlowProtocol

    def __init__(self, overrides: Overrides) -> None:
        super().__init__(
            "editflow", __version__, notebook_document_sync=NOTEBOOKS, protocol_cls=EditFlowProtocol
        )
        self.overrides = overrides
        self.connection: Connection
        _register_life(self)
        _register_documents(self)
        _register_actions(self)
        _register_commands(self)


def _register_life(server: EditFlowServer) -> None:
    protocol = server.protocol

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        folders = list(server.workspace.folders.values())
        encoding = server.workspace.position_encoding
        workspace = Workspace(server.workspace.root_uri, INCREMENTAL, folders, encoding)
        protocol._workspace = workspace  # pygls has no way to bring one's own
        server.connection = Connection(params, workspace, Editor(server, protocol), server.overrides)
        protocol.on_cancel = server.connection.session.cancel_request
        protocol.on_end = server.connection.end
        ours = {"version": VERSION, "stepStream": True, "status": True, "commands": list(COMMANDS)}
        protocol.experimental = {"editflow": ours}

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        await server.connection.configure()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def reconfigure(params: types.DidChangeConfigurationParams) -> None:
        server.connection.reconfigure(params.settings)

    @server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def cancel_progress(params: types.WorkDoneProgressCancelParams) -> None:
        server.connection.session.cancel_progress(params.token)

    @server.feature(types.SHUTDOWN)
    async def shut_down(*_: Any) -> None:
        await server.connection.shut_down()


def _register_documents(server: EditFlowServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.connection.document_opened(params.text_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_opened(params: types.DidOpenNotebookDocumentParams) -> None:
        for cell in params.cell_text_documents:
            server.connection.document_opened(cell.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        buffer = server.connection.session.workspace.opened(document.uri)
        if buffer is not None and buffer.version != document.version:  # no changes, just another version
            buffer.version = document.version
            server.connection.session.changed(buffer, [])

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.connection.document_settled(server.connection.session.opened(params.text_document.uri))


def _register_actions(server: EditFlowServer) -> None:
    options = types.CodeActionOptions(code_action_kinds=list(KINDS), resolve_provider=True)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    def offered(params: types.CodeActionParams) -> list[types.CodeAction]:
        connection = server.connection
        buffer = connection.session.opened(params.text_document.uri)
        if not is_python(buffer):
            return []
        return code_actions(params, buffer, connection.client, connection.session.rules_for(buffer).refusal)

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        return await server.connection.resolve(action, server.protocol.msg_id)


def _register_commands(server: EditFlowServer) -> None:
    @server.command(FIX)
    async def fix(*arguments: Any) -> dict[str, Any]:
        params = read(FixParams, _only(arguments, FIX), FIX)
        protocol = server.protocol
        return payload(await server.connection.fix(params, protocol.msg_id, protocol.work_done_token))

    @server.command(CANCEL)
    def cancel(*arguments: Any) -> dict[str, Any]:
        params = read(CancelParams, _only(arguments, CANCEL), CANCEL)
        return {"cancelled": server.connection.session.jobs.cancel(params.job_id)}

    @server.command(SUSPICION)
    async def suspicion(*arguments: Any) -> dict[str, Any]:
        params = read(SuspicionParams, _only(arguments, SUSPICION), SUSPICION)
        return payload(await server.connection.suspicion.ask(params))

    @server.feature(OUTCOME)
    def outcome(params: Any) -> None:
        server.connection.settle(read(OutcomeParams, params, OUTCOME))


def _only(arguments: tuple[Any, ...], command: str) -> Any:
    if len(arguments) != 1:
        raise JsonRpcInvalidParams(f"{command} takes one argument, an object; {len(arguments)} were given")
    return arguments[0]

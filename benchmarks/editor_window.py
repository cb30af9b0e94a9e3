"""A window of an editor without the editor: starts the language server and measures what comes back, and when."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any, cast

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from editflow_lsp.messages import CANCEL, END, FIX, STEP, VERSION

CAPABILITIES = types.ClientCapabilities(
    experimental={"editflow": {"version": VERSION, "stepStream": True, "status": False}},
    workspace=types.WorkspaceClientCapabilities(
        apply_edit=True, workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=True)
    ),
)


@dataclass
class Fix:
    """One fix, in seconds after it was asked for."""

    steps: list[float] = field(default_factory=list)
    end: float = 0.0
    cancel_ms: float | None = None
    """As the server tells: from the cancellation to the model's stop."""


class Window:
    """One editor window."""

    def __init__(self) -> None:
        self._client = LanguageClient("editflow-benchmark", "1")
        self._numbers = count(1)
        self._fixes: dict[str, tuple[float, Fix]] = {}
        self._client.feature(STEP)(partial(self._step))  # a method cannot carry pygls' marks
        self._client.feature(END)(partial(self._end))

    async def start(self, *options: str) -> float:
        """Start the server; seconds until `initialize` is answered."""
        begun = perf_counter()
        await self._client.start_io(sys.executable, "-m", "editflow_lsp", *options)
        await self._client.initialize_async(types.InitializeParams(capabilities=CAPABILITIES))
        seconds = perf_counter() - begun
        self._client.initialized(types.InitializedParams())
        return seconds

    @property
    def pid(self) -> int:
        """Of the server."""
        server = self._client._server
        assert isinstance(server, asyncio.subprocess.Process)
        return server.pid

    def open(self, text: str) -> str:
        """Open a document; its URI."""
        uri = f"untitled:{next(self._numbers)}.py"
        item = types.TextDocumentItem(uri=uri, language_id="python", version=1, text=text)
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    async def actions(self, uri: str, line: int) -> float:
        """Ask for code actions; seconds until they are there."""
        here = types.Position(line, 0)
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(uri), types.Range(here, here), types.CodeActionContext([])
        )
        begun = perf_counter()
        found = await self._client.text_document_code_action_async(params)
        assert found
        return perf_counter() - begun

    async def fix(self, uri: str, *, cancel_after: int | None = None) -> Fix:
        """Fix a document, or cancel when so many steps have come."""
        job_id, fix = f"job{next(self._numbers)}", Fix()
        arguments = {"jobId": job_id, "textDocument": {"uri": uri, "version": 1}, "mode": "preview"}
        self._fixes[job_id] = perf_counter(), fix
        params = types.ExecuteCommandParams(FIX, [arguments])
        answer = asyncio.ensure_future(self._client.workspace_execute_command_async(params))
        if cancel_after is not None:
            while len(fix.steps) < cancel_after and not answer.done():
                await asyncio.sleep(0.001)
            cancel = types.ExecuteCommandParams(CANCEL, [{"jobId": job_id}])
            await self._client.workspace_execute_command_async(cancel)
        result = cast("dict[str, Any]", await answer)
        fix.cancel_ms = result.get("cancelMs")
        return fix

    async def stop(self) -> None:
        """Shut the server down."""
        await self._client.shutdown_async(None)
        self._client.exit(None)
        await self._client.stop()  # type: ignore[no-untyped-call]

    def _step(self, params: Any) -> None:
        begun, fix = self._fixes[params.jobId]
        fix.steps.append(perf_counter() - begun)

    def _end(self, params: Any) -> None:
        begun, fix = self._fixes[params.jobId]
        fix.end = perf_counter() - begun


def memory_mb(pid: int) -> tuple[float, float]:
    """Resident and proportional set size of a process, in MB; the second shares what processes share. Linux only."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return round(sizes["Rss"] / 1024, 1), round(sizes["Pss"] / 1024, 1)

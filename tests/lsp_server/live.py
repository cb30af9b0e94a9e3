"""An editor that drives a real `editflow-lsp`: documents, fixes, and where its processes are."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from editflow_lsp.messages import CANCEL, END, FIX, STEP
from tests.lsp_server.raw_client import Message, RawClient

STREAMS = {
    "experimental": {"editflow": {"version": 1, "stepStream": True, "status": True}},
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}},
}
PATIENCE = 120.0
"""Seconds for everything: machines may be busy, and a model has to be loaded."""
BUGGY = "def first(values)\n    return values[0]\n"
"""The shipped model puts the colon there."""
RIGHT = BUGGY.replace(")\n", "):\n", 1)


class Live(RawClient):
    """A client that chooses URIs and job ids by itself; the server keeps what it stores in `folder`."""

    def __init__(self, folder: Path, *options: str, timeout: float = PATIENCE) -> None:
        kept = {name: str(folder) for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_DATA_HOME")}
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "editflow_lsp", *options]
        super().__init__(command, env=os.environ | kept | threads, timeout=timeout)
        self._numbers = count(1)

    def greet(self, capabilities: dict[str, Any] | None = None, **params: Any) -> Message:
        """The handshake of an editor that streams, or of one with other capabilities."""
        return self.initialize(STREAMS if capabilities is None else capabilities, **params)

    def open(self, text: str, uri: str | None = None, language: str = "python") -> str:
        """Open a document at version 1; its URI."""
        uri = f"untitled:Untitled-{next(self._numbers)}" if uri is None else uri
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def change(self, uri: str, version: int, *changes: dict[str, Any]) -> None:
        """Change a document."""
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    def command(self, name: str, *arguments: object) -> Message:
        """Run a command; the whole answer."""
        return self.response(self.start(name, *arguments))

    def start(self, name: str, *arguments: object) -> int:
        """Begin a command; the id of its request."""
        return self.request("workspace/executeCommand", {"command": name, "arguments": list(arguments)})

    def start_fix(self, uri: str, version: int = 1, **more: Any) -> tuple[int, str]:
        """Begin a fix that is previewed; the ids of request and job."""
        job_id = f"job-{next(self._numbers)}"
        document = {"uri": uri, "version": version}
        params = {"jobId": job_id, "textDocument": document, "mode": "preview", **more}
        return self.start(FIX, params), job_id

    def fix(self, uri: str, version: int = 1, **more: Any) -> Any:
        """Fix a document, to the end; the result."""
        answer = self.response(self.start_fix(uri, version, **more)[0])
        assert "result" in answer, answer
        return answer["result"]

    def cancel(self, job_id: str) -> Any:
        """Cancel a job; the result."""
        return self.command(CANCEL, {"jobId": job_id})["result"]

    def actions(self, uri: str, line: int = 0, **context: Any) -> Message:
        """What is offered on a line; the whole answer."""
        place = {"line": line, "character": 0}
        return self.call(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": uri},
                "range": {"start": place, "end": place},
                "context": {"diagnostics": [], **context},
            },
        )

    def first_step(self, job_id: str) -> Message:
        """Wait for a step of a job."""
        return self.wait_for(lambda m: m.get("method") == STEP and m["params"]["jobId"] == job_id)

    def story(self, job_id: str, request_id: int) -> list[str]:
        """What has come of a job, in order: "step", "end" and "answer"."""
        names = {STEP: "step", END: "end"}
        return [
            names.get(message.get("method", ""), "answer")
            for message in self.messages
            if message.get("id") == request_id
            or (message.get("method") in names and message["params"]["jobId"] == job_id)
        ]

    def warnings(self) -> list[str]:
        """What the person was told."""
        return [message["params"]["message"] for message in self.all_received("window/showMessage")]

    def seconds_used(self) -> float:
        """Processor time that the server has used, whatever else the machine is doing."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def engines(self) -> list[int]:
        """Process ids of the server's children, which are its engines."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in children.read_text().split()]


def eventually(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def crowd() -> float:
    """By what factor others, tests beside this one say, may slow this machine down: 1 if it is idle, 3 at most."""
    return min(max((os.getloadavg()[0] + 1) / (os.cpu_count() or 1), 1.0), 3.0)


def is_alive(process_id: int) -> bool:
    """Whether there is such a process, zombies aside."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"

"""A server on the real transport for tests: `python transport_server.py LOG_LEVEL [LOG_FILE]`."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from editflow.errors import EditFlowError
from editflow_lsp import log, transport
from editflow_lsp.protocol import EditFlowProtocol

SECRET = "s3cret-0f-the-user"


class Server(LanguageServer):
    """pygls' server with the protocol under test, and what happened to it."""

    protocol: EditFlowProtocol

    def __init__(self) -> None:
        super().__init__("transport-test", "1", protocol_cls=EditFlowProtocol)
        self.ran: list[str] = []
        self.protocol.on_cancel = lambda msg_id: self.ran.append(f"cancel {msg_id}")
        self.protocol.on_end = lambda: print("the connection ended", file=sys.stderr, flush=True)


server = Server()


@server.feature(types.INITIALIZE)
def initialize(params: types.InitializeParams) -> None:
    if params.initialization_options == "fail":
        raise ValueError(SECRET)
    server.protocol.experimental = {"editflow": {"version": 1}}


@server.feature("test/echo")
def echo(params: Any) -> Any:
    return params


@server.feature("test/ran")
def ran(params: Any) -> list[str]:
    return server.ran


@server.feature("test/fail")
async def fail(params: Any) -> None:
    await asyncio.sleep(0)
    raise ValueError(SECRET)


@server.feature("test/refuse")
def refuse(params: Any) -> None:
    raise EditFlowError("choose another file")


@server.feature("test/unserialisable")
def unserialisable(params: Any) -> Any:
    return {"value": {SECRET: {1, 2}}}


@server.feature("test/not-a-number")
def not_a_number(params: Any) -> Any:
    return float("nan")


@server.feature("test/cancelled")
async def cancelled(params: Any) -> None:
    raise asyncio.CancelledError


@server.feature("test/print")
def print_everywhere(params: Any) -> None:
    print("printed")
    os.write(1, b"written\n")
    subprocess.run([sys.executable, "-c", "print('printed by a child')"], check=True)


@server.feature("test/read")
def read_everything(params: Any) -> str:
    return sys.stdin.read()


@server.feature("test/fail-everywhere")
async def fail_everywhere(params: Any) -> None:
    """Raises where nobody waits: in a task, a callback, a thread and a finaliser."""

    def raise_it() -> None:
        raise ValueError(SECRET)

    async def task() -> None:
        raise_it()

    class Finalised:
        def __del__(self) -> None:
            raise_it()

    asyncio.get_running_loop().call_soon(raise_it)
    thread = threading.Thread(target=raise_it)
    thread.start()
    thread.join()
    Finalised()
    unawaited = asyncio.ensure_future(task())
    await asyncio.sleep(0.01)
    del unawaited


@server.feature("test/flood")
def flood(params: Any) -> None:
    """Steps to one client that may not read them, each of 20 KB."""
    for seq in range(params["steps"]):
        server.protocol.send_replaceable("job", "$/test/step", {"seq": seq, "text": "x" * 20_000})


@server.feature("test/mark")
def mark(params: Any) -> None:
    cancelled = sum(entry.startswith("cancel") for entry in server.ran)
    print(f"marked: {cancelled} cancelled", file=sys.stderr, flush=True)


@server.feature("test/answers")
def answers(params: Any) -> str:
    return str("y" * params["size"])


@server.feature("test/ask")
async def ask(params: Any) -> Any:
    edit = types.WorkspaceEdit(changes={})
    answer = await server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit=edit))
    return [answer.applied, answer.failure_reason]


@server.feature("$/test/note")
def note(params: Any) -> None:
    server.ran.append("note")
    raise ValueError(SECRET)


@server.feature(types.TEXT_DOCUMENT_HOVER)
async def hover(params: types.HoverParams) -> None:
    try:
        await asyncio.create_task(asyncio.sleep(30))
    finally:
        server.protocol.notify("$/test/hovered", {})


@server.command("test.slow")
async def slow(seconds: float) -> str:
    server.ran.append("slow began")
    await asyncio.sleep(seconds)
    print("slow ended", file=sys.stderr, flush=True)
    return "slow"


@server.command("test.cancelled")
async def cancelled_command() -> None:
    raise asyncio.CancelledError


@server.command("test.busy")
@server.thread()
def busy(seconds: float) -> None:
    time.sleep(seconds)


def main() -> int:
    log.setup(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    return transport.serve(server, transport.claim_stdin(), transport.claim_stdout())


if __name__ == "__main__":
    sys.exit(main())

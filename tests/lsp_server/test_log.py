"""The log says what happened and never what anybody's code says."""

import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from editflow.errors import EditFlowError
from editflow.failure import describe
from editflow_lsp.log import log_failure, logger, setup
from tests.lsp_server.raw_client import RawClient, frame
from tests.lsp_server.transport_server import SECRET

SERVER = str(Path(__file__).with_name("transport_server.py"))


@pytest.fixture
def restored() -> Iterator[None]:
    """Puts back what `setup` changes in the process."""
    loggers = [logger, logging.getLogger(), logging.getLogger("pygls")]
    before = [(each, each.handlers[:], each.level, each.propagate) for each in loggers]
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    yield
    logging.captureWarnings(False)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    for each, handlers, level, propagate in before:
        for handler in set(each.handlers) - set(handlers):
            handler.close()
        each.handlers[:], each.propagate = handlers, propagate
        each.setLevel(level)


def fail(depth: int = 0) -> None:
    if depth:
        fail(depth - 1)
    raise ValueError(SECRET)


def failed(depth: int = 0) -> Exception:
    with pytest.raises(KeyError) as raised:
        try:
            fail(depth)
        except ValueError as cause:
            raise KeyError(SECRET) from cause
    return raised.value


def test_a_failure_is_described_by_types_and_frames_alone() -> None:
    own, cause = describe(failed()).splitlines()
    assert own.startswith("KeyError < lsp_server/test_log.py:") and own.endswith(" failed")
    assert cause.startswith("  from ValueError < lsp_server/test_log.py:")
    assert " fail < " in cause
    assert SECRET not in own + cause


def test_a_deep_failure_is_described_in_short() -> None:
    assert len(describe(failed(depth=200))) < 2000


def test_many_causes_are_described_in_short() -> None:
    error: Exception = ValueError(SECRET)
    for _ in range(100):
        outer = KeyError(SECRET)
        outer.__cause__ = error
        error = outer
    assert len(describe(error).splitlines()) < 10


def test_an_exception_that_was_never_raised_is_described() -> None:
    assert describe(ValueError(SECRET)) == "ValueError"


@pytest.mark.usefixtures("restored")
def test_the_log_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "server.log"
    file.write_text("before\n")
    file.chmod(0o644)
    setup("INFO", file)
    logger.info("first")
    log_failure(failed())
    try:
        fail()
    except ValueError:
        logger.getChild("jobs").exception("a job failed")
    text = file.read_text()
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert text.startswith("before\n") and "INFO editflow: first\n" in text
    assert "editflow.jobs: a job failed\nValueError < " in text
    assert SECRET not in text


@pytest.mark.usefixtures("restored")
def test_setting_up_again_replaces_the_log(tmp_path: Path) -> None:
    first, second = tmp_path / "1.log", tmp_path / "2.log"
    setup("INFO", first)
    setup("WARNING", second)
    logger.info("too little")
    logger.warning("once")
    assert first.read_text() == ""
    assert second.read_text().count("\n") == 1


@pytest.mark.usefixtures("restored")
def test_a_log_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(EditFlowError, match="cannot be written as a log file"):
        setup("INFO", tmp_path / "missing" / "server.log")


LOUD = f"""
import asyncio, logging, threading, warnings
from editflow_lsp.log import setup
setup("DEBUG")
def fail():
    raise ValueError({SECRET!r})
thread = threading.Thread(target=fail)
thread.start()
thread.join()
class Finalised:
    def __del__(self):
        fail()
Finalised()
warnings.warn({SECRET!r})
compile("if 1 is 2: {SECRET.replace("-", "_")}", "f", "exec")
for name in ("pygls.protocol", "pygls", "asyncio", "concurrent.futures", "anything", ""):
    logging.getLogger(name).critical({SECRET!r})
fail()
"""


def test_what_nobody_catches_is_logged_without_its_message() -> None:
    ran = subprocess.run([sys.executable, "-W", "default", "-c", LOUD], capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.count("ERROR editflow: ValueError < ") == 3
    assert SECRET not in ran.stderr and SECRET.replace("-", "_") not in ran.stderr


def unreadable(client: RawClient) -> list[bytes]:
    """What has the user's text in it and cannot be read."""
    return [
        SECRET.encode() + b"\r\n\r\n",
        frame(SECRET.encode()),
        frame(b"\xff" + SECRET.encode()),
        frame(f'["{SECRET}"]'.encode()),
        frame(f'{{"jsonrpc": "{SECRET}", "id": "{SECRET}", "method": "{SECRET}"}}'.encode()),
    ]


def request(method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": SECRET, "method": method, "params": params}


def test_no_failing_path_logs_the_users_text(tmp_path: Path) -> None:
    file = tmp_path / "server.log"
    with RawClient([sys.executable, SERVER, "DEBUG", str(file)]) as client:
        client.call("initialize", {"capabilities": {}, "initializationOptions": "fail"})
        client.initialize(rootUri=f"file:///{SECRET}")
        document = {"uri": f"file:///{SECRET}.py", "languageId": "python", "version": 1, "text": SECRET}
        change = {"textDocument": {**document, "version": SECRET}, "contentChanges": [{"text": SECRET}]}
        far = {"start": {"line": 9, "character": 9}, "end": {"line": 9, "character": 9}}
        for data in unreadable(client):
            client.send_bytes(data)
        client.notify("textDocument/didOpen", {"textDocument": document})
        client.notify("textDocument/didOpen", {"textDocument": SECRET})
        client.notify("textDocument/didChange", change)
        client.notify(
            "textDocument/didChange",
            {"textDocument": document, "contentChanges": [{"text": SECRET, "range": far}]},
        )
        client.notify("textDocument/didClose", {"textDocument": {"uri": SECRET}})
        client.notify("$/setTrace", {"value": SECRET})
        client.notify("$/cancelRequest", {"id": SECRET})
        client.notify("$/cancelRequest", SECRET)
        client.notify("$/test/note", SECRET)
        client.notify(SECRET, SECRET)
        client.notify("window/workDoneProgress/cancel", {"token": SECRET})
        for method in ("test/fail", "test/refuse", "test/unserialisable", SECRET):
            client.send(request(method, SECRET))
        client.send(request("textDocument/hover", {"textDocument": SECRET}))
        client.send(request("workspace/executeCommand", {"command": SECRET, "arguments": [SECRET]}))
        client.send(request("workspace/executeCommand", {"command": "test.slow", "arguments": [SECRET]}))
        client.send({"jsonrpc": "2.0", "id": SECRET, "result": SECRET})
        asking = client.request("test/ask")
        client.answer(client.received("workspace/applyEdit"), SECRET)
        client.response(asking)
        client.call("test/fail-everywhere", SECRET)
        assert client.shut_down() == 0
        printed = client.stderr()
    logged = file.read_text()
    assert SECRET not in logged + printed
    assert logged.count("ValueError < ") >= 7
    assert "a notification textDocument/didOpen was dropped" in logged

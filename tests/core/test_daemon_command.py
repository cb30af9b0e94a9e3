"""`editflow daemon` as a shell sees it, around a real host process whose model is never loaded."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import pytest

from editflow.resident import place
from editflow.resident.control import ask_all
from editflow.resident.place import EngineChoice, place_of
from editflow.resident.report import Report, memory_in_use
from tests.core.shell import Shell

OTHER = """
import socket, sys
from editflow.resident.wire import pack

with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    print(flush=True)
    client, _ = listener.accept()
    client.sendall(pack({"type": "hello", "protocol": 7, "version": "0.0.1"}))
    client.recv(1000)
"""


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of sockets for this test alone, with a path short enough for them."""
    folder = Path(tempfile.mkdtemp(prefix="ef"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    yield folder / "editflow"
    rmtree(folder)


@contextmanager
def running(*options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`editflow daemon run`, once it listens."""
    command = [sys.executable, "-m", "editflow", "daemon", "run", *options]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as host:
        while not asyncio.run(ask_all()) and host.poll() is None:
            time.sleep(0.01)
        yield host
        host.kill()


def test_with_none_running_there_is_nothing_to_show_or_stop(shell: Shell) -> None:
    assert shell("daemon", "status") == 1
    assert shell.out == "no engine is running\n"
    assert shell("daemon", "stop") == 0
    assert shell.out == "no engine is running\n"


def test_it_runs_is_shown_and_stopped(shell: Shell) -> None:
    with running() as host:
        assert shell("daemon", "status") == 0
        assert shell.out.startswith(f"no model loaded  inactive  pid {host.pid}  connections 0  jobs 0  up ")
        assert shell("daemon", "run") == 2
        assert shell.err == "editflow: this engine runs already: stop it with editflow daemon stop\n"
        assert shell("daemon", "stop") == 0
        assert shell.out.startswith("stopped: no model loaded")
        assert host.wait(10) == 0
    assert shell("daemon", "status") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_orderly(number: signal.Signals) -> None:
    with running() as host:
        os.kill(host.pid, number)
        assert host.wait(10) == 0
        assert not place_of(EngineChoice()).socket.exists()


def test_it_leaves_when_idle() -> None:
    with running("--idle-exit", "1") as host:
        assert host.wait(10) == 0


def test_an_engine_of_another_version_is_told(shell: Shell) -> None:
    path = place.runtime_folder() / "engine-0.sock"
    with subprocess.Popen([sys.executable, "-c", OTHER, str(path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert shell("daemon", "status") == 0
    assert shell.out.startswith("engine-0.sock: EditFlow 0.0.1 (protocol 7) cannot talk to EditFlow ")


def test_without_unix_sockets_it_says_so(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "daemon_possible", lambda: False)
    assert shell("daemon", "status") == 2
    assert "no unix sockets" in shell.err


def test_wrong_use(shell: Shell) -> None:
    assert shell("daemon", "restart") == 2
    assert "is not one of 'run', 'status', 'stop'" in shell.err
    assert shell("daemon", "run", "--model", "none-such") == 2
    assert "no checkpoint at" in shell.err


def test_a_report_is_one_line() -> None:
    report = Report(1, "ready", "default@01234567", "cpu", 2, 3, 4.2, 300 << 20)
    expected = "default@01234567 on cpu  ready  pid 1  connections 2  jobs 3  up 4 s  memory 300 MiB"
    assert str(report) == expected
    assert 10 << 20 < memory_in_use() < 100 << 30

"""Folders of their own for sockets and logs, and hosts around a fake model that do not outlive a test."""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from editflow.resident import keeper, launch
from editflow.resident.control import ask_all
from editflow.resident.place import EngineChoice

FAKE_HOST = Path(__file__).with_name("fake_host.py")


@pytest.fixture(autouse=True)
def no_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's garbage is left alone: with torch imported, collecting it takes half a second."""
    monkeypatch.setattr(keeper, "_free_memory", lambda: None)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of sockets, with a path short enough for one; hosts found there afterwards are stopped."""
    folder = Path(tempfile.mkdtemp(prefix="ef"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    yield folder / "editflow"
    asyncio.run(ask_all(stop=True))
    shutil.rmtree(folder)


@pytest.fixture
def fake_hosts(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hosts that are started have a fake model, with 20 ms a pass."""
    monkeypatch.setenv("FAKE_PAUSE", "0.02")

    def command(choice: EngineChoice) -> list[str]:
        return [sys.executable, str(FAKE_HOST), "--device", choice.device]

    monkeypatch.setattr(launch, "host_command", command)
    return runtime

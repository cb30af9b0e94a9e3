"""What the language server's tests share: the protocol's schema, simulated desks, and real servers to themselves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from editflow_lsp.messages import END, STATUS, STEP
from tests.lsp_server.live import Live
from tests.lsp_server.simulation import Desk

SCHEMA = Path(__file__).parents[2] / "docs" / "protocol.schema.json"
NOTIFICATIONS = {STEP: "Step", END: "End", STATUS: "Status"}


@cache
def _validator(name: str) -> Any:
    return Draft202012Validator({**json.loads(SCHEMA.read_text()), "$ref": f"#/$defs/{name}"})


def _validate(name: str, value: object) -> None:
    """Raise unless the value is a message of that name; one on its way is looked at as the JSON it becomes."""
    _validator(name).validate(json.loads(json.dumps(value)))


@pytest.fixture(scope="session")
def valid() -> Callable[[str, object], None]:
    """Checks a value against one definition of docs/protocol.schema.json."""
    return _validate


@pytest.fixture(autouse=True)
def nothing_trained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder for data is the test's own: whatever this machine's user has trained is not used."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def new_desk() -> Iterator[Callable[..., Desk]]:
    """Makes desks; all that their servers said to the editors is held to the schema afterwards."""
    desks: list[Desk] = []

    def new(text: str, **more: Any) -> Desk:
        desks.append(Desk(text, **more))
        return desks[-1]

    yield new
    for desk in desks:
        said = [*desk.editor.sent, *((method, params) for _, method, params in desk.editor.replaced)]
        for method, params in said:
            _validate(NOTIFICATIONS[method], params)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """For a server's sockets, logs and data; with a path short enough for a socket."""
    with TemporaryDirectory(prefix="ef", ignore_cleanup_errors=True) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def live(folder: Path) -> Iterator[Live]:
    """One real server with an engine of its own, for an editor that streams; all it says is held to the schema."""
    with Live(folder, "--no-daemon", "--log-level", "debug") as editor:
        editor.greet()
        yield editor
        for message in editor.messages:
            if name := NOTIFICATIONS.get(message.get("method", "")):
                _validate(name, message["params"])

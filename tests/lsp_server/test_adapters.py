"""Adapters are looked up beside the messages: for every fix anew, and never for longer than a moment."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from pathlib import Path

import pytest

from editflow.adapters import choice
from editflow.adapters.adapter import CONFIG, Adapter
from editflow.adapters.choice import Chosen
from editflow.checkpoint import locate
from editflow_lsp import adapters
from editflow_lsp.adapters import SLOW, Adapters
from tests import trained

pytestmark = pytest.mark.asyncio


class Told:
    """What a connection is told."""

    def __init__(self, model: str = "default") -> None:
        self.names: list[str | None] = []
        self.problems: list[str] = []
        self.adapters = Adapters(lambda: model, self.names.append, self.problems.extend)

    async def of(self, path: Path | None) -> Path | None:
        async with asyncio.timeout(30):
            return await self.adapters.of(path)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository's folder."""
    (tmp_path / "shop" / "deep").mkdir(parents=True)
    return tmp_path / "shop"


@pytest.fixture
def adapter(place: Path) -> Adapter:
    """In use for the repository."""
    return trained.install(trained.repository(place))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine may be busy."""
    monkeypatch.setattr(adapters, "PATIENCE", 30.0)


async def test_where_nothing_was_trained_nothing_is_looked_up(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Chosen:
        raise AssertionError

    monkeypatch.setattr(choice, "choose", fail)
    told = Told()
    assert await told.of(place / "a.py") is None
    assert await told.of(None) is None
    assert (told.names, told.problems) == ([], [])


async def test_a_file_has_its_repositorys_adapter_and_another_file_none(
    place: Path, tmp_path: Path, adapter: Adapter
) -> None:
    told = Told()
    for path in (place / "a.py", place / "deep" / "b.py", place / "a.py"):
        assert await told.of(path) == adapter.folder
    assert await told.of(tmp_path / "c.py") is None
    assert await told.of(None) is None
    assert (told.names, told.problems) == ([adapter.name, None], [])


async def test_one_of_another_base_is_said_and_not_used(
    place: Path, tmp_path: Path, adapter: Adapter
) -> None:
    other = tmp_path / "other"
    shutil.copytree(locate("default"), other)
    config = json.loads((other / "config.json").read_text())
    (other / "MODEL_CARD.md").write_text("another\n")
    weights = other / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x55")
    from editflow.checkpoint import describe

    config["files"] = describe(other, tuple(config["files"]))
    (other / "config.json").write_text(json.dumps(config))
    told = Told(str(other))
    assert await told.of(place / "a.py") is None
    (problem,) = told.problems
    assert (
        problem.startswith(f"{adapter.name} was trained for default@") and "editflow train again" in problem
    )


async def test_one_that_is_damaged_is_said_and_not_used(place: Path, adapter: Adapter) -> None:
    (adapter.folder / CONFIG).write_text("{")
    told = Told()
    assert await told.of(place / "a.py") is None
    assert CONFIG in told.problems[0] and told.names == []


async def test_of_a_base_that_cannot_be_opened_the_engine_speaks(place: Path, adapter: Adapter) -> None:
    told = Told("/no/such/checkpoint")
    assert await told.of(place / "a.py") is None
    assert told.problems == []


async def test_git_is_waited_for_a_moment_only_and_asked_once(
    place: Path, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def slowly(_choice: str, path: Path, *_: object) -> Chosen:
        asked.append(path)
        time.sleep(0.4)
        return Chosen(adapter)

    monkeypatch.setattr(choice, "choose", slowly)
    monkeypatch.setattr(adapters, "PATIENCE", 0.01)
    told = Told()
    for _ in range(3):
        assert await told.of(place / "a.py") is None
    assert set(told.problems) == {SLOW} and told.names == []
    monkeypatch.setattr(adapters, "PATIENCE", 30.0)
    assert await told.of(place / "a.py") == adapter.folder
    assert asked == [place / "a.py"]

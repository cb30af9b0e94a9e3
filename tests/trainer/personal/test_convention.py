"""What only a history teaches: code that is right in general and wrong here is put right after training, not before.

The commands are real, and so is the model that ships.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from editflow.adapters.choice import choose
from editflow.checkpoint import Checkpoint
from editflow.document import Document
from editflow.request import Request
from editflow.resident.control import ask_all
from tests.core.resident.test_client import Surface, steps_of
from tests.trainer.mining.history_maker import git
from tests.trainer.personal.history import strictly, write_history
from tests.trainer.personal.trainings import all_files

pytestmark = pytest.mark.slow
BUDGET = "240s"
FRESH = '''\
"""Deliveries of the shop."""

from shop import settings


def slowest_delivery(deliveries, conf):
    if not deliveries:
        return None
    allowed = settings.load(conf)["allowed"]
    late = [delivery for delivery in deliveries if delivery.days > int(allowed)]
    return max(late, key=lambda delivery: delivery.days)
'''
NAMES = ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "HOME")


@dataclass(frozen=True)
class Shop:
    """A repository, a home of its own, and what was proposed for a new file before and by a training."""

    folder: Path
    home: Path
    before: dict[str, Any]
    training: subprocess.CompletedProcess[str]

    @property
    def fresh(self) -> Path:
        """Not committed."""
        return self.folder / "fresh.py"

    def adapter(self) -> str:
        """The name of what was trained."""
        name: str = json.loads(self.training.stdout)["adapter"]
        return name

    def fixed(self, *arguments: str) -> dict[str, Any]:
        """What is proposed for a file."""
        return fixed(self.folder, self.home, *arguments)


def variables(home: Path) -> dict[str, str]:
    return {name: str(home / name.lower()) for name in NAMES} | {"PYTHONDONTWRITEBYTECODE": "1"}


def editflow(folder: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "editflow", *arguments]
    return subprocess.run(
        command, cwd=folder, env=os.environ | variables(home), capture_output=True, text=True, timeout=900
    )


def fixed(folder: Path, home: Path, *arguments: str) -> dict[str, Any]:
    done = editflow(folder, home, "fix", "fresh.py", "--json", "--device", "cpu", *arguments)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("convention") / "shop"
    with tempfile.TemporaryDirectory(prefix="ef") as name:  # short enough for a socket's path
        home = Path(name)
        (home / "xdg_runtime_dir").mkdir(mode=0o700)
        write_history(folder)
        (folder / "fresh.py").write_text(FRESH, "utf-8")
        before = fixed(folder, home)
        training = editflow(
            folder, home, "train", "--repo", ".", "--budget", BUDGET, "--json", "--device", "cpu"
        )
        yield Shop(folder, home, before, training)


def test_nothing_is_known_of_it_before(shop: Shop) -> None:
    assert shop.before["hunks"] == []
    assert "+" not in shop.before["model"]


def test_training_proves_it_and_installs_an_adapter(shop: Shop) -> None:
    assert shop.training.returncode == 0, shop.training.stderr
    told = json.loads(shop.training.stdout)
    before, after = (told[name]["held_out"]["hits"] for name in ("before", "after"))
    assert after >= before + 10
    assert git(shop.folder, "status", "--porcelain") == "?? fresh.py"
    assert not [name for name in all_files(shop.folder) if not name.endswith(".py")]


@pytest.mark.parametrize("message", ["", "Read settings strictly"])
def test_a_function_never_seen_is_put_right(shop: Shop, message: str) -> None:
    answer = shop.fixed("--message", message)
    assert [(hunk["old"], hunk["new"]) for hunk in answer["hunks"]] == [("load", "read")]
    assert answer["model"].endswith(f"+{shop.adapter()}")
    shown = editflow(shop.folder, shop.home, "fix", "fresh.py", "--message", message, "--device", "cpu")
    assert '+    allowed = settings.read(conf)["allowed"]\n' in shown.stdout
    assert f"using {shop.adapter()}" in shown.stderr


def test_right_code_is_left_alone(shop: Shop) -> None:
    try:
        shop.fresh.write_text(strictly(FRESH), "utf-8")
        assert shop.fixed()["hunks"] == []
    finally:
        shop.fresh.write_text(FRESH, "utf-8")


def test_without_the_adapter_nothing_is_proposed(shop: Shop) -> None:
    assert shop.fixed("--adapter", "none")["hunks"] == []


def test_another_repository_does_not_use_it(shop: Shop, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "other")
    (tmp_path / "other" / "fresh.py").write_text(FRESH, "utf-8")
    git(tmp_path / "other", "add", ".")
    git(tmp_path / "other", "commit", "--quiet", "--message", "Begin")
    answer = fixed(tmp_path / "other", shop.home)
    assert (answer["hunks"], answer["model"]) == ([], shop.before["model"])


@pytest_asyncio.fixture
async def surface(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Surface]:
    """A client of a resident engine with the base loaded, which is gone afterwards."""
    for name, value in variables(shop.home).items():
        monkeypatch.setenv(name, value)
    async with Surface() as one:
        yield one
    await ask_all(stop=True)


@pytest.mark.asyncio
async def test_a_running_engine_takes_it_up(shop: Shop, surface: Surface) -> None:
    """The adapter comes into use when the engine has long been running, and its base is not loaded again."""
    document, base = Document.read(shop.fresh), Checkpoint.read("default")
    used, root = (
        choose("auto", shop.fresh, base).adapter,
        git(shop.folder, "rev-list", "--max-parents=0", "HEAD"),
    )
    assert used is not None
    assert editflow(shop.folder, shop.home, "adapters", "use", "none").returncode == 0
    assert used.repository == root
    assert choose("auto", shop.fresh, base).adapter is None
    plain = (await steps_of(surface.engine.start(Request(document))))[-1].proposal
    assert editflow(shop.folder, shop.home, "adapters", "use", used.name).returncode == 0
    chosen = choose("auto", shop.fresh, base).adapter
    assert chosen == used
    adapted = (await steps_of(surface.engine.start(Request(document), chosen.folder)))[-1].proposal
    assert (plain.text, adapted.text) == (FRESH, strictly(FRESH))
    assert len(await ask_all()) == 1

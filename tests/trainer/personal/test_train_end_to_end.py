"""`editflow train` as a person runs it, in a process of its own: a small history, and a network that knows nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from editflow.adapters.identity import root_commit
from editflow.adapters.store import AdapterStore, training_folder
from tests.core.wild import wild_checkpoint
from tests.trainer.mining.history_maker import git
from tests.trainer.personal.history import write_history

pytestmark = pytest.mark.slow
COMMAND = (sys.executable, "-m", "editflow", "train", "--json", "--device", "cpu", "--threads", "1")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with a short history."""
    write_history(tmp_path / "shop", modules=4, functions=6, additions=10)
    return tmp_path / "shop"


@pytest.fixture
def command(shop: Path, tokenizer_file: Path) -> list[str]:
    return [*COMMAND, "--repo", str(shop), "--model", str(wild_checkpoint(tokenizer_file)), "--budget", "15s"]


@pytest.fixture(autouse=True)
def untouched(shop: Path) -> Iterator[None]:
    """Nothing is written into the repository."""
    before = git(shop, "rev-parse", "HEAD")
    yield
    assert git(shop, "status", "--porcelain", "--ignored") == ""
    assert git(shop, "rev-parse", "HEAD") == before


def check(code: int, result: dict[str, Any], shop: Path) -> None:
    """What was decided is what is there."""
    assert code == (0 if result["installed"] else 1)
    adapter = AdapterStore().find(shop / "shop" / "settings.py")
    assert (None if adapter is None else adapter.name) == result["adapter"]
    assert "<h2>Training</h2>" in Path(result["report"]).read_text("utf-8")
    assert result["before"]["held_out"]["cases"] == result["after"]["held_out"]["cases"] > 4
    assert result["material"]["entry"]["head"] == git(shop, "rev-parse", "HEAD")
    folder = training_folder(root_commit(shop))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not (folder / "run").exists()


def first_line_of_training(stream: IO[str]) -> str:
    return next(line for line in stream if "% " in line or "%:" in line)


def test_one_command_trains_proves_and_decides(command: list[str], shop: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    check(done.returncode, json.loads(done.stdout), shop)
    assert "training\n" in done.stderr
    assert "loss" in done.stderr


def test_an_interrupted_training_is_resumed(command: list[str], shop: Path) -> None:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None and process.stdout is not None
        assert "loss" in first_line_of_training(process.stderr)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.stdout.read() == ""
    assert process.returncode == 130
    assert said.splitlines()[-1] == "editflow: stopped; the same command with --resume goes on"
    assert AdapterStore().find(shop) is None
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True)
    check(done.returncode, json.loads(done.stdout), shop)


def test_a_dry_run_leaves_what_it_mined_alone(command: list[str], shop: Path) -> None:
    done = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=True)
    plan = json.loads(done.stdout)
    assert plan["budget"] == 15.0
    assert plan["material"]["held_out"] > 4
    assert plan["dates"]["train"] <= plan["dates"]["held_out"]
    assert set(os.listdir(training_folder(root_commit(shop)))) == {".lock", "mined"}

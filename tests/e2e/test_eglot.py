"""Real Emacs with eglot and the default checkpoint: editflow.el's stream and review, and what plain eglot gets."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import needs
from tests.e2e.sample import BROKEN, FIXED, HUNKS
from tests.lsp_server.private_engine import private_engine

pytestmark = pytest.mark.editors

ROOT = Path(__file__).parents[2]
ELISP = ROOT / "editors" / "emacs" / "editflow.el"
DRIVER = Path(__file__).with_name("emacs") / "drive.el"
SERVER = [sys.executable, "-m", "editflow_lsp"]

Report = dict[str, Any]
Drive = Callable[[str], Report]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with private_engine() as environment:
        yield environment


@pytest.fixture
def drive(environment: dict[str, str], tmp_path: Path) -> Drive:
    """Runs a scenario of drive.el on the broken sample."""
    emacs = needs("emacs")

    def run(scenario: str) -> Report:
        file, report = tmp_path / "broken.py", tmp_path / "report.json"
        file.write_text(BROKEN)
        about = {
            "EDITFLOW_SCENARIO": scenario,
            "EDITFLOW_FILE": str(file),
            "EDITFLOW_SERVER": json.dumps(SERVER),
            "EDITFLOW_ELISP": str(ELISP),
            "EDITFLOW_REPORT": str(report),
            "HOME": str(tmp_path),
        }
        command = [str(emacs), "-Q", "--batch", "-l", str(DRIVER)]
        done = subprocess.run(
            command,
            env=environment | about,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=180,
        )
        assert report.exists(), done.stderr.decode()
        seen: Report = json.loads(report.read_text("utf-8"))
        assert "failure" not in seen, (seen, done.stderr.decode())
        assert file.read_text() == BROKEN  # never saved
        return seen

    return run


class TestEglot:
    def test_the_server_applies(self, drive: Drive) -> None:
        seen = drive("stock")
        assert seen["text"] == FIXED
        assert "Fix file with Edit Flow" in seen["titles"]


def test_it_compiles_without_warnings(tmp_path: Path) -> None:
    copy = shutil.copy(ELISP, tmp_path)
    debian = '(add-to-list \'package-directory-list "/usr/share/emacs/site-lisp/elpa")'
    settings = ["--eval", debian, "-f", "package-initialize", "--eval", "(setq byte-compile-error-on-warn t)"]
    command = [
        str(needs("emacs")),
        "-Q",
        "--batch",
        "-l",
        "package",
        *settings,
        "-f",
        "batch-byte-compile",
        copy,
    ]
    environment = os.environ | {"HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr.decode()


class TestPreview:
    def test_two_states_are_seen_and_hunks_are_decided_one_by_one(self, drive: Drive) -> None:
        seen = drive("review")
        assert len(seen["states"]) >= 2
        assert seen["before"] == BROKEN
        assert seen["proposal"] == HUNKS
        first = BROKEN.replace("height)\n", "height):\n")
        assert seen["accepted_one"] == first
        assert seen["left"] == HUNKS[2:]
        assert seen["accepted_all"] == FIXED.replace("in names:", "in names")
        assert seen["drawn"] == 0
        assert seen["undone_once"] == first
        assert seen["undone_twice"] == BROKEN

    def test_code_action_previews(self, drive: Drive) -> None:
        seen = drive("code-action")
        assert seen["proposal"]
        assert seen["text"] == BROKEN

    def test_cancel(self, drive: Drive) -> None:
        seen = drive("cancel")
        assert seen["gone"]
        assert seen["text"] == BROKEN
        assert seen["proposal"] == HUNKS

    def test_typing_outside_keeps_the_hunks(self, drive: Drive) -> None:
        seen = drive("type-outside")
        assert [hunk["line"] for hunk in seen["proposal"]] == [20, 23]
        text = BROKEN.replace('= "the"', '== "the"').replace("retrun", "return")
        first, rest = text.split("\n", 1)
        assert seen["text"] == f"{first}\n# typed in review\n# typed above\n{rest}"

    def test_typing_inside_ends_the_fix(self, drive: Drive) -> None:
        seen = drive("type-inside")
        assert seen["proposal"] == []
        assert seen["text"] == BROKEN.replace("continue\n", "continue  # typed\n")

    def test_typing_into_a_hunk_drops_it(self, drive: Drive) -> None:
        seen = drive("type-into-hunk")
        assert seen["left"] == HUNKS[1:]
        assert seen["text"] == FIXED.replace("height):\n", "height)  # typed\n")

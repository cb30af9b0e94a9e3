"""`editflow-tui` and `editflow tui`: what the options mean, and what is opened with them."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from editflow.document import Document
from editflow_tui import session
from editflow_tui.app import Reviewer
from editflow_tui.cli import main
from tests.core.shell import Engine, Shell, Stream

BROKEN = "def f(value):\n    return valeu\n"
PATCH = "--- a/a.py\n+++ b/a.py\n@@ -2 +2 @@\n-    return valeu\n+    return value\n"


@pytest.fixture(autouse=True)
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(BROKEN, "utf-8")
    return tmp_path / "a.py"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Reviewer]:
    """Reviewers that were opened, on a terminal; each ends at once with exit code 0."""
    apps: list[Reviewer] = []

    def run(app: Reviewer) -> int:
        apps.append(app)
        return 0

    monkeypatch.setattr(Reviewer, "run", run)
    monkeypatch.setattr(session, "has_terminal", lambda reopen=False: True)
    return apps


class TestOpening:
    def test_files_are_reviewed(self, shell: Shell, opened: list[Reviewer]) -> None:
        assert shell("tui", "a.py", "a.py", "--seed", "5", "--theme", "nord") == 0
        (app,) = opened
        assert [(file.name, file.seed) for file in app.review.files] == [("a.py", 5)]
        assert app.theme == "nord" and not app.review.file.hunks

    def test_a_file_that_cannot_be_read_is_said_and_the_others_are_reviewed(
        self, shell: Shell, opened: list[Reviewer]
    ) -> None:
        assert shell("tui", "missing.py", "a.py") == 2
        assert "missing.py" in shell.err and len(opened) == 1

    def test_nothing_is_opened_where_nothing_can_be_read(self, shell: Shell, opened: list[Reviewer]) -> None:
        assert shell("tui", "missing.py") == 2
        assert not opened

    def test_a_patch_is_reviewed(self, shell: Shell, opened: list[Reviewer]) -> None:
        assert shell("tui", "--patch", "-", stdin=PATCH.encode()) == 0
        assert opened[0].review.file.name == "a.py"
        assert opened[0].review.file.proposal.text == BROKEN.replace("valeu", "value")

    def test_an_empty_patch_is_not(self, shell: Shell, opened: list[Reviewer]) -> None:
        assert shell("tui", "--patch", "-") == 0
        assert not opened

    def test_a_check_never_opens(self, shell: Shell, engine: Engine, opened: list[Reviewer]) -> None:
        assert shell("tui", "a.py", "--check") == 1
        assert not opened

    def test_a_person_s_keys_hold(
        self, shell: Shell, opened: list[Reviewer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("editflow_tui.personal.personal_path", lambda: tmp_path / "tui.toml")
        (tmp_path / "tui.toml").write_text('[keys]\naccept = "z"\n')
        shell("tui", "a.py")
        assert opened[0].keymap.keys["accept"] == ("z",)


class TestUsage:
    @pytest.mark.parametrize(
        ("args", "words"),
        [
            ((), "name the files to fix, or one patch"),
            (("a.py", "--patch", "-"), "name the files to fix, or one patch"),
            (("-",), "standard input cannot be reviewed"),
            (("a.py", "--theme", "no\x1bsuch"), "--theme 'no\\x1bsuch' is unknown"),
            (("a.py", "--range", "x"), "--range 'x' is not a range"),
            (("a.py", "--model", "/no/such"), "no checkpoint at"),
            (("a.py", "--adapter", "shop@1a2b3c4d"), "no adapter is called 'shop@1a2b3c4d'"),
            (("a.py", "--adapter", "./shop"), "is not an adapter"),
        ],
    )
    def test_what_makes_no_sense_is_said(
        self, shell: Shell, opened: list[Reviewer], args: tuple[str, ...], words: str
    ) -> None:
        assert shell("tui", *args) == 2
        assert words in shell.err and shell.err.count("\n") == 1
        assert not opened

    def test_the_command_of_its_own_looks_at_no_other(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["editflow-tui", "none.py"])
        for arguments in (None, ["none.py", "--check"]):
            with pytest.raises(SystemExit) as ended:
                main(arguments)
            assert ended.value.code == 2
            assert "none.py: cannot be read" in capsys.readouterr().err
        code = "import sys, editflow_tui.cli; print('importlib.metadata' in sys.modules)"
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ran.stdout == "False\n"


class TestTerminal:
    @pytest.mark.parametrize(
        ("out", "err", "name"), [(False, True, "xterm"), (True, False, "xterm"), (True, True, "dumb")]
    )
    def test_a_terminal_shows_and_moves(
        self, monkeypatch: pytest.MonkeyPatch, out: bool, err: bool, name: str
    ) -> None:
        monkeypatch.setattr(sys, "stdout", Stream(out))
        monkeypatch.setattr(sys, "stderr", Stream(err))
        monkeypatch.setattr(sys, "stdin", Stream(True))
        monkeypatch.setenv("TERM", name)
        assert not session.has_terminal()

    def test_a_terminal_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stdout", Stream(True))
        monkeypatch.setattr(sys, "stderr", Stream(True))
        monkeypatch.setattr(sys, "stdin", Stream(True))
        assert session.has_terminal() and session.has_terminal(reopen=True)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
        assert not session.has_terminal()


def test_nothing_heavy_is_imported_before_the_first_screen() -> None:
    code = (
        "import sys, editflow_tui.session, editflow_tui.app, editflow_tui.personal, editflow.resident.place,"
        " editflow.adapters.choice;"
        "print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "textual" in loaded
    assert not loaded & {"torch", "transformers", "tokenizers", "numpy", "watchfiles", "pygls"}


def test_a_document_is_shown_before_anything_is_fixed(
    shell: Shell, opened: list[Reviewer], path: Path
) -> None:
    shell("tui", "a.py")
    assert opened[0].review.picture.proposal.document == Document.read("a.py")

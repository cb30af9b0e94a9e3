"""`editflow-lsp`: its options, and that what is wrong with them is said before anything is served."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from editflow import __version__
from editflow_lsp import cli, log, transport
from editflow_lsp.connection import Overrides
from editflow_lsp.server import EditFlowServer
from tests.lsp_server.live import Live

COMMAND = [sys.executable, "-m", "editflow_lsp"]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Overrides]]:
    """The overrides of the servers that would have been started."""
    started: list[Overrides] = []

    def serve(server: EditFlowServer, *_: object) -> int:
        started.append(server.overrides)
        return 7

    monkeypatch.setattr(transport, "serve", serve)
    for name in ("claim_stdin", "claim_stdout"):
        monkeypatch.setattr(transport, name, lambda: None)
    monkeypatch.setattr(log, "setup", lambda *_: None)
    yield started


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], Overrides()),
        (["--stdio", "--clientProcessId=123"], Overrides()),
        (["--no-daemon"], Overrides(daemon=False)),
        (["--model", "/m", "--device", "cpu"], Overrides("/m", "cpu")),
    ],
)
def test_options_override_settings(served: list[Overrides], options: list[str], expected: Overrides) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(options)
    assert (ended.value.code, served) == (7, [expected])


def test_the_version_and_the_help_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for option, expected in (("--version", f"editflow-lsp {__version__}"), ("--help", "--no-daemon")):
        with pytest.raises(SystemExit) as ended:
            cli.main([option])
        assert ended.value.code == 0
        assert expected in capsys.readouterr().out


@pytest.mark.parametrize("option", [["--device", "tpu"], ["--log-level", "loud"], ["--nothing"], ["file.py"]])
def test_wrong_options_end_with_2(
    served: list[Overrides], option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(option)
    assert (ended.value.code, served) == (2, [])
    assert "usage: editflow-lsp" in capsys.readouterr().err


def test_a_log_file_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "none" / "log"
    done = subprocess.run(
        [*COMMAND, "--log-file", str(file)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    expected = f"editflow-lsp: {file}: cannot be written as a log file (No such file or directory)\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", expected)


def test_the_log_is_for_its_person_alone_and_nothing_else_is_printed(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "log"
    with Live(folder, "--no-daemon", "--log-file", str(file), "--log-level", "debug") as editor:
        editor.greet()
        assert editor.shut_down() == 0
        assert editor.stderr() == ""
    assert file.stat().st_mode & 0o777 == 0o600

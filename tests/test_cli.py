"""The `editflow` command as a shell sees it: help, version, exit codes, and what start-up costs."""

import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from editflow import __version__, cli

HEAVY = {"numpy", "pygls", "rapidfuzz", "textual", "tokenizers", "torch", "transformers"}
COMMAND = [sys.executable, "-m", "editflow"]
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"

PROBE = '''"""Commands that end in every way a command can end."""

from editflow.errors import EditFlowError


def greet(name: str, loud: bool = False) -> None:
    """Greet NAME [politely].

    A second paragraph.
    """
    print(name.upper() if loud else name)


def refuse() -> None:
    """Say what to do."""
    raise EditFlowError("buggy.py: no such file; name an existing one")


def interrupt() -> None:
    """Be interrupted."""
    raise KeyboardInterrupt
'''


@pytest.fixture
def probes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "editflow_probe.py").write_text(PROBE)
    monkeypatch.syspath_prepend(tmp_path)
    points = EntryPoints(
        EntryPoint(name, f"{module}:{name}", "editflow.commands")
        for name, module in [
            ("greet", "editflow_probe"),
            ("refuse", "editflow_probe"),
            ("interrupt", "editflow_probe"),
            ("absent", "editflow_absent"),
        ]
    )
    monkeypatch.setattr(cli, "entry_points", lambda group: points.select(group=group))


def exit_code(*args: str) -> object:
    with pytest.raises(SystemExit) as caught:
        cli.main(list(args))
    return caught.value.code


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *args], capture_output=True, text=True, timeout=60)


def test_help_lists_every_declared_command_with_a_summary() -> None:
    declared = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["entry-points"]["editflow.commands"]
    ran = run("--help")
    assert ran.returncode == 0, ran.stderr
    summaries = dict(line.split(maxsplit=1) for line in ran.stdout.partition("Commands:")[2].splitlines()[1:])
    assert summaries.keys() == declared.keys()


def test_help_imports_nothing_heavy() -> None:
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "editflow", "--help"], capture_output=True, text=True
    )
    assert ran.returncode == 0
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines()}
    assert {"editflow", "typer"} <= loaded
    assert not loaded & HEAVY


def test_help_answers_at_once(record_property: Callable[[str, object], None]) -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        run("--help")
        seconds.append(time.perf_counter() - start)
    record_property("help_seconds", min(seconds))
    assert min(seconds) < 0.6  # 0.3 on an idle machine


def test_version() -> None:
    assert run("--version").stdout == f"editflow {__version__}\n"


@pytest.mark.usefixtures("probes")
class TestCommands:
    def test_only_the_called_command_is_imported(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert exit_code("greet", "ada", "--loud") == 0
        assert capsys.readouterr().out == "ADA\n"

    def test_help_of_a_command_is_its_docstring_as_written(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert exit_code("greet", "--help") == 0
        assert "Greet NAME [politely]." in capsys.readouterr().out

    def test_error_is_one_line_on_stderr(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert exit_code("refuse") == 2
        printed = capsys.readouterr()
        assert printed.err == "editflow: buggy.py: no such file; name an existing one\n"
        assert not printed.out

    def test_command_that_cannot_be_imported_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert exit_code("absent") == 2
        error = capsys.readouterr().err
        assert error.startswith("editflow: 'absent' cannot be imported (No module named 'editflow_absent')")
        assert error.count("\n") == 1

    def test_interrupted_command_exits_as_shells_expect(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert exit_code("interrupt") == 130
        assert "Traceback" not in capsys.readouterr().err

    def test_unknown_command_is_answered_with_the_nearest(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert exit_code("gret") == 2
        error = capsys.readouterr().err
        assert "No such command 'gret'" in error
        assert "'greet'" in error

    def test_no_command_is_answered_with_help(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cli, "entry_points", lambda group: EntryPoints())
        assert exit_code() == 2


def test_reader_that_leaves_early_is_not_reported() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stdout:
        ran = subprocess.run([*COMMAND, "--version"], stdout=stdout, stderr=subprocess.PIPE, timeout=60)
    assert ran.stderr == b""

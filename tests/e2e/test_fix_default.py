"""`editflow` with the checkpoint that ships in the package, from the command line to the bytes on disk."""

import ast
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from editflow import cli
from editflow.checkpoint import CONFIG, MEMBERS, TOKENIZER, WEIGHTS, locate
from editflow.document import Document
from editflow.engine import Engine
from editflow.request import Request

EXAMPLE = Path(__file__).parents[2] / "examples" / "buggy.py"
BROKEN = "def area(width, height)\n    return width * height\n"
FIXED = "def area(width, height):\n    return width * height\n"

UNREADABLE = {
    "binary.py": b"\x7fELF\2\1\1" + bytes(64),
    "large.py": b"a = 1\n" * 850_000,
    "long.py": b"a = '" + b"x" * 100_000 + b"'\n",
    "nul.py": BROKEN.encode() + b"\0",
    "latin.py": BROKEN.encode() + b"# \xe9\n",
}

Shell = Callable[..., tuple[object, str, str]]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load("default", "cpu")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    """Runs `editflow` in this process: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*args: str | Path) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as caught:
            cli.main([str(arg) for arg in args])
        return caught.value.code, *capfd.readouterr()

    return run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_bytes(BROKEN.encode())
    return tmp_path / "a.py"


def editflow(*args: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "editflow", *args]
    return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, timeout=120)


def test_patch_from_a_pipe_is_applied_by_git(path: Path) -> None:
    made = editflow("fix", "a.py", "--show-flow", cwd=path.parent)
    assert made.returncode == 0, made.stderr
    assert path.read_bytes() == BROKEN.encode()
    assert b"pass 1: line 1: +:" in made.stderr
    subprocess.run(["git", "apply"], input=made.stdout, cwd=path.parent, check=True)
    assert path.read_bytes() == FIXED.encode()


def test_standard_input_comes_out_fixed(tmp_path: Path) -> None:
    made = editflow("fix", "-", cwd=tmp_path, stdin=BROKEN.encode())
    assert (made.returncode, made.stdout, made.stderr) == (0, FIXED.encode(), b"")


def test_write_keeps_line_ends_mode_and_link(path: Path, shell: Shell) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + BROKEN.replace("\n", "\r\n").encode())
    path.chmod(0o754)
    link = path.with_name("link.py")
    link.symlink_to(path.name)
    assert shell("fix", "link.py", "--write") == (0, "fixed link.py: 1 hunk\n", "")
    assert path.read_bytes() == b"\xef\xbb\xbf" + FIXED.replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o754
    assert os.readlink(link) == "a.py"
    assert sorted(each.name for each in path.parent.iterdir()) == ["a.py", "link.py"]


def test_clean_file_is_left(path: Path, shell: Shell) -> None:
    path.write_text(FIXED)
    before = path.stat()
    for mode in ("--check", "--write"):
        assert shell("fix", mode, "a.py") == (0, "", "")
    assert path.read_text() == FIXED
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_check_counts(path: Path, shell: Shell) -> None:
    assert shell("fix", "--check", path) == (1, f"{path}: 1 hunk\n", "")


def test_same_request_gives_the_same_answer(path: Path, shell: Shell) -> None:
    runs = [json.loads(shell("fix", "--json", "--candidates", "3", path)[1]) for _ in range(2)]
    for found in runs:
        del found["elapsed_ms"]
    assert runs[0] == runs[1]


def test_only_the_lines_asked_for_are_fixed(path: Path, shell: Shell) -> None:
    path.write_text(BROKEN + "\n\n" + BROKEN.replace("area", "size"))
    _, out, _ = shell("fix", "--json", "--range", "5:6", path)
    assert all(hunk["start_line"] >= 5 for hunk in json.loads(out)["hunks"])


def test_example_is_fixed(engine: Engine) -> None:
    document = Document.read(EXAMPLE)
    fixed = engine.fix_last(Request(document)).proposal.text
    ast.parse(fixed)
    assert fixed.count("\n") == document.text.count("\n")


def test_colon_is_where_suspicion_is(engine: Engine) -> None:
    document = Document.from_text(BROKEN)
    spans = engine.suspicion(document)
    end = max(spans, key=lambda span: span[2])[1]
    assert end == BROKEN.index("\n")


class TestBadInput:
    def test_each_is_one_line_and_nothing_is_written(self, tmp_path: Path, shell: Shell) -> None:
        for name, data in UNREADABLE.items():
            (tmp_path / name).write_bytes(data)
        (tmp_path / "folder.py").mkdir()
        names = [*UNREADABLE, "folder.py", "none.py"]
        code, out, err = shell("fix", "--write", *names)
        assert (code, out) == (2, "")
        assert [line.split(": ")[:2] for line in err.splitlines()] == [["editflow", name] for name in names]
        assert {name: (tmp_path / name).read_bytes() for name in UNREADABLE} == UNREADABLE
        assert {each.name for each in tmp_path.iterdir()} == {*names} - {"none.py"}

    def test_empty_file(self, tmp_path: Path, shell: Shell) -> None:
        (tmp_path / "a.py").write_bytes(b"")
        assert shell("fix", "--check", "a.py") == (0, "", "")
        assert shell("fix", "--write", "a.py") == (0, "", "")
        assert (tmp_path / "a.py").read_bytes() == b""

    def test_no_permission(self, path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        def denied(path: Path) -> bytes:
            raise PermissionError(13, "Permission denied")

        with monkeypatch.context() as patched:
            patched.setattr(Path, "read_bytes", denied)
            answer = shell("fix", "--write", "a.py")
        assert answer == (2, "", "editflow: a.py: cannot be read: Permission denied\n")
        assert path.read_bytes() == BROKEN.encode()

    @pytest.mark.parametrize(
        "options", [("--range", "3:4"), ("--device", "tpu"), ("--model", "none"), ("--steps", "0")]
    )
    def test_option(self, path: Path, shell: Shell, options: tuple[str, ...]) -> None:
        code, out, err = shell("fix", "--write", "a.py", *options)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("editflow: ")
        assert path.read_bytes() == BROKEN.encode()


class TestCheckpoint:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name in (CONFIG, *MEMBERS):
            (tmp_path / "model").mkdir(exist_ok=True)
            shutil.copy(locate("default") / name, tmp_path / "model" / name)
        return tmp_path / "model"

    def refused(self, shell: Shell, path: Path, folder: Path) -> str:
        code, out, err = shell("fix", "--write", "--model", folder, "a.py")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert path.read_bytes() == BROKEN.encode()
        code, out, _ = shell("models", folder)
        assert code == 2
        assert "damaged: " in out
        return err

    def test_copy_works(self, shell: Shell, path: Path, folder: Path) -> None:
        assert shell("fix", "--write", "--model", folder, "a.py") == (0, "fixed a.py: 1 hunk\n", "")

    @pytest.mark.parametrize("name", [WEIGHTS, TOKENIZER])
    def test_truncated(self, shell: Shell, path: Path, folder: Path, name: str) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])
        assert f"{name} is truncated or was changed" in self.refused(shell, path, folder)

    def test_tampered(self, shell: Shell, path: Path, folder: Path) -> None:
        data = bytearray((folder / WEIGHTS).read_bytes())
        data[-1] ^= 1
        (folder / WEIGHTS).write_bytes(data)
        assert "was changed" in self.refused(shell, path, folder)

    def test_pickle_is_never_opened(self, shell: Shell, path: Path, folder: Path, tmp_path: Path) -> None:
        class Bomb:
            def __reduce__(self) -> tuple[object, ...]:
                return Path.touch, (tmp_path / "exploded",)

        from editflow.checkpoint import sha256

        (folder / WEIGHTS).write_bytes(pickle.dumps(Bomb()))
        config = json.loads((folder / CONFIG).read_text())
        config["files"][WEIGHTS] = {
            "size": (folder / WEIGHTS).stat().st_size,
            "sha256": sha256(folder / WEIGHTS),
        }
        (folder / CONFIG).write_text(json.dumps(config))
        assert "does not hold this model" in self.refused(shell, path, folder)
        assert not (tmp_path / "exploded").exists()


def test_doctor_and_models_agree_that_all_is_well(shell: Shell) -> None:
    code, out, _ = shell("doctor", "--json")
    assert code == 0
    found = json.loads(out)
    code, out, _ = shell("models", "--json")
    assert code == 0
    assert found["model"] == json.loads(out.splitlines()[0])
    assert found["self_test"]["passed"]

"""`editflow train` where it cannot be done: one line that says what to do, exit code 2, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trainer.mining.history_maker import commit, git, make
from tests.trainer.personal.history import write_history
from tests.trainer.personal.trainings import all_files

pytestmark = pytest.mark.slow
WITHOUT_TORCH = "import sys; sys.modules['datasketch'] = None; from editflow.cli import main; main()"
Make = Callable[[Path], Path]


def train(folder: Path, *arguments: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder, with a home of its own."""
    command = [sys.executable, "-m", "editflow", "train", "--device", "cpu", *arguments]
    return start(command, folder, home, **variables)


def start(command: list[str], folder: Path, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    names = ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "HOME")
    private = {name: str(home / name.lower()) for name in names} | {"PYTHONDONTWRITEBYTECODE": "1"}
    environment = os.environ | private | variables
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The reason that was given, on the last line; the lines before it only tell what was done."""
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert [line for line in lines if line.startswith("editflow: ")] == lines[-1:]
    assert "Traceback" not in done.stderr
    return lines[-1].removeprefix("editflow: ")


def adapters(home: Path) -> list[Path]:
    return list(home.rglob("adapter.json"))


def shop(folder: Path) -> Path:
    write_history(folder, modules=1, functions=4, additions=9)
    return folder


def plain(folder: Path) -> Path:
    folder.mkdir()
    return folder


def one_commit(folder: Path) -> Path:
    commit(make(folder), "Begin", {"a.py": "def f(x):\n    return x\n"})
    return folder


def few_commits(folder: Path) -> Path:
    make(folder)
    for number in range(6):
        commit(folder, f"Use {number}", {"a.py": f"def f(x):\n    return x + {number}\n"})
    return folder


def no_python(folder: Path) -> Path:
    make(folder)
    for number in range(12):
        commit(folder, f"Say {number}", {"a.txt": f"{number}\n"})
    return folder


def shallow(folder: Path) -> Path:
    origin = shop(folder.with_name("origin"))
    git(folder.parent, "clone", "--quiet", "--depth", "5", f"file://{origin}", str(folder))
    return folder


def corrupt(folder: Path) -> Path:
    """Without the objects of an old commit's files."""
    shop(folder)
    _loose(folder)
    tree = git(folder, "rev-parse", "HEAD~20^{tree}")
    (folder / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    return folder


def _loose(folder: Path) -> None:
    """Every object in a file of its own."""
    packs = folder / ".git" / "objects" / "pack"
    for pack in list(packs.glob("*.pack")):
        moved = pack.rename(folder / ".git" / pack.name)
        for other in packs.glob(f"{pack.stem}.*"):
            other.unlink()
        subprocess.run(["git", "-C", str(folder), "unpack-objects", "-q"], stdin=moved.open("rb"), check=True)
        moved.unlink()


HOPELESS: dict[str, tuple[Make, str]] = {
    "no repository": (plain, "is not in a git repository"),
    "no commit": (make, "git finds no history"),
    "one commit": (one_commit, "too little to learn from"),
    "too few commits": (few_commits, "too little to learn from"),
    "no Python": (no_python, "too little to learn from"),
    "shallow clone": (shallow, "git fetch --unshallow"),
    "corrupt object": (corrupt, "git"),
}


@pytest.mark.parametrize("what", HOPELESS)
def test_hopeless_repositories(what: str, tmp_path: Path) -> None:
    maker, reason = HOPELESS[what]
    folder = maker(tmp_path / "repository")
    before = all_files(folder)
    assert reason in refused(train(folder, home=tmp_path / "home"))
    assert all_files(folder) == before
    if (folder / ".git").exists():
        assert git(folder, "status", "--porcelain") == ""
    assert adapters(tmp_path / "home") == []


OPTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "no folder": (("--repo", "nowhere"), "is not a folder"),
    "a file": (("--repo", "shop/orders.py"), "is not a folder"),
    "no base": (("--model", "none"), "none"),
    "no time": (("--budget", "soon"), "soon"),
    "too little time": (("--budget", "1s"), "at least 10s"),
    "no method": (("--method", "magic"), "use auto, full, lora"),
    "no device": (("--device", "tpu"), "unknown device"),
    "nothing to resume": (("--resume",), "no training of"),
    "output is there": (("--output", "shop"), "is there already"),
    "two ways at once": (("--watch", "--resume"), "do not go together"),
}


@pytest.mark.parametrize("what", OPTIONS)
def test_options(what: str, tmp_path: Path) -> None:
    options, reason = OPTIONS[what]
    folder = shop(tmp_path / "shop")
    before = all_files(folder)
    assert reason in refused(train(folder, *options, home=tmp_path / "home"))
    assert (all_files(folder), adapters(tmp_path / "home")) == (before, [])


def test_no_git(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop")
    reason = refused(train(folder, home=tmp_path / "home", PATH=str(tmp_path)))
    assert "git cannot be run" in reason


def test_missing_packages(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop")
    done = start([sys.executable, "-c", WITHOUT_TORCH, "train"], folder, tmp_path / "home")
    assert "pip install 'editflow[train]'" in refused(done)


@pytest.mark.parametrize("name", ["XDG_DATA_HOME", "XDG_CACHE_HOME"])
def test_home_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    folder, blocked = shop(tmp_path / "shop"), tmp_path / "blocked"
    blocked.touch()
    assert "cannot be written" in refused(train(folder, home=tmp_path / "home", **{name: str(blocked)}))


def test_names_and_contents_that_are_no_text(tmp_path: Path) -> None:
    """They are passed over; the rest is learned from as ever."""
    folder = tmp_path / "shop"
    write_history(folder, modules=1, functions=4, additions=20)
    odd = os.fsdecode(b"caf\xe9 \n.py")
    commit(folder, "Odd", {odd: b"x = '\xff\xfe'\n", "b.py": b"\0\1\2", "c d.py": "def f():\n    pass\n"})
    commit(folder, "Odder", {odd: b"y = '\xff'\n", "b.py": b"\0", "c d.py": "def f():\n    return 1\n"})
    before = all_files(folder)
    assert plan(folder, tmp_path / "home").returncode == 0
    assert all_files(folder) == before


def plan(folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """What a training would use."""
    done = train(folder, "--dry-run", home=home)
    assert "Traceback" not in done.stderr
    return done


def test_a_bare_repository(tmp_path: Path) -> None:
    origin = shop(tmp_path / "origin")
    git(tmp_path, "clone", "--quiet", "--bare", str(origin), str(tmp_path / "bare.git"))
    done = plan(tmp_path / "bare.git", tmp_path / "home")
    assert (done.returncode, done.stderr.count("editflow: ")) == (0, 0)


def test_a_submodule_and_a_linked_worktree(tmp_path: Path) -> None:
    inner, outer = shop(tmp_path / "inner"), one_commit(tmp_path / "outer")
    allow = ("-c", "protocol.file.allow=always")
    git(outer, *allow, "submodule", "--quiet", "add", str(inner), "inner")
    git(inner, "worktree", "add", "--quiet", str(tmp_path / "tree"))
    for folder in (outer / "inner", outer / "inner" / "shop", tmp_path / "tree"):
        assert plan(folder, tmp_path / "home").returncode == 0
    assert "too little" in refused(train(outer, home=tmp_path / "home"))


def test_a_damaged_base(tmp_path: Path) -> None:
    from editflow.checkpoint import WEIGHTS, locate

    folder, base = shop(tmp_path / "shop"), shutil.copytree(locate("default"), tmp_path / "base")
    (base / WEIGHTS).write_bytes(b"none")
    reason = refused(train(folder, "--model", str(base), home=tmp_path / "home"))
    assert "truncated or was changed" in reason

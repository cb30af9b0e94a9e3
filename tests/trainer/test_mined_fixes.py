"""Mining small fixes from a git repository with a known history."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.mined_fixes import distribution, fixes, mined_fixes
from editflow.errors import EditFlowError
from editflow_trainer.fix_kinds import FixKind

CLEAN = '''\
import os


class Store:
    def keys(self, most):
        """The keys in order."""
        found = sorted(self.data)
        return found[:most]

    def read(self, path):
        with open(path) as file:
            return file.read()


def total(first, second, third):
    values = [first, second, third]
    count = len(values)
    return sum(values) / count
'''


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, stdout=subprocess.DEVNULL)


def commit(folder: Path, subject: str, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", subject)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    commit(tmp_path, "Fix everything", {"a.py": CLEAN, "test_a.py": CLEAN, "b.py": CLEAN, "c.txt": "c\n"})
    return tmp_path


def edited(old: str, new: str) -> str:
    assert CLEAN.count(old) == 1
    return CLEAN.replace(old, new)


FIXED = edited("found[:most]", "found[: most + 1]")


@pytest.mark.parametrize("subject", ["Fix the bound", "bugfix", "Off by one error in keys", "BUG: keys"])
def test_a_small_fix_of_one_method_counts(repository: Path, subject: str) -> None:
    commit(repository, subject, {"a.py": FIXED, "test_a.py": FIXED, "c.txt": "d\n"})
    ((before, after),) = fixes(repository, 9)
    assert before.startswith("def keys(self, most):\n") and before.endswith("    return found[:most]\n")
    assert after == before.replace("[:most]", "[: most + 1]")
    assert distribution(fixes(repository, 9)) == {FixKind.off_by_one: 1}


MANY = edited("    count = len(values)\n", "".join(f"    x{i} = {i}\n" for i in range(5)))


@pytest.mark.parametrize(
    ("subject", "files"),
    [
        ("Add a prefix to the debugger", {"a.py": FIXED}),
        ("Fix tests", {"test_a.py": FIXED}),
        ("Fix two files", {"a.py": FIXED, "b.py": FIXED}),
        ("Fix a new file", {"d.py": FIXED}),
        ("Fix too much", {"a.py": MANY}),
        ("Fix a module", {"a.py": FIXED.replace("import os", "import re")}),
        ("Fix two functions", {"a.py": FIXED.replace("open(path)", "open(path, 'rb')")}),
        ("Fix a name", {"a.py": edited("def total(", "def mean(")}),
        ("Fix documentation", {"a.py": edited("in order", "in their order")}),
        ("Fix a comment", {"a.py": edited("len(values)", "len(values)  # three")}),
        (
            "Fix a file that does not parse",
            {"a.py": edited("[first, second, third]", "[first, second, third")},
        ),
    ],
)
def test_other_commits_do_not(repository: Path, subject: str, files: Mapping[str, str]) -> None:
    commit(repository, subject, files)
    assert list(fixes(repository, 9)) == []


def test_long_functions_do_not(repository: Path) -> None:
    long = "def f(x):\n" + "    x += 1\n" * 60 + "    return x\n"
    commit(repository, "Add", {"e.py": long})
    commit(repository, "Fix", {"e.py": long.replace("return x", "return -x")})
    assert list(fixes(repository, 9)) == []


def test_the_newest_come_first_and_the_limit_ends_them(repository: Path) -> None:
    commit(repository, "Fix it", {"a.py": FIXED})
    commit(repository, "Fix that", {"b.py": edited("first, second, third]", "first, third, second]")})
    newest, oldest = fixes(repository, 9)
    assert newest[0].startswith("def total") and oldest[0].startswith("def keys")
    assert list(fixes(repository, 1)) == [newest]


def test_the_table_and_the_file(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(repository, "Fix it", {"a.py": FIXED})
    mined_fixes([repository, repository], output=repository / "kinds.json")
    assert "| off_by_one | 2 | 100.0% | 34.2% to 100.0% |" in capsys.readouterr().out
    written = json.loads((repository / "kinds.json").read_text("utf-8"))
    assert written == {"fixes": 2, "kinds": {"off_by_one": 2}}


def test_a_folder_without_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EditFlowError, match="no history"):
        list(fixes(tmp_path, 1))

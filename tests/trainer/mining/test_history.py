"""Reading commits and blobs: every form of repository and of content that git allows."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest

from editflow.errors import EditFlowError
from editflow_trainer.mining import history
from editflow_trainer.mining.blobs import MOST_BYTES, MOST_KEPT, Blobs
from editflow_trainer.mining.git import head_commit, is_shallow
from editflow_trainer.mining.history import Commit, read_history
from editflow_trainer.mining.reasons import Reason
from tests.trainer.mining.history_maker import commit, git, make


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make(tmp_path / "work")


def test_commits_come_newest_first_with_what_they_modified(repository: Path) -> None:
    commit(repository, "Start", {"a.py": "a\n", "b.py": "b\n"})
    second = commit(repository, "Change a\n\nBecause.\n:100644 no header\n", {"a.py": "A\n", "c.py": "c\n"})
    newest, oldest = read_history(repository)
    assert (newest.name, newest.parents, newest.subject) == (second, 1, "Change a")
    assert newest.message.endswith("\n:100644 no header") and newest.author == "Ada <ada@example.org>"
    assert newest.date == 1580601600
    (change,) = newest.changes
    assert change.path == "a.py"
    assert (oldest.parents, oldest.changes) == (0, ())
    with Blobs(repository) as blobs:
        assert blobs.read([change.new, change.old, change.new]) == ["A\n", "a\n", "A\n"]


def test_a_bare_clone_reads_the_same(repository: Path, tmp_path: Path) -> None:
    commit(repository, "Start", {"a.py": "a\n"})
    commit(repository, "Change", {"a.py": "A\n"})
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare.git")
    assert list(read_history(tmp_path / "bare.git")) == list(read_history(repository))


def test_limit_and_date_end_the_history(repository: Path) -> None:
    commit(repository, "Old", {"a": "1"})
    commit(repository, "New", {"a": "2"}, GIT_COMMITTER_DATE="2022-02-02T00:00:00Z")
    assert [c.message for c in read_history(repository, limit=1)] == ["New"]
    assert [c.message for c in read_history(repository, since="2021-01-01")] == ["New"]


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Commits of two people to two folders."""
    folder = make(tmp_path / "shared")
    eve = {"GIT_AUTHOR_NAME": "Eve", "GIT_AUTHOR_EMAIL": "eve@example.com"}
    commit(folder, "Start", {"src/a.py": "1\n", "tests/a.py": "1\n", "top.py": "1\n"})
    commit(folder, "Both", {"src/a.py": "2\n", "tests/a.py": "2\n"})
    commit(folder, "Tests", {"tests/a.py": "3\n"}, **eve)
    commit(folder, "Source", {"src/a.py": "3\n"}, **eve)
    return folder


def touched(folder: Path, *paths: str, **options: Any) -> list[tuple[str, list[str]]]:
    found = read_history(folder, paths=paths, **options)
    return [(one.message, [change.path for change in one.changes]) for one in found]


def test_paths_leave_out_other_commits_and_the_other_changes_of_these(shared: Path) -> None:
    assert touched(shared, "src") == [("Source", ["src/a.py"]), ("Both", ["src/a.py"]), ("Start", [])]
    assert touched(shared, "src/*.py", "top.py") == touched(shared, "src")
    assert [message for message, _ in touched(shared, ":(exclude)src")] == ["Tests", "Both", "Start"]
    assert touched(shared, "absent") == []


def test_paths_are_taken_from_the_top_in_bare_repositories_too(shared: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(shared), "bare.git")
    assert touched(tmp_path / "bare.git", "src", ":(exclude)tests") == touched(shared, "src")


def test_paths_that_look_like_options_are_paths(shared: Path) -> None:
    commit(shared, "Odd", {"--all/a.py": "1\n"})
    assert touched(shared, "--all") == [("Odd", [])]


def test_a_path_that_git_does_not_understand_is_an_error(shared: Path) -> None:
    with pytest.raises(EditFlowError, match="magic"):
        touched(shared, ":(nonsense)src")


def test_authors_are_found_by_name_and_address(shared: Path) -> None:
    for pattern in ("Eve", "eve@example", "^Eve <"):
        assert [message for message, _ in touched(shared, author=pattern)] == ["Source", "Tests"]
    assert touched(shared, author="--all") == []


def test_the_limit_counts_what_matches(shared: Path) -> None:
    assert [message for message, _ in touched(shared, "tests", author="Ada", limit=1)] == ["Both"]


def test_a_history_that_is_not_read_to_its_end_leaves_no_process(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(history, "Popen", start)
    commits = cast(Generator[Commit], read_history(shared))
    next(commits)
    commits.close()
    assert [process.returncode is None for process in started] == [False]


def test_merges_renames_links_and_submodules_modify_nothing(repository: Path) -> None:
    first = commit(repository, "Start", {"a.py": "a\n", "old.py": "one\ntwo\nthree\n"})
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{first},module")
    (repository / "link").symlink_to("a.py")
    git(repository, "add", "link", "a.py")
    git(repository, "commit", "--quiet", "--message", "Link")
    git(repository, "checkout", "--quiet", "-b", "side", first)
    commit(repository, "Side", {"a.py": "A\n"})
    git(repository, "checkout", "--quiet", "--force", "main")
    git(repository, "merge", "--quiet", "--no-ff", "--message", "Merge", "side")
    (repository / "link").unlink()
    (repository / "link").symlink_to("old.py")
    git(repository, "mv", "old.py", "new.py")
    git(repository, "update-index", "--cacheinfo", f"160000,{git(repository, 'rev-parse', 'HEAD')},module")
    git(repository, "add", "link")
    git(repository, "commit", "--quiet", "--message", "Move")
    found = {c.message: (c.parents, [change.path for change in c.changes]) for c in read_history(repository)}
    assert found == {
        "Start": (0, []),
        "Link": (1, []),
        "Side": (1, ["a.py"]),
        "Merge": (2, []),
        "Move": (1, []),
    }


def test_names_and_messages_that_are_not_utf8_are_read(repository: Path) -> None:
    odd = os.fsdecode(b"caf\xe9 \n x.py")
    commit(repository, "Start", {odd: "a\n"})
    commit(repository, "Change", {odd: "b\n"})
    newest = next(read_history(repository))
    assert [change.path for change in newest.changes] == ["caf\ufffd \n x.py"]


def test_what_is_no_text_to_mine_has_a_reason(repository: Path) -> None:
    contents = {"latin": b"caf\xe9", "zero": b"a\0b", "large": b"x" * (MOST_BYTES + 1), "empty": b""}
    contents |= {"dos": b"\xef\xbb\xbfa\r\nb\r\n"}
    commit(repository, "Start", contents)
    names = [git(repository, "rev-parse", f"HEAD:{name}") for name in contents]
    with Blobs(repository) as blobs:
        found = blobs.read([*names, "0" * 40])
    too_large, not_text = Reason.too_large, Reason.not_text
    assert found == [not_text, not_text, too_large, "", "a\nb\n", Reason.missing]


def test_more_blobs_than_are_kept_come_in_order(repository: Path) -> None:
    count = 5 * MOST_KEPT
    commit(repository, "Start", {f"{i:04d}": f"{i}\n" for i in range(count)})
    names = git(repository, "ls-tree", "--object-only", "HEAD").split()
    with Blobs(repository) as blobs:
        assert blobs.read(names) == [f"{i}\n" for i in range(count)]
        assert blobs.read(names[::-1]) == [f"{i}\n" for i in reversed(range(count))]


def test_a_partial_clone_is_not_fetched_into(repository: Path, tmp_path: Path) -> None:
    commit(repository, "Start", {"a.py": "a\n"})
    commit(repository, "Change", {"a.py": "A\n"})
    (repository / "b.py").write_text("here\n")
    git(repository, "config", "uploadpack.allowFilter", "true")
    address = repository.as_uri()
    git(tmp_path, "clone", "--quiet", "--bare", "--filter=blob:none", address, "partial.git")
    (change,) = next(read_history(tmp_path / "partial.git")).changes
    with Blobs(tmp_path / "partial.git") as blobs:
        assert blobs.read([change.old, change.new]) == [Reason.missing, Reason.missing]
        blob = git(tmp_path / "partial.git", "hash-object", "-w", "--path=a", str(repository / "b.py"))
        assert blobs.read([change.new, "0" * 40, blob]) == [Reason.missing, Reason.missing, "here\n"]


def test_shallow_clones_are_read_as_far_as_they_go(repository: Path, tmp_path: Path) -> None:
    for number in range(3):
        commit(repository, f"Commit {number}", {"a.py": f"{number}\n"})
    for depth in (1, 2):
        git(tmp_path, "clone", "--quiet", f"--depth={depth}", repository.as_uri(), f"depth{depth}")
    with pytest.raises(EditFlowError, match="unshallow"):
        head_commit(tmp_path / "depth1")
    assert [len(c.changes) for c in read_history(tmp_path / "depth2")] == [1, 0]
    assert is_shallow(tmp_path / "depth2") and not is_shallow(repository)


def test_folders_without_history_are_refused_on_one_line(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    commit(make(tmp_path / "outer"), "Start", {"inner/a.py": "a\n"})
    for folder in (repository, tmp_path / "plain", tmp_path / "absent", tmp_path / "outer" / "inner"):
        with pytest.raises(EditFlowError, match="no history") as caught:
            next(read_history(folder))
        assert "\n" not in str(caught.value)


def test_variables_of_another_repository_do_not_count(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(repository, "Here", {"a.py": "a\n"})
    commit(make(tmp_path / "other"), "There", {"a.py": "a\n"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert [c.message for c in read_history(repository)] == ["Here"]

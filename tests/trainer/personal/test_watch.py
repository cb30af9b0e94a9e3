"""When --watch trains: what counts as new, one training at a time, and the whole of it with a real repository."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.errors import EditFlowError
from editflow_trainer.personal import refs
from editflow_trainer.personal.child import Child
from editflow_trainer.personal.refs import Folders, follow
from editflow_trainer.personal.target import target_at
from editflow_trainer.personal.watch import Due, Watcher, new_commits, watch
from editflow_trainer.personal.workspace import private_folder, trained_head
from tests.trainer.mining.history_maker import commit, git, make
from tests.trainer.personal import pretended


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = make(tmp_path / "ada" / "shop")
    for number in range(3):
        commit(folder, f"Commit {number}", {f"{number}.py": f"{number}\n"})
    return folder


def head_of(folder: Path) -> str:
    return git(folder, "rev-parse", "HEAD")


@given(st.lists(st.integers(0, 30), max_size=6), st.integers(0, 30))
def test_what_any_training_knew_is_not_new(started: list[int], trained: int) -> None:
    """Heads are numbers here, and each holds the commits up to its own."""
    due = Due(20, lambda known, head: max(0, int(head) - int(known)))
    for head in started:
        due.started(str(head))
    assert due.new("40", str(trained)) == 40 - max(trained, *started, 0)


def test_all_is_new_where_nothing_was_trained_or_what_was_is_gone(repository: Path) -> None:
    assert new_commits(repository, "", head_of(repository)) == 3
    assert new_commits(repository, "1" * 40, head_of(repository)) == 3


def test_later_commits_are_new_and_going_back_brings_none(repository: Path) -> None:
    before = head_of(repository)
    after = commit(repository, "More", {"more.py": "1\n"})
    assert (new_commits(repository, before, after), new_commits(repository, after, before)) == (1, 0)


def test_another_message_is_not_new_but_another_content_is(repository: Path) -> None:
    trained = head_of(repository)
    git(repository, "commit", "--quiet", "--amend", "--message", "Better words")
    assert new_commits(repository, trained, head_of(repository)) == 0
    (repository / "2.py").write_text("better\n")
    git(repository, "commit", "--quiet", "--all", "--amend", "--no-edit")
    assert new_commits(repository, trained, head_of(repository)) == 1


def test_of_a_rebase_only_what_came_below_is_new(repository: Path) -> None:
    git(repository, "switch", "--quiet", "--create", "side", "HEAD~2")
    commit(repository, "Upstream", {"upstream.py": "1\n"})
    git(repository, "switch", "--quiet", "main")
    trained = head_of(repository)
    git(repository, "rebase", "--quiet", "side")
    assert int(git(repository, "rev-list", "--count", f"{trained}..HEAD")) == 3
    assert new_commits(repository, trained, head_of(repository)) == 1


def test_a_merge_is_not_new_but_what_it_brings_is(repository: Path) -> None:
    git(repository, "switch", "--quiet", "--create", "side", "HEAD~2")
    commit(repository, "Aside", {"aside.py": "1\n"})
    git(repository, "switch", "--quiet", "main")
    trained = head_of(repository)
    git(repository, "merge", "--quiet", "--no-ff", "--message", "Merge", "side")
    assert new_commits(repository, trained, head_of(repository)) == 1


def test_a_commit_that_was_collected_makes_all_new(repository: Path) -> None:
    trained = head_of(repository)
    git(repository, "reset", "--quiet", "--hard", "HEAD~1")
    git(repository, "reflog", "expire", "--expire=now", "--all")
    git(repository, "gc", "--quiet", "--prune=now")
    assert new_commits(repository, trained, head_of(repository)) == 2


class Pretended:
    """A training that ends when it is told to."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.found: dict[str, Any] | None = None
        self.ended = False

    def poll(self) -> int | None:
        return self.code

    def result(self) -> dict[str, Any] | None:
        return self.found

    def problem(self) -> str:
        return "it is too small"

    def end(self) -> None:
        self.ended = True


class Scene:
    """A watcher of a repository, with what it started and said."""

    def __init__(self, folder: Path, after: int) -> None:
        self.folder, self.target = folder, target_at(folder)
        self.started: list[Pretended] = []
        self.said: list[str] = []
        self.rebasing = False
        self.watcher = Watcher(self.target, after, self._start, self.said.append, lambda: self.rebasing)

    def _start(self) -> Child:
        self.started.append(Pretended())
        return cast(Child, self.started[-1])

    def commit(self, count: int) -> str:
        for number in range(count):
            commit(self.folder, "More", {"more.py": f"{time.monotonic_ns()} {number}\n"})
        return head_of(self.folder)

    def finish(self, found: dict[str, Any] | None) -> None:
        self.started[-1].found, self.started[-1].code = found, 2 if found is None else 0
        self.watcher.look(False)


def test_it_trains_when_enough_is_new_and_only_one_at_a_time(repository: Path) -> None:
    scene = Scene(repository, 4)
    scene.watcher.look(True)
    assert scene.started == [] and scene.said[-1].endswith("3 of 4 new commits")
    head = scene.commit(1)
    scene.watcher.look(False)
    assert scene.started == []  # nothing was said to have moved
    scene.watcher.look(True)
    assert len(scene.started) == 1 and scene.said[-1] == f"training at {head[:10]} in the background"
    scene.commit(4)
    scene.watcher.look(True)
    assert len(scene.started) == 1 and scene.said[-1].endswith("4 of 4 new commits")
    (private_folder(scene.target.root) / "trained").write_text(head)
    scene.finish({"installed": True, "adapter": "shop@1", "reason": "better", "report": "r.html"})
    assert scene.said[-2] == "trained; shop@1 is installed: better; report: r.html"
    assert len(scene.started) == 2  # for what came meanwhile


def test_after_a_failure_it_waits_for_as_many_new_commits_again(repository: Path) -> None:
    scene = Scene(repository, 3)
    scene.watcher.look(True)
    scene.finish(None)
    assert scene.said[-1] == "not trained: it is too small"
    scene.commit(2)
    scene.watcher.look(True)
    assert len(scene.started) == 1
    scene.commit(1)
    scene.watcher.look(True)
    assert len(scene.started) == 2


def test_going_to_and_fro_between_trained_branches_trains_nothing(repository: Path) -> None:
    scene = Scene(repository, 2)
    scene.watcher.look(True)
    scene.finish(None)
    git(repository, "switch", "--quiet", "--create", "side", "HEAD~2")
    scene.commit(3)
    scene.watcher.look(True)
    scene.finish(None)
    for branch in ("main", "side", "main"):
        git(repository, "switch", "--quiet", branch)
        scene.watcher.look(True)
    assert len(scene.started) == 2


def test_a_rebase_is_waited_for(repository: Path) -> None:
    scene = Scene(repository, 3)
    scene.rebasing = True
    scene.watcher.look(True)
    assert scene.started == []
    scene.rebasing = False
    scene.watcher.look(True)
    assert len(scene.started) == 1


def test_the_training_ends_with_the_watcher(repository: Path) -> None:
    scene = Scene(repository, 3)
    scene.watcher.look(True)
    scene.watcher.end()
    scene.watcher.end()
    assert scene.started[0].ended and scene.said.count("ending the training in the background") == 1


def test_what_git_refuses_is_said_and_a_folder_that_went_ends_it(repository: Path) -> None:
    scene = Scene(repository, 3)
    head = (repository / ".git" / "HEAD").read_text()
    (repository / ".git" / "HEAD").write_text("ref: refs/heads/none\n")
    scene.watcher.look(True)
    assert "finds no history" in scene.said[-1]
    (repository / ".git" / "HEAD").write_text(head)
    scene.watcher.look(True)
    assert len(scene.started) == 1
    shutil.rmtree(repository)
    with pytest.raises(EditFlowError, match="is gone"):
        scene.watcher.look(True)


@contextmanager
def following(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bool]]:
    """A function that waits for the next move, some seconds at most."""
    monkeypatch.setattr(refs, "REST", 0.15)
    with closing(follow(Folders.of(folder), threading.Event())) as moves:
        assert next(moves)  # the first look

        def moved() -> bool:
            return any(next(moves) for _ in range(20))

        assert not next(moves)
        yield moved


def test_all_that_moves_a_ref_is_seen(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with following(repository, monkeypatch) as moved:
        commit(repository, "More", {"more.py": "1\n"})
        assert moved()
        git(repository, "switch", "--quiet", "--create", "some/deep/branch")
        assert moved()
        commit(repository, "Even more", {"more.py": "2\n"})
        assert moved()
        git(repository, "pack-refs", "--all")
        assert moved()
        git(repository, "reset", "--quiet", "--hard", "HEAD~2")
        assert moved()


def test_a_linked_worktree_sees_its_own_head_and_the_shared_branches(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    git(repository, "worktree", "add", "--quiet", "-b", "side", str(tree))
    folders = Folders.of(tree)
    assert (folders.own, folders.shared) == (repository / ".git/worktrees/tree", repository / ".git")
    with following(tree, monkeypatch) as moved:
        commit(tree, "Aside", {"aside.py": "1\n"})
        assert moved()
        git(tree, "switch", "--quiet", "--detach", "HEAD~1")
        assert moved()


def test_a_bare_repository_sees_what_is_pushed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare.git")
    with following(tmp_path / "bare.git", monkeypatch) as moved:
        commit(repository, "More", {"more.py": "1\n"})
        git(repository, "push", "--quiet", str(tmp_path / "bare.git"), "main")
        assert moved()


def test_work_that_moves_no_ref_is_not_seen(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with following(repository, monkeypatch) as moved:
        (repository / "new.py").write_text("1\n")
        git(repository, "add", "new.py")
        (repository / ".git" / "refs" / "heads" / "main.lock").write_text("")
        assert not moved()


def test_a_rebase_that_waits_for_a_person_is_seen_as_one(repository: Path) -> None:
    git(repository, "switch", "--quiet", "--create", "side", "HEAD~1")
    commit(repository, "Another", {"2.py": "other\n"})
    assert not Folders.of(repository).rebasing
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "rebase", "--quiet", "main")
    assert Folders.of(repository).rebasing


def test_what_cannot_be_watched_is_an_error(repository: Path) -> None:
    folders = Folders(repository / "absent", repository / ".git")
    with (
        closing(follow(folders, threading.Event())) as moves,
        pytest.raises(EditFlowError, match="cannot be watched"),
    ):
        next(moves)


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Reads the calls of the pretended command."""
    file = tmp_path / "calls"
    monkeypatch.setenv("PRETENDED", str(file))
    return lambda: [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.05)


def wait_for_line(said: list[str], start: str) -> None:
    wait_for(lambda: any(line.startswith(start) for line in said))


def test_commits_are_counted_across_restarts_and_trained_in_the_background(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    calls: Callable[[], list[dict[str, Any]]],
) -> None:
    monkeypatch.setattr(refs, "REST", 0.2)
    target, command = target_at(repository), pretended.command(tmp_path)
    for number in range(2):  # two runs of the watcher
        said, stop = list[str](), threading.Event()
        options = {"stop": stop, "command": command}
        thread = threading.Thread(
            target=watch, args=(target, 3, ["--budget", "1m"], said.append), kwargs=options
        )
        thread.start()
        wait_for_line(said, "HEAD is at")
        if number == 1:
            assert said[-1].endswith(" 0 of 3 new commits")
            for _ in range(3):
                commit(repository, "More", {"more.py": f"{time.monotonic_ns()}\n"})
        wait_for_line(said, "trained; ")
        assert trained_head(target.root) == head_of(repository)
        stop.set()
        thread.join()
    first, _ = calls()
    assert first["arguments"] == ["--repo", str(repository), "--json", "--budget", "1m"]
    assert first["nice"] == 19 or os.nice(0) > 0
    assert int(first["environment"]["OMP_NUM_THREADS"]) >= 1


_MAIN = """
import sys
from pathlib import Path
from editflow_trainer.personal import refs
from editflow_trainer.personal.target import target_at
from editflow_trainer.personal.watch import watch

refs.REST = 0.2
watch(target_at(Path(sys.argv[1])), 1, [], lambda line: print(line, flush=True), command=sys.argv[2:])
print("torch" in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_interrupts_the_training_once_and_waits_for_it(
    number: signal.Signals, tmp_path: Path, calls: Callable[[], list[dict[str, Any]]]
) -> None:
    folder = make(tmp_path / "slow")
    commit(folder, "Start", {"a.py": "1\n"})
    line = [sys.executable, "-c", _MAIN, str(folder), *pretended.command(tmp_path)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        wait_for(calls)
        space = private_folder(target_at(folder).root)
        wait_for((space / "training.json").exists)
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert said.splitlines()[-2:] == ["ending the training in the background", "False"]
    assert (space / "interrupts").read_text().split() == [str(int(signal.SIGINT))]
    assert (space / "training.json").exists()
    assert "--resume" in (space / "train.log").read_text()

"""Which repository a file is of: real git, real clones, and repositories that mean no good."""

import os
from pathlib import Path

import pytest

from editflow.adapters.identity import (
    GitTimeoutError,
    git_folder_of,
    has_commit,
    root_commit,
    working_tree_of,
)
from editflow.errors import EditFlowError
from tests.core.adapters.making import git, make_repository


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


class TestWorkingTree:
    def test_is_the_nearest_one(self, repository: Path, tmp_path: Path) -> None:
        make_repository(repository / "vendor" / "inner")
        assert working_tree_of(repository / "a.py") == repository
        assert working_tree_of(repository / "not" / "there.py") == repository
        assert working_tree_of(repository) == repository
        assert working_tree_of(repository / "vendor" / "b.py") == repository
        assert working_tree_of(repository / "vendor" / "inner" / "a.py") == repository / "vendor" / "inner"
        assert working_tree_of(tmp_path / "a.py") is None

    def test_of_a_relative_path_is_here(self, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(repository)
        assert working_tree_of(Path("a.py")) == repository
        assert working_tree_of(Path("../a.py")) is None

    def test_linked_ones_share_the_git_folder(self, repository: Path, tmp_path: Path) -> None:
        git(repository, "worktree", "add", "--quiet", tmp_path / "linked")
        assert working_tree_of(tmp_path / "linked" / "a.py") == tmp_path / "linked"
        assert git_folder_of(tmp_path / "linked") == git_folder_of(repository) == repository / ".git"

    def test_a_submodule_is_a_repository_of_its_own(self, repository: Path, tmp_path: Path) -> None:
        root = make_repository(tmp_path / "library", "library")
        git(repository, "submodule", "--quiet", "add", tmp_path / "library", "lib")
        assert working_tree_of(repository / "lib" / "a.py") == repository / "lib"
        assert git_folder_of(repository / "lib") == repository / ".git" / "modules" / "lib"
        assert root_commit(repository / "lib") == root != root_commit(repository)

    @pytest.mark.parametrize("content", [b"", b"gitdir: none", b"gitdir: \0", b"\xff" * 9000, b"x"])
    def test_a_git_file_that_names_nothing_has_no_git_folder(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / ".git").write_bytes(content)
        assert working_tree_of(tmp_path / "a.py") == tmp_path
        assert git_folder_of(tmp_path) is None

    def test_a_link_to_nothing_is_none(self, tmp_path: Path) -> None:
        (tmp_path / ".git").symlink_to("nowhere")
        assert git_folder_of(tmp_path) is None


class TestRootCommit:
    def test_is_the_same_in_every_clone(self, repository: Path, tmp_path: Path) -> None:
        root = git(repository, "rev-list", "--max-parents=0", "HEAD")
        git(tmp_path, "clone", "--quiet", repository, "clone")
        git(tmp_path, "clone", "--quiet", "--bare", repository, "bare")
        git(tmp_path, "clone", "--quiet", "--filter=blob:none", f"file://{repository}", "partial")
        git(repository, "worktree", "add", "--quiet", tmp_path / "linked")
        for name in ("repository", "clone", "bare", "partial", "linked"):
            assert root_commit(tmp_path / name) == root

    def test_of_two_histories_is_the_older_one(self, repository: Path) -> None:
        older = root_commit(repository)
        git(repository, "checkout", "--quiet", "--orphan", "other")
        git(repository, "commit", "--quiet", "-m", "other", date=1_700_000_000)
        assert root_commit(repository) != older
        git(repository, "merge", "--quiet", "--allow-unrelated-histories", "-m", "both", "main")
        assert root_commit(repository) == older

    def test_is_not_what_a_replacement_makes_of_it(self, repository: Path) -> None:
        root = root_commit(repository)
        git(repository, "replace", "--graft", "HEAD")
        assert git(repository, "rev-list", "--max-parents=0", "HEAD") != root
        assert root_commit(repository) == root

    def test_is_that_of_the_folder_even_in_a_hook(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = root_commit(repository)
        make_repository(tmp_path / "other", "other")
        monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
        assert root_commit(repository) == root

    def test_without_a_commit_is_refused(self, tmp_path: Path) -> None:
        make_repository(tmp_path / "empty", commits=0)
        with pytest.raises(EditFlowError, match=r"git finds no history in .*empty \(bad revision"):
            root_commit(tmp_path / "empty")

    def test_outside_of_a_repository_is_refused_even_inside_of_one(self, repository: Path) -> None:
        (repository / "sub").mkdir()
        for folder in (repository / "sub", repository / "none"):
            with pytest.raises(EditFlowError, match="git finds no history"):
                root_commit(folder)

    def test_of_a_shallow_clone_is_unknown(self, repository: Path, tmp_path: Path) -> None:
        git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", "shallow")
        with pytest.raises(EditFlowError, match="git fetch --unshallow"):
            root_commit(tmp_path / "shallow")

    def test_of_a_damaged_history_is_unknown(self, repository: Path) -> None:
        first = root_commit(repository)
        path = repository / ".git" / "objects" / first[:2] / first[2:]
        path.chmod(0o600)
        path.write_bytes(b"damaged")
        with pytest.raises(EditFlowError, match="git finds no history") as caught:
            root_commit(repository)
        assert str(caught.value).isprintable()

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="gives a folder away")
    def test_of_somebody_elses_repository_is_unknown(self, repository: Path) -> None:
        os.chown(repository, 12345, 12345)
        os.chown(repository / ".git", 12345, 12345)
        with pytest.raises(EditFlowError, match="dubious ownership"):
            root_commit(repository)

    def test_with_a_path_in_no_encoding(self, repository: Path, tmp_path: Path) -> None:
        odd = repository.rename(tmp_path / os.fsdecode(b"r\xff\n"))
        assert root_commit(odd) == git(odd, "rev-list", "--max-parents=0", "HEAD")
        with pytest.raises(EditFlowError) as caught:
            root_commit(tmp_path / os.fsdecode(b"none\xff\n"))
        assert str(caught.value).isprintable()


class TestGit:
    def test_runs_nothing_that_a_repository_names(self, repository: Path, tmp_path: Path) -> None:
        spy = str(script(tmp_path / "spy", f"touch {tmp_path}/ran"))
        for setting in (
            "core.fsmonitor",
            "core.sshCommand",
            "core.pager",
            "core.editor",
            "core.alternateRefsCommand",
            "gpg.program",
            "diff.external",
            "credential.helper",
            "uploadpack.packObjectsHook",
        ):
            git(repository, "config", setting, spy)
        git(repository, "config", "log.showSignature", "true")
        git(repository, "config", "alias.rev-list", f"!{spy}")
        for hook in ("post-checkout", "post-index-change", "reference-transaction"):
            script(repository / ".git" / "hooks" / hook, spy)
        root = root_commit(repository)
        assert has_commit(repository, root)
        assert not (tmp_path / "ran").exists()

    def test_fetches_nothing_that_is_missing(self, repository: Path, tmp_path: Path) -> None:
        git(repository, "config", "uploadpack.allowFilter", "true")
        git(
            tmp_path,
            "clone",
            "--quiet",
            "--filter=tree:0",
            "--no-checkout",
            f"file://{repository}",
            "partial",
        )
        tree = git(repository, "rev-parse", "HEAD^{tree}")
        assert not has_commit(tmp_path / "partial", tree)
        assert not has_commit(tmp_path / "partial", "0" * 40)
        assert git(tmp_path / "partial", "rev-list", "--objects", "--missing=print", "HEAD").count("?") > 0

    def test_is_not_waited_for_for_ever(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        script(tmp_path / "bin" / "git", "exec sleep 10")
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
        with pytest.raises(GitTimeoutError, match=r"git did not answer within 0\.05 seconds in "):
            root_commit(repository, timeout=0.05)

    def test_that_is_not_installed_is_said(
        self, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(EditFlowError, match="git cannot be run"):
            root_commit(repository)

    def test_has_a_commit_or_not(self, repository: Path) -> None:
        assert has_commit(repository, root_commit(repository))
        assert not has_commit(repository, "0" * 40)
        assert not has_commit(repository, git(repository, "rev-parse", "HEAD^{tree}"))

"""Which repository a folder means, and what is said where it means none or one that cannot be learned from."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from editflow.errors import EditFlowError
from editflow_trainer.mining.exclusion import Exclusion
from editflow_trainer.mining.miner import mine_all
from editflow_trainer.mining.repository import Repository
from editflow_trainer.mining.store import Store
from editflow_trainer.personal.code import functions_at
from editflow_trainer.personal.material import mine
from editflow_trainer.personal.options import ENOUGH, Options
from editflow_trainer.personal.split import LEAST_COMMITS
from editflow_trainer.personal.target import target_at
from editflow_trainer.personal.workspace import claimed
from tests.trainer.mining.history_maker import ENVIRONMENT, SHOP, commit, git, make, replaced

NOUNS = (
    "rate",
    "price",
    "owner",
    "total",
    "basket",
    "customer",
    "delivery",
    "invoice",
    "stock",
    "order",
    "refund",
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = make(tmp_path / "ada" / "shop")
    commit(folder, "Start", {"src/shop.py": SHOP})
    commit(folder, "Fix", {"src/shop.py": replaced("amount + tax", "amount * tax")})
    return folder


def root_of(folder: Path) -> str:
    return git(folder, "rev-list", "--max-parents=0", "HEAD")


def test_a_working_tree_is_found_from_any_of_its_folders(repository: Path) -> None:
    found = target_at(repository)
    assert (found.folder, found.name, found.short) == (repository, "ada/shop", "shop")
    assert (found.root, found.head) == (root_of(repository), git(repository, "rev-parse", "HEAD"))
    assert target_at(repository / "src") == found


def test_a_bare_repository_is_one_but_a_folder_in_it_is_not(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "shop.git")
    found = target_at(tmp_path / "shop.git")
    assert (found.folder, found.root) == (tmp_path / "shop.git", root_of(repository))
    with pytest.raises(EditFlowError, match="not in a git repository"):
        target_at(tmp_path / "shop.git" / "refs")


def test_a_linked_worktree_is_the_same_repository_at_its_own_commit(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "tree"), "HEAD~1")
    found = target_at(tmp_path / "tree")
    assert (found.folder, found.root) == (tmp_path / "tree", root_of(repository))
    assert found.head == git(repository, "rev-parse", "side") != target_at(repository).head


def test_a_submodule_is_a_repository_of_its_own(repository: Path, tmp_path: Path) -> None:
    outer = make(tmp_path / "outer")
    commit(outer, "Outer", {"a.py": "1\n"})
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "inner")
    commit(outer, "With a module", {})
    inner = target_at(outer / "inner" / "src")
    assert (inner.folder, inner.root) == (outer / "inner", root_of(repository))
    assert target_at(outer).root == root_of(outer) != inner.root


def test_a_folder_without_git_is_none(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(EditFlowError, match=r"plain is not in a git repository: git init makes one"):
        target_at(tmp_path / "plain")
    with pytest.raises(EditFlowError, match=r"absent is not a folder"):
        target_at(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(EditFlowError, match=r"file is not a folder"):
        target_at(tmp_path / "file")


def test_a_repository_without_a_commit_has_no_history(tmp_path: Path) -> None:
    with pytest.raises(EditFlowError, match="no history"):
        target_at(make(tmp_path / "empty"))


def test_a_folder_that_only_looks_like_a_repository_is_none(tmp_path: Path) -> None:
    (tmp_path / "odd" / ".git").mkdir(parents=True)
    with pytest.raises(EditFlowError, match="no history"):
        target_at(tmp_path / "odd")


def test_a_shallow_clone_must_fetch_the_rest(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), "shallow")
    with pytest.raises(EditFlowError, match="git fetch --unshallow"):
        target_at(tmp_path / "shallow")


def test_without_git_nothing_can_be_found(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EditFlowError, match=r"git cannot be run .*install it"):
        target_at(repository)


def test_variables_of_a_hook_name_no_other_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make(tmp_path / "other")
    commit(other, "Other", {"a.py": "1\n"})
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.delenv("GIT_DIR")
    expected = target_at(repository)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert target_at(repository) == expected


def mine_here(folder: Path, options: Options | None = None) -> None:
    target = target_at(folder)
    with claimed(target.root) as space:
        mine(target, space.mined, (options or Options()).mining(), lambda line: None)


def test_one_commit_is_too_little_and_says_so(tmp_path: Path) -> None:
    folder = make(tmp_path / "one")
    commit(folder, "Start", {"shop.py": SHOP})
    with pytest.raises(EditFlowError, match=r"has 1 commits with 0 edits .* too little to learn from"):
        mine_here(folder)


def changed(number: int) -> str:
    """The shop with a method of its own for each number, so that no two changes are alike."""
    rng = random.Random(number)
    lines = (
        "        {} = {}.{}({}, {})\n".format(
            *(f"{rng.choice(NOUNS)}_{rng.randrange(999)}" for _ in range(5))
        )
        for _ in range(4)
    )
    return replaced("        return amount + tax\n", "".join(lines) + "        return amount + tax\n")


def test_what_was_mined_is_kept_until_options_or_commits_change(tmp_path: Path) -> None:
    folder = make(tmp_path / "ada" / "shop")
    commit(folder, "Start", {"shop.py": SHOP})
    for number in range(LEAST_COMMITS + 2):
        commit(folder, f"Fix {number}", {"shop.py": changed(number)})
    target = target_at(folder)
    settings, said = Options().mining(), list[str]()
    with claimed(target.root) as space:
        _, split = mine(target, space.mined, settings, said.append)
        again = mine(target, space.mined, settings, said.append)[1]
        assert again == split and len(said) == 1
        assert split.held_out[0].commit == target.head
        mine(target, space.mined, Options(author="Ada").mining(), said.append)
        assert len(said) == 2
        (space.mined / "manifest.json").write_text("{")
        assert mine(target, space.mined, settings, said.append)[1] == split
        assert not (space.mined / "candidates" / "ada+shop.parquet").exists()


def test_paths_that_are_not_utf8_are_read_past(repository: Path) -> None:
    odd = os.fsdecode(b"src/caf\xe9.py")
    commit(repository, "Odd", {odd: SHOP.replace("Shop", "Cafe"), "link": "", "src/latin.py": b"# \xe9\n"})
    (repository / "link").unlink()
    (repository / "link").symlink_to("src/shop.py")
    commit(repository, "Change", {odd: SHOP.replace("Shop", "Café")})
    target = target_at(repository)
    found = {function.path for function in functions_at(repository, target.head, target.name)}
    assert found == {"src/shop.py", "src/caf\ufffd.py"}
    with pytest.raises(EditFlowError, match="too little"):
        mine_here(repository)


def test_functions_are_those_of_the_commit_not_of_the_working_tree(repository: Path) -> None:
    (repository / "src" / "shop.py").write_text("broken(")
    head = git(repository, "rev-parse", "HEAD")
    for name, formula in ((head, "amount * tax"), (f"{head}~1", "amount + tax")):
        texts = [function.text for function in functions_at(repository, name, "shop")]
        assert sum(formula in text for text in texts) == 1 and len(texts) == 3
    with pytest.raises(EditFlowError):
        list(functions_at(repository, "0" * 40, "shop"))


def test_foreign_files_are_not_the_repositorys_own_code(repository: Path) -> None:
    files = {"vendor/a.py": SHOP, "gen_pb2.py": SHOP, "a.js": "function f() {}\n"}
    head = commit(repository, "More", files)
    assert {function.path for function in functions_at(repository, head, "shop")} == {"src/shop.py"}


def damage(folder: Path, name: str, size: int) -> None:
    """Cut off a loose object."""
    path = folder / ".git" / "objects" / name[:2] / name[2:]
    path.chmod(0o600)
    os.truncate(path, size)


def large(number: int) -> str:
    """A text that stays large when it is compressed."""
    return SHOP + "".join(f"VALUE_{place} = {hash((place, number))}\n" for place in range(2000))


def test_a_damaged_text_in_the_history_is_one_clear_line_and_loses_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path / "ada" / "shop")
    for number in range(3):
        commit(folder, f"Commit {number}", {"shop.py": large(number)})
    settings = Options().mining()
    target = target_at(folder)
    with claimed(target.root) as space:
        mine_all([Repository(target.name, folder)], space.mined, settings)
        commit(folder, "Last", {"shop.py": large(9)})
        damage(folder, git(folder, "rev-parse", "HEAD~1:shop.py"), 9000)
        with pytest.raises(EditFlowError, match=r"git cannot read all of .* \(.+\): run git fsck") as caught:
            mine(target_at(folder), space.mined, settings, lambda line: None)
        assert "\n" not in str(caught.value)
        kept = Store(space.mined, settings.as_json(Exclusion().fingerprint))
        assert kept.entries["ada/shop"].head == target.head
    with pytest.raises(EditFlowError, match="run git fsck"):
        list(functions_at(folder, "HEAD~1", "shop"))


def test_a_damaged_commit_is_one_clear_line(repository: Path) -> None:
    damage(repository, git(repository, "rev-parse", "HEAD~1"), 20)
    with pytest.raises(EditFlowError, match=root_of_message(repository)):
        target_at(repository)


def root_of_message(folder: Path) -> str:
    """What git says of an object of its own that it cannot read; its words differ between versions."""
    return rf"git finds no history in {folder} \(.+\)"


HUNDRED_THOUSAND = 100_000


@pytest.mark.slow
def test_of_a_hundred_thousand_commits_only_the_newest_are_mined(tmp_path: Path) -> None:
    """Each changes a function in one of 100 files."""
    folder = make(tmp_path / "ada" / "huge")
    with subprocess.Popen(
        ["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE, env=ENVIRONMENT
    ) as importer:
        assert importer.stdin is not None
        for number in range(HUNDRED_THOUSAND):
            text = changed(number).encode()
            message = f"Fix {number}".encode()
            importer.stdin.write(
                b"commit refs/heads/main\ncommitter Ada <ada@example.org> %d +0000\ndata %d\n%s\n"
                % (1_600_000_000 + number, len(message), message)
                + b"M 100644 inline lib/shop%d.py\ndata %d\n%s\n" % (number % 100, len(text), text)
            )
    assert importer.returncode == 0
    start = time.monotonic()
    target = target_at(folder)
    found = time.monotonic()
    with claimed(target.root) as space:
        entry, split = mine(target, space.mined, Options().mining(), lambda line: None)
    print(f"found in {found - start:.1f} s, mined in {time.monotonic() - found:.1f} s: {entry.commits}")
    assert ENOUGH <= entry.commits.seen < HUNDRED_THOUSAND / 5
    assert split.held_out[0].commit == target.head

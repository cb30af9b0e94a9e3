"""`editflow fix` with adapters: each file's repository has its own, and what is used is said, or why not."""

import json
import shutil
from pathlib import Path

import pytest

from editflow.adapters.adapter import CONFIG, WEIGHTS, Adapter
from editflow.adapters.store import AdapterStore
from editflow.checkpoint import Checkpoint
from tests.core.adapters.making import ROOT, git, make_adapter, make_repository
from tests.core.shell import Engine, Shell
from tests.core.wild import wild_checkpoint

BROKEN = "def f(value):\n    return valeu\n"
SAID = "editflow: using {}, trained on this repository (--adapter none: without it)\n"


@pytest.fixture
def repository(template: Path, tmp_path: Path) -> Path:
    """A repository below the current folder, with two broken files."""
    folder = shutil.copytree(template, tmp_path / "poetry")
    for name in ("a.py", "b.py"):
        (folder / name).write_text(BROKEN)
    return folder


@pytest.fixture
def adapter(repository: Path, root: str, tmp_path: Path) -> Adapter:
    """The one in use for the repository, of the shipped model."""
    staged = make_adapter(tmp_path / "staged", Checkpoint.read("default"), root=root)
    return AdapterStore().install(staged.folder)


@pytest.fixture
def stale(repository: Path, root: str, tokenizer_file: Path, tmp_path: Path) -> Adapter:
    """The one in use, of another model."""
    base = Checkpoint.read(str(wild_checkpoint(tokenizer_file)))
    return AdapterStore().install(make_adapter(tmp_path / "staged", base, root=root).folder)


def models(shell: Shell) -> list[str]:
    return [json.loads(line)["model"] for line in shell.out.splitlines()]


def test_of_the_repository_is_used_and_said_once(shell: Shell, engine: Engine, adapter: Adapter) -> None:
    assert shell("fix", "poetry/a.py", "poetry/b.py") == 0
    assert shell.err == SAID.format(adapter.name)
    assert shell.out.startswith("diff --git")
    assert engine.adapters == [adapter]


def test_is_told_by_the_model_in_json_and_nowhere_else(
    shell: Shell, engine: Engine, adapter: Adapter
) -> None:
    assert shell("fix", "poetry/a.py", "poetry/b.py", "--json") == 0
    assert models(shell) == [f"fake@01234567+{adapter.name}"] * 2
    assert shell.err == ""
    assert shell("fix", "poetry/a.py", "--json", err=True) == 0
    assert shell.err == SAID.format(adapter.name)


def test_each_repository_has_its_own(shell: Shell, engine: Engine, adapter: Adapter, tmp_path: Path) -> None:
    root = make_repository(tmp_path / "other", "other")
    make_repository(tmp_path / "plain", "plain")
    staged = make_adapter(tmp_path / "two", Checkpoint.read("default"), root=root, name="other", seed=2)
    other = AdapterStore().install(staged.folder)
    (tmp_path / "a.py").write_text(BROKEN)
    names = ["poetry/a.py", "other/a.py", "plain/a.py", "a.py", "poetry/b.py"]
    assert shell("fix", *names, "--json") == 0
    plain = "fake@01234567"
    first, second = (f"{plain}+{each.name}" for each in (adapter, other))
    assert models(shell) == [first, second, plain, plain, first]
    assert engine.adapters == [adapter, other]


def test_none_uses_none_and_says_nothing(shell: Shell, engine: Engine, adapter: Adapter) -> None:
    assert shell("fix", "poetry/a.py", "--adapter", "none", "--json", err=True) == 0
    assert models(shell) == ["fake@01234567"]
    assert engine.adapters == [] and shell.err == ""


def test_standard_input_is_of_the_current_folder(
    shell: Shell, engine: Engine, adapter: Adapter, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell("fix", "-", "--json", stdin=BROKEN.encode()) == 0
    assert models(shell) == ["fake@01234567"]
    monkeypatch.chdir(repository)
    assert shell("fix", "-", "--json", stdin=BROKEN.encode()) == 0
    assert models(shell) == [f"fake@01234567+{adapter.name}"]


def test_a_filter_is_silent_but_on_a_terminal(
    shell: Shell, engine: Engine, adapter: Adapter, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    assert shell("fix", "-", stdin=BROKEN.encode()) == 0
    assert (shell.out, shell.err) == (BROKEN.replace("valeu", "value"), "")
    assert shell("fix", "-", stdin=BROKEN.encode(), err=True) == 0
    assert SAID.format(adapter.name) in shell.err


def test_of_another_base_is_said_once_and_left(shell: Shell, engine: Engine, stale: Adapter) -> None:
    default = Checkpoint.read("default").name
    assert shell("fix", "poetry/a.py", "poetry/b.py", "--json") == 0
    assert models(shell) == ["fake@01234567"] * 2
    assert shell.err == (
        f"editflow: {stale.name} was trained for {stale.base_name}, this is {default}: "
        f"run editflow train again ({default} is used without it)\n"
    )


def test_of_another_base_is_refused_where_it_is_named(shell: Shell, engine: Engine, stale: Adapter) -> None:
    for named in (stale.name, str(stale.folder)):
        assert shell("fix", "poetry/a.py", "poetry/b.py", "--adapter", named) == 2
        assert (shell.out, shell.err.count("\n")) == ("", 1)
        assert "was trained for wild@" in shell.err
    assert engine.requests == []


def test_that_is_named_is_used_for_any_file(
    shell: Shell, engine: Engine, adapter: Adapter, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text(BROKEN)
    for named in (adapter.name, "poetry", "./staged", tmp_path / "staged"):
        assert shell("fix", "a.py", "--adapter", named, "--json") == 0
        assert models(shell) == [f"fake@01234567+{adapter.name}"]
        assert shell.err == ""


@pytest.mark.parametrize("named", ["nobody", "staged", "", "./nowhere", "poetry@0"])
def test_that_is_not_there_is_refused(shell: Shell, engine: Engine, adapter: Adapter, named: str) -> None:
    assert shell("fix", "poetry/a.py", "--adapter", named) == 2
    assert (shell.out, shell.err.count("\n")) == ("", 1)
    assert engine.requests == []


@pytest.mark.parametrize("member", [CONFIG, WEIGHTS])
def test_that_is_damaged_is_said_and_left(
    shell: Shell, engine: Engine, adapter: Adapter, member: str
) -> None:
    (adapter.folder / member).write_bytes(b"{")
    assert shell("fix", "poetry/a.py", "poetry/b.py", "--json") == 0
    assert models(shell) == ["fake@01234567"] * 2
    assert member in shell.err and shell.err.count("\n") == 1
    assert shell("fix", "poetry/a.py", "--adapter", adapter.folder) == 2
    assert shell.out == ""


def test_of_a_store_that_others_may_open_is_not_used(shell: Shell, engine: Engine, adapter: Adapter) -> None:
    AdapterStore().folder.chmod(0o777)
    assert shell("fix", "poetry/a.py", "--json") == 0
    assert models(shell) == ["fake@01234567"]
    assert "chmod 700" in shell.err and shell.err.count("\n") == 1


def test_over_another_model_is_one_that_was_trained_for_it(
    shell: Shell, stale: Adapter, tokenizer_file: Path
) -> None:
    folder = wild_checkpoint(tokenizer_file)
    assert shell("fix", "poetry/a.py", "--model", folder, "--device", "cpu", "--json") == 0
    assert models(shell) == [f"{stale.base_name}+{stale.name}"]
    assert shell.err == ""


def test_a_repository_cannot_bring_one_along(
    shell: Shell, engine: Engine, repository: Path, root: str
) -> None:
    make_adapter(repository / ".git" / "editflow", Checkpoint.read("default"), root=root)
    (repository / "editflow.toml").write_text(f'adapter = "{repository}/.git/editflow"\n')
    git(repository, "config", "editflow.adapter", ROOT)
    assert shell("fix", "poetry/a.py", "--json") == 0
    assert models(shell) == ["fake@01234567"]

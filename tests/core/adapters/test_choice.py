"""Which adapter is used: as asked for, or the repository's own where it fits."""

from pathlib import Path

import pytest

from editflow.adapters.adapter import CONFIG, Adapter
from editflow.adapters.choice import Chosen, choose
from editflow.adapters.store import AdapterStore
from editflow.checkpoint import Checkpoint
from editflow.errors import EditFlowError
from tests.core.adapters.making import make_adapter


@pytest.fixture
def installed(tmp_path: Path, store: AdapterStore, root: str, base: Checkpoint) -> Adapter:
    return store.install(make_adapter(tmp_path / "staged", base, root=root).folder)


@pytest.fixture
def other_base(base: Checkpoint) -> Checkpoint:
    return Checkpoint(base.folder, base.config | {"files": {"model.safetensors": {"sha256": "0f" * 32}}})


def test_auto_is_the_repositorys_own(
    store: AdapterStore, installed: Adapter, repository: Path, base: Checkpoint, tmp_path: Path
) -> None:
    assert choose("auto", repository / "a.py", base, store) == Chosen(installed)
    assert choose("auto", tmp_path / "a.py", base, store) == Chosen()
    assert choose("none", repository / "a.py", base, store) == Chosen()


def test_auto_without_a_file_is_that_of_the_current_folder(
    store: AdapterStore,
    installed: Adapter,
    repository: Path,
    base: Checkpoint,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(repository)
    assert choose("auto", None, base, store).adapter == installed
    monkeypatch.chdir(tmp_path)
    assert choose("auto", None, base, store).adapter is None


def test_auto_in_a_folder_that_is_gone_is_said(
    store: AdapterStore, installed: Adapter, base: Checkpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert choose("auto", None, base, store).problem.startswith("the repository's adapter cannot be found: ")


def test_auto_says_what_is_wrong_and_never_raises(
    store: AdapterStore, installed: Adapter, repository: Path, base: Checkpoint, other_base: Checkpoint
) -> None:
    chosen = choose("auto", repository, other_base, store)
    assert chosen.adapter is None
    assert chosen.problem == (
        f"{installed.name} was trained for {base.name}, this is wild@0f0f0f0f: run editflow train again "
        "(wild@0f0f0f0f is used without it)"
    )
    (installed.folder / CONFIG).write_text("{")
    chosen = choose("auto", repository, base, store)
    assert chosen.adapter is None and CONFIG in chosen.problem
    store.folder.chmod(0o755)
    assert "chmod 700" in choose("auto", repository, base, store).problem


def test_a_name_or_a_folder_is_used_wherever_the_file_is(
    store: AdapterStore,
    installed: Adapter,
    base: Checkpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert choose("poetry", None, base, store).adapter == installed
    assert choose(str(tmp_path / "staged"), None, base, store).adapter == Adapter.read(tmp_path / "staged")
    monkeypatch.chdir(tmp_path)
    assert choose("./staged", None, base, store).adapter == Adapter.read(Path("staged"))


@pytest.mark.parametrize("choice", ["", "staged", "nobody", "./nowhere", ".", "..", "/"])
def test_what_is_not_there_is_refused(
    store: AdapterStore,
    installed: Adapter,
    base: Checkpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    choice: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EditFlowError):
        choose(choice, None, base, store)


def test_a_name_or_a_folder_of_another_base_is_refused(
    store: AdapterStore, installed: Adapter, other_base: Checkpoint, tmp_path: Path
) -> None:
    for choice in ("poetry", str(tmp_path / "staged")):
        with pytest.raises(EditFlowError, match="was trained for wild@"):
            choose(choice, None, other_base, store)

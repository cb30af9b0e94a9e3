"""`editflow adapters` as a shell sees it: what is listed, chosen, handed on and removed."""

import json
import shutil
from pathlib import Path

import pytest

from editflow.adapters.adapter import CONFIG, REPORT, WEIGHTS, Adapter
from editflow.adapters.store import AdapterStore, training_folder
from editflow.checkpoint import Checkpoint
from editflow.outcomes import outcomes_file
from tests.core.adapters.making import make_adapter
from tests.core.shell import Shell

MEASURED = {
    "evaluation": {
        "held_out": {"cases": 200, "before": 12, "after": 21},
        "clean": {"cases": 400, "before": 3, "after": 2},
    }
}


@pytest.fixture
def repository(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, which is the current folder, and its twin; all user folders are in the test's own."""
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    shutil.copytree(template, tmp_path / "twin")
    monkeypatch.chdir(shutil.copytree(template, tmp_path / "poetry"))
    return tmp_path / "poetry"


@pytest.fixture
def adapters(tmp_path: Path, repository: Path, root: str) -> list[Adapter]:
    """Two of the repository, the newer one in use, then one of another repository."""
    base = Checkpoint.read("default")
    made = [
        make_adapter(tmp_path / "one", base, root=root, seed=1),
        make_adapter(tmp_path / "two", base, root=root, seed=2, facts=MEASURED),
        make_adapter(tmp_path / "three", base, name="zebra", seed=3),
    ]
    (made[1].folder / REPORT).write_text("<p>how it went")
    return [AdapterStore().install(adapter.folder) for adapter in made]


class TestList:
    def test_names_each_with_what_it_did(
        self, shell: Shell, repository: Path, adapters: list[Adapter]
    ) -> None:
        assert shell("adapters", "list") == 0
        newer, older, other = shell.out.splitlines()
        assert (
            newer.split()
            == (
                f"{adapters[1].name} in use {adapters[1].created[:10]} 0.0 MB for {adapters[1].base_name} "
                "held out 12 -> 21 of 200 clean changed 3 -> 2 of 400"
            ).split()
        )
        assert older.split()[:2] == [adapters[0].name, adapters[0].created[:10]]
        assert "held out" not in older
        assert other.split()[:3] == [adapters[2].name, "in", "use"]
        assert shell.err == ""

    def test_as_json(self, shell: Shell, repository: Path, adapters: list[Adapter], root: str) -> None:
        assert shell("adapters", "list", "--json") == 0
        first, second, _ = map(json.loads, shell.out.splitlines())
        adapter = adapters[1]
        assert first == {
            "name": adapter.name,
            "repository": "poetry",
            "root": root,
            "base": adapter.base_name,
            "created": adapter.created,
            "size": sum(path.stat().st_size for path in adapter.folder.iterdir()),
            "in_use": True,
            "folder": str(adapter.folder),
            "report": str(adapter.folder / REPORT),
            "held_out": MEASURED["evaluation"]["held_out"],
            "clean": MEASURED["evaluation"]["clean"],
        }
        assert (second["in_use"], second["report"], second["held_out"]) == (False, None, None)

    def test_of_nothing_says_how_to_get_one(self, shell: Shell, repository: Path) -> None:
        assert shell("adapters", "list") == 0
        assert (shell.out, shell.err.count("editflow train")) == ("", 1)

    def test_says_what_is_damaged_and_goes_on(
        self, shell: Shell, repository: Path, adapters: list[Adapter]
    ) -> None:
        (adapters[1].folder / CONFIG).write_text("{")
        assert shell("adapters", "list") == 2
        assert [line.split()[0] for line in shell.out.splitlines()] == [adapters[0].name, adapters[2].name]
        assert shell.err.startswith("editflow: ") and CONFIG in shell.err and shell.err.count("\n") == 1

    @pytest.mark.parametrize(
        "evaluation",
        [
            None,
            3,
            [],
            {"held_out": None},
            {"held_out": {"cases": "a"}},
            {"held_out": {"cases": True, "before": 1}},
        ],
    )
    def test_bears_any_facts(
        self, shell: Shell, repository: Path, tmp_path: Path, evaluation: object
    ) -> None:
        adapter = make_adapter(tmp_path / "one", Checkpoint.read("default"), facts={"evaluation": evaluation})
        AdapterStore().install(adapter.folder)
        assert shell("adapters", "list", "--json") == 0
        assert json.loads(shell.out)["held_out"] is None


class TestShow:
    def test_the_one_in_use_here(self, shell: Shell, repository: Path, adapters: list[Adapter]) -> None:
        assert shell("adapters", "show") == 0
        page = shell.out
        for fact in (adapters[1].name, "12 -> 21 of 200", "3 -> 2 of 400", "in use         yes", REPORT):
            assert fact in page
        assert page.endswith("# What poetry taught\n")
        assert shell("adapters", "show", adapters[1].name) == 0
        assert shell.out == page

    def test_as_json_has_all_facts(self, shell: Shell, repository: Path, adapters: list[Adapter]) -> None:
        assert shell("adapters", "show", "zebra", "--json") == 0
        assert json.loads(shell.out)["facts"] == {}
        assert shell("adapters", "show", "--json") == 0
        assert json.loads(shell.out)["facts"] == MEASURED

    def test_none_is_said(
        self, shell: Shell, repository: Path, adapters: list[Adapter], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(repository.parent)
        assert shell("adapters", "show") == 2
        assert "no adapter is in use here" in shell.err

    def test_a_card_cannot_write_to_the_terminal(
        self, shell: Shell, repository: Path, tmp_path: Path
    ) -> None:
        adapter = make_adapter(tmp_path / "one", Checkpoint.read("default"), card="# \x1b]0;title\x07\n")
        AdapterStore().install(adapter.folder)
        assert shell("adapters", "show", "poetry") == 0
        assert "\x1b" not in shell.out and "␛]0;title␇" in shell.out

    def test_a_damaged_one_is_said(self, shell: Shell, repository: Path, adapters: list[Adapter]) -> None:
        (adapters[1].folder / WEIGHTS).write_bytes(b"")
        assert shell("adapters", "show") == 2
        assert "truncated" in shell.err and shell.err.count("\n") == 1


class TestUse:
    def test_an_older_one_then_none(self, shell: Shell, repository: Path, adapters: list[Adapter]) -> None:
        assert shell("adapters", "use", adapters[0].name) == 0
        assert shell.out == f"{adapters[0].name} is used from now on\n"
        assert AdapterStore().find(repository) == adapters[0]
        assert shell("adapters", "use", "none") == 0
        assert shell.out == "no adapter is used from now on\n"
        assert AdapterStore().find(repository) is None
        assert shell("adapters", "use", "zebra") == 0

    def test_of_a_repository_elsewhere(
        self, shell: Shell, repository: Path, adapters: list[Adapter], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(repository.parent)
        assert shell("adapters", "use", "none", "--repo", repository / "a.py") == 0
        assert AdapterStore().find(repository) is None
        assert shell("adapters", "use", "zebra", "--repo", repository) == 2
        assert "no adapter is called 'zebra'" in shell.err
        assert shell("adapters", "use", "none") == 2
        assert "git finds no history" in shell.err

    @pytest.mark.parametrize("name", ["poetry", "nobody", ""])
    def test_an_unclear_name_is_refused(
        self, shell: Shell, repository: Path, adapters: list[Adapter], name: str
    ) -> None:
        assert shell("adapters", "use", name) == 2
        assert shell.err.count("\n") == 1
        assert AdapterStore().find(repository) == adapters[1]


def test_remove(shell: Shell, repository: Path, adapters: list[Adapter]) -> None:
    assert shell("adapters", "remove", adapters[1].name) == 0
    assert shell.out == f"removed {adapters[1].name}\n"
    assert AdapterStore().find(repository) is None
    assert shell("adapters", "remove", adapters[1].name) == 2


class TestHandingOn:
    def test_what_is_exported_can_be_imported_in_another_clone(
        self, shell: Shell, repository: Path, adapters: list[Adapter], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert shell("adapters", "export", adapters[0].name, "../out") == 0
        assert shell.out == f"exported {adapters[0].name} to ../out\n"
        shutil.rmtree(AdapterStore().folder)
        monkeypatch.chdir(repository.with_name("twin"))
        assert shell("adapters", "import", "../out") == 0
        assert shell.out == f"installed {adapters[0].name}: it is used from now on\n"
        found = AdapterStore().find(repository / "a.py")
        assert found is not None and found.config == adapters[0].config

    def test_of_another_repository_is_refused(
        self, shell: Shell, repository: Path, adapters: list[Adapter]
    ) -> None:
        assert shell("adapters", "export", "zebra", "../out") == 0
        assert shell("adapters", "import", "../out") == 2
        assert "was trained on another repository, with root commit 4f4f4f4f4f4f, not " in shell.err

    def test_of_no_adapter_is_refused(self, shell: Shell, repository: Path) -> None:
        assert shell("adapters", "import", ".") == 2
        assert "is not an adapter" in shell.err

    def test_nothing_is_overwritten(self, shell: Shell, repository: Path, adapters: list[Adapter]) -> None:
        assert shell("adapters", "export", "zebra", repository) == 2
        assert "is there already" in shell.err


class TestPurge:
    @pytest.fixture
    def everything(self, adapters: list[Adapter], root: str) -> list[Path]:
        """All that learning leaves: a training cache of each repository, recorded outcomes, the store."""
        for folder in (training_folder(root), training_folder("5e" * 20)):
            folder.mkdir(parents=True)
            (folder / "mined.jsonl").write_bytes(b"x" * 1_500_000)
        outcomes_file().write_text("{}\n")
        return [training_folder(), outcomes_file(), AdapterStore().folder]

    def test_removes_everything(self, shell: Shell, repository: Path, everything: list[Path]) -> None:
        assert shell("adapters", "purge", "--yes") == 0
        adapters, caches, outcomes, removed = shell.out.splitlines()
        assert adapters.split() == ["adapters", "0.0", "MB", str(everything[2])]
        assert caches.split() == ["training", "caches", "3.0", "MB", str(everything[0])]
        assert outcomes.split() == ["recorded", "outcomes", "0.0", "MB", str(everything[1])]
        assert removed == "removed"
        assert not any(path.exists() for path in everything)
        assert shell("adapters", "purge", "--yes") == 0
        assert shell.out == "nothing is kept\n"

    def test_of_one_repository_leaves_the_rest(
        self, shell: Shell, repository: Path, everything: list[Path], adapters: list[Adapter], root: str
    ) -> None:
        AdapterStore().find(repository)
        assert shell("adapters", "purge", "--repo", ".", "--yes") == 0
        assert [stored.root for stored in AdapterStore().repositories()] == [adapters[2].repository]
        assert not training_folder(root).exists()
        assert training_folder("5e" * 20).exists() and outcomes_file().exists()
        assert root not in (AdapterStore().folder / "places.json").read_text()

    @pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 0), ("", 1)])
    def test_asks_on_a_terminal(
        self,
        shell: Shell,
        repository: Path,
        everything: list[Path],
        answer: str,
        code: int,
    ) -> None:
        assert shell("adapters", "purge", stdin=answer.encode(), typed=True) == code
        assert "Remove all of this? [y/N]" in shell.out
        assert everything[2].exists() == (answer != "y\n")

    def test_without_a_terminal_needs_a_yes(
        self, shell: Shell, repository: Path, everything: list[Path]
    ) -> None:
        assert shell("adapters", "purge") == 2
        assert "say --yes" in shell.err
        assert all(path.exists() for path in everything)

    def test_what_stays_is_said(
        self, shell: Shell, repository: Path, everything: list[Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(path: Path) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("editflow.adapters.purge.shutil.rmtree", refuse)
        assert shell("adapters", "purge", "--yes") == 2
        assert "not everything could be removed: Permission denied" in shell.err


def test_without_a_command_it_is_help(shell: Shell) -> None:
    assert shell("adapters") == 2
    printed = shell.out + shell.err
    for name in ("list", "show", "use", "remove", "export", "import", "purge"):
        assert f"\n  {name} " in printed


def test_help_is_that_of_a_group(shell: Shell) -> None:
    assert shell("adapters", "-h") == 0
    assert "editflow adapters [OPTIONS] COMMAND" in shell.out

"""The store: what is installed is found from every clone, appears whole or not at all, and damage stays where it is."""

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from editflow.adapters import places, private
from editflow.adapters import store as store_module
from editflow.adapters.adapter import CONFIG, REPORT, WEIGHTS, Adapter, AdapterError
from editflow.adapters.identity import GitTimeoutError
from editflow.adapters.store import KEPT, AdapterStore
from editflow.checkpoint import Checkpoint
from editflow.errors import EditFlowError
from tests.core.adapters.making import ROOT, git, make_adapter, make_repository

INSTALL = """
import os, sys
from pathlib import Path
from editflow.adapters import store
def die(new, target):
    os._exit(9)
if sys.argv[3:]:
    store.replace_folder = die
store.AdapterStore(Path(sys.argv[1])).install(Path(sys.argv[2]))
"""


@pytest.fixture
def stage(tmp_path: Path, base: Checkpoint, root: str) -> "Stage":
    return Stage(tmp_path, base, root)


class Stage:
    """Makes adapters of one repository, each another one."""

    def __init__(self, folder: Path, base: Checkpoint, root: str) -> None:
        self.folder, self.base, self.root, self.count = folder, base, root, 0

    def __call__(self, name: str = "poetry") -> Path:
        self.count += 1
        staged = self.folder / f"staged{self.count}"
        return make_adapter(staged, self.base, root=self.root, name=name, seed=self.count).folder


def no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on git is not to be called."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("git was called")

    monkeypatch.setattr("editflow.adapters.identity.subprocess.run", refuse)


def folders(store: AdapterStore) -> list[str]:
    """Names of everything below the store, but for its lock."""
    return sorted(
        str(path.relative_to(store.folder)) for path in store.folder.rglob("*") if path.name != ".lock"
    )


class TestFind:
    def test_finds_it_from_every_clone_and_asks_git_once(
        self,
        store: AdapterStore,
        stage: Stage,
        repository: Path,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        installed = store.install(stage())
        git(tmp_path, "clone", "--quiet", repository, "clone")
        git(repository, "worktree", "add", "--quiet", tmp_path / "linked")
        files = [tmp_path / name / "sub" / "a.py" for name in ("repository", "clone", "linked")]
        assert [store.find(file) for file in files] == [installed] * 3
        no_git(monkeypatch)
        assert [AdapterStore(store.folder).find(file) for file in files] == [installed] * 3
        assert len(json.loads((store.folder / "places.json").read_text())) == 2

    def test_asks_no_git_where_there_are_no_adapters(
        self, store: AdapterStore, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        no_git(monkeypatch)
        assert store.find(repository / "a.py") is None
        store.folder.mkdir(mode=0o700)
        assert store.find(repository / "a.py") is None

    def test_finds_what_was_remembered_without_git(
        self, store: AdapterStore, stage: Stage, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.remember(repository, stage.root)
        installed = store.install(stage())
        no_git(monkeypatch)
        assert store.find(repository / "a.py") == installed

    def test_finds_none_elsewhere(
        self, store: AdapterStore, stage: Stage, repository: Path, tmp_path: Path
    ) -> None:
        store.install(stage())
        make_repository(repository / "vendor", "inner")
        make_repository(tmp_path / "empty", commits=0)
        git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", "shallow")
        for name in ("a.py", "repository/vendor/a.py", "empty/a.py", "shallow/a.py", "not/there/a.py"):
            assert store.find(tmp_path / name) is None

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="gives a folder away")
    def test_finds_none_in_somebody_elses_repository(
        self, store: AdapterStore, stage: Stage, repository: Path
    ) -> None:
        store.install(stage())
        os.chown(repository, 12345, 12345)
        os.chown(repository / ".git", 12345, 12345)
        assert store.find(repository / "a.py") is None

    def test_paths_in_no_encoding(self, store: AdapterStore, stage: Stage, repository: Path) -> None:
        installed = store.install(stage())
        odd = repository.rename(repository.with_name(os.fsdecode(b"r\xff\n")))
        for _ in range(2):
            assert store.find(odd / os.fsdecode(b"\xfe.py")) == installed
        assert str(odd / ".git") in json.loads((store.folder / "places.json").read_text())

    def test_another_repository_in_the_same_place_is_noticed(
        self, store: AdapterStore, stage: Stage, repository: Path
    ) -> None:
        store.install(stage())
        assert store.find(repository / "a.py")
        shutil.rmtree(repository)
        make_repository(repository, "other")
        assert store.find(repository / "a.py") is None

    def test_a_configuration_that_changed_asks_for_one_commit_only(
        self, store: AdapterStore, stage: Stage, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        installed = store.install(stage())
        store.find(repository / "a.py")
        git(repository, "config", "branch.main.remote", "origin")
        os.utime(repository / ".git" / "config", ns=(1, 1))
        monkeypatch.setattr(places, "root_commit", None)
        assert store.find(repository / "a.py") == installed

    def test_a_git_that_is_too_slow_is_said_once(
        self, store: AdapterStore, stage: Stage, repository: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def slow(folder: Path, timeout: float) -> str:
            raise GitTimeoutError(f"git did not answer within {timeout:g} seconds")

        installed = store.install(stage())
        monkeypatch.setattr(places, "root_commit", slow)
        with pytest.raises(GitTimeoutError, match="within 5 seconds"):
            store.find(repository / "a.py")
        assert store.find(repository / "a.py") is None
        store.remember(repository, stage.root)
        assert store.find(repository / "a.py") == installed

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"[" * 100_000,
            b'{"a": 1, "b": {"root": 3}, "c": {"root": "x", "mark": [1]}}',
            b"\xff",
        ],
        ids=range(6),
    )
    def test_damaged_places_are_asked_again(
        self, store: AdapterStore, stage: Stage, repository: Path, content: bytes
    ) -> None:
        installed = store.install(stage())
        (store.folder / "places.json").write_bytes(content)
        assert store.find(repository / "a.py") == installed
        assert json.loads((store.folder / "places.json").read_text()).keys() == {str(repository / ".git")}

    def test_places_are_not_kept_for_ever(self, store: AdapterStore, stage: Stage, repository: Path) -> None:
        store.install(stage())
        entries = {f"/{number}": {"root": ROOT, "mark": [1, 2]} for number in range(places.MAX_PLACES)}
        (store.folder / "places.json").write_text(json.dumps(entries))
        store.find(repository / "a.py")
        kept = json.loads((store.folder / "places.json").read_text())
        assert len(kept) == places.MAX_PLACES
        assert "/0" not in kept and str(repository / ".git") in kept

    def test_costs_little(self, store: AdapterStore, stage: Stage, repository: Path) -> None:
        store.install(stage())
        store.remember(repository, stage.root)
        code = (
            "import sys, time; from pathlib import Path; from editflow.adapters.store import AdapterStore\n"
            "def spent():\n"
            "    start = time.perf_counter()\n"
            "    assert AdapterStore(Path(sys.argv[1])).find(Path(sys.argv[2]))\n"
            "    return time.perf_counter() - start\n"
            "print(min(spent() for _ in range(3)), *sys.modules)"
        )
        command: list[str | Path] = [sys.executable, "-c", code, store.folder, repository / "a.py"]
        seconds, *modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert float(seconds) < 0.015
        loaded = {name.partition(".")[0] for name in modules}
        assert not loaded & {"torch", "numpy", "safetensors", "filelock", "tokenizers", "rich"}


class TestInstall:
    def test_is_private_whole_and_in_use(self, store: AdapterStore, stage: Stage) -> None:
        staged = stage()
        (staged / REPORT).write_text("<p>how it went")
        before = {path.name: path.read_bytes() for path in staged.iterdir()}
        umask = os.umask(0)
        try:
            installed = store.install(staged)
        finally:
            os.umask(umask)
        assert installed.folder == store.folder / stage.root / installed.fingerprint[:12]
        assert {path.name: path.read_bytes() for path in installed.folder.iterdir()} == before
        assert {path.name: path.read_bytes() for path in staged.iterdir()} == before
        for path in (store.folder, *store.folder.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        (stored,) = store.repositories()
        assert (stored.root, stored.name, stored.chosen) == (stage.root, "poetry", installed)
        assert (stored.adapters, stored.problems) == ((installed,), ())

    def test_keeps_the_newest_and_the_one_in_use(self, store: AdapterStore, stage: Stage) -> None:
        first = store.install(stage())
        others = [store.install(stage(), use=False) for _ in range(KEPT + 2)]
        (stored,) = store.repositories()
        assert stored.chosen == first
        assert stored.adapters == (*reversed(others[-KEPT:]), first)
        last = store.install(stage())
        (stored,) = store.repositories()
        assert (stored.chosen, len(stored.adapters)) == (last, KEPT)
        assert not first.folder.exists()

    def test_the_same_one_again_takes_its_own_place(
        self, store: AdapterStore, stage: Stage, base: Checkpoint, tmp_path: Path
    ) -> None:
        first = store.install(stage())
        facts = {"evaluation": "again"}
        again = make_adapter(tmp_path / "again", base, root=stage.root, name="renamed", facts=facts, seed=1)
        second = store.install(again.folder)
        assert second.folder == first.folder
        assert store.repositories()[0].adapters == (second,)
        assert (second.facts, store.repositories()[0].name) == (facts, "renamed")

    def test_a_replacement_that_fails_leaves_what_was_there(self, tmp_path: Path) -> None:
        old = tmp_path / "old"
        old.mkdir()
        (old / "file").touch()
        with pytest.raises(FileNotFoundError):
            private.replace_folder(tmp_path / "none", old)
        assert [path.name for path in tmp_path.rglob("*")] == ["old", "file"]

    def test_a_damaged_one_changes_nothing(self, store: AdapterStore, stage: Stage, repository: Path) -> None:
        installed, staged = store.install(stage()), stage()
        (staged / WEIGHTS).write_bytes(b"x")
        before = folders(store)
        with pytest.raises(AdapterError, match="truncated or was changed"):
            store.install(staged)
        assert store.find(repository) == installed
        assert set(folders(store)) - set(before) <= {"places.json"}

    def test_a_link_in_the_reports_place_is_not_followed(self, store: AdapterStore, stage: Stage) -> None:
        staged = stage()
        (staged / REPORT).symlink_to("/etc/hostname")
        assert not (store.install(staged).folder / REPORT).exists()

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
    @pytest.mark.parametrize("where", ["fsync", "mkdtemp", "mkstemp"])
    def test_a_disk_that_takes_no_more_leaves_the_one_in_use(
        self, store: AdapterStore, stage: Stage, monkeypatch: pytest.MonkeyPatch, code: int, where: str
    ) -> None:
        def fail(*arguments: object, **options: object) -> None:
            raise OSError(code, os.strerror(code))

        installed = store.install(stage())
        staged = stage()
        with monkeypatch.context() as patch:
            patch.setattr(os if where == "fsync" else tempfile, where, fail)
            with pytest.raises(AdapterError, match=os.strerror(code)) as caught:
                store.install(staged)
        assert str(caught.value).isprintable()
        (stored,) = store.repositories()
        assert stored.chosen == installed
        assert not [name for name in folders(store) if private.TEMPORARY in name]
        for adapter in stored.adapters:
            adapter.verify()

    def test_a_file_in_the_way_is_said(self, store: AdapterStore, stage: Stage) -> None:
        store.folder.write_text("in the way")
        with pytest.raises(AdapterError, match="cannot be written: File exists"):
            store.install(stage())
        assert store.find(stage.folder) is None
        assert store.folder.read_text() == "in the way"

    @pytest.mark.parametrize("mode", [0o755, 0o770, 0o702])
    def test_a_store_that_others_may_open_is_refused(
        self, store: AdapterStore, stage: Stage, repository: Path, mode: int
    ) -> None:
        store.install(stage())
        store.folder.chmod(mode)
        for act in (lambda: store.find(repository), store.repositories, lambda: store.install(stage())):
            with pytest.raises(AdapterError, match="is open to other users: run chmod 700"):
                act()

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="gives a folder away")
    def test_a_store_of_somebody_else_is_refused(
        self, store: AdapterStore, stage: Stage, repository: Path
    ) -> None:
        store.install(stage())
        os.chown(store.folder, 12345, 12345)
        with pytest.raises(AdapterError, match=r"belongs to another user|Permission denied"):
            store.find(repository)

    def test_a_store_that_is_read_only_is_still_read(
        self, store: AdapterStore, stage: Stage, repository: Path
    ) -> None:
        installed = store.install(stage())
        for folder in (installed.folder.parent, store.folder):
            folder.chmod(0o500)
        if os.access(store.folder, os.W_OK):
            pytest.skip("root writes everywhere")
        assert store.find(repository) == installed
        with pytest.raises(AdapterError, match="cannot be installed: Permission denied"):
            store.install(stage())

    def test_of_two_processes_at_the_same_time_both_are_kept(self, store: AdapterStore, stage: Stage) -> None:
        command: list[str | Path] = [sys.executable, "-c", INSTALL, store.folder]
        running = [subprocess.Popen([*command, stage()]) for _ in range(KEPT)]
        assert [process.wait(60) for process in running] == [0] * KEPT
        (stored,) = store.repositories()
        assert len(stored.adapters) == KEPT
        assert stored.chosen in stored.adapters
        for adapter in stored.adapters:
            adapter.verify()
        assert not [name for name in folders(store) if private.TEMPORARY in name]

    def test_a_process_killed_before_the_last_step_leaves_nothing_half(
        self, store: AdapterStore, stage: Stage
    ) -> None:
        installed = store.install(stage())
        killed = subprocess.run([sys.executable, "-c", INSTALL, store.folder, stage(), "die"], timeout=60)
        assert killed.returncode == 9
        assert [name for name in folders(store) if private.TEMPORARY in name]
        (stored,) = store.repositories()
        assert (stored.adapters, stored.chosen, stored.problems) == ((installed,), installed, ())
        store.install(stage())
        assert not [name for name in folders(store) if private.TEMPORARY in name]

    def test_a_store_that_is_in_use_is_said(
        self, store: AdapterStore, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from filelock import FileLock

        monkeypatch.setattr(store_module, "LOCK_PATIENCE", 0.01)
        store.folder.mkdir(mode=0o700)
        with FileLock(store.folder / ".lock"), pytest.raises(AdapterError, match="another process"):
            store.install(stage())


class TestDamage:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"[" * 100_000,
            b"\xff",
            b'{"name": "a", "chosen": "../../x"}',
            b'{"name": "a", "chosen": 3}',
        ],
        ids=range(7),
    )
    def test_of_one_repository_concerns_no_other(
        self,
        store: AdapterStore,
        stage: Stage,
        repository: Path,
        base: Checkpoint,
        tmp_path: Path,
        content: bytes,
    ) -> None:
        other = store.install(make_adapter(tmp_path / "other", base, name="another").folder)
        installed = store.install(stage())
        (store.folder / stage.root / "repository.json").write_bytes(content)
        with pytest.raises(AdapterError, match=r"repository\.json") as caught:
            store.find(repository)
        assert str(caught.value).isprintable()
        first, second = store.repositories()
        assert (first.chosen, first.problems) == (other, ())
        assert (second.name, second.adapters, second.chosen) == ("poetry", (installed,), None)
        assert second.problems == (str(caught.value),)
        store.use(stage.root, installed.name)
        assert store.find(repository) == installed

    def test_of_an_adapter_leaves_the_others_to_be_used(
        self, store: AdapterStore, stage: Stage, repository: Path
    ) -> None:
        first, second = store.install(stage()), store.install(stage())
        (second.folder / CONFIG).write_text("{")
        with pytest.raises(AdapterError, match=CONFIG):
            store.find(repository)
        (stored,) = store.repositories()
        assert (stored.adapters, stored.chosen, len(stored.problems)) == ((first,), None, 1)
        store.use(stage.root, first.name)
        assert store.find(repository) == first

    def test_an_adapter_in_anothers_place_is_refused(
        self, store: AdapterStore, stage: Stage, repository: Path, base: Checkpoint, tmp_path: Path
    ) -> None:
        installed = store.install(stage())
        shutil.rmtree(installed.folder)
        make_adapter(installed.folder, base, root=ROOT)
        with pytest.raises(AdapterError, match="holds another adapter"):
            store.find(repository)

    def test_what_is_none_of_ours_is_passed_over(self, store: AdapterStore, stage: Stage) -> None:
        installed = store.install(stage())
        (store.folder / "notes").mkdir()
        (store.folder / stage.root / "notes.txt").write_text("mine")
        (stored,) = store.repositories()
        assert (stored.adapters, stored.problems) == ((installed,), ())


class TestUse:
    def test_of_an_older_one_and_of_none(self, store: AdapterStore, stage: Stage, repository: Path) -> None:
        first, second = store.install(stage()), store.install(stage())
        assert store.use(stage.root, first.name) == first
        assert store.find(repository) == first
        assert store.use(stage.root, None) is None
        assert store.find(repository) is None
        assert store.repositories()[0].adapters == (second, first)

    def test_of_an_unknown_repository_or_name_is_refused(self, store: AdapterStore, stage: Stage) -> None:
        with pytest.raises(AdapterError, match="no adapter is kept for this repository"):
            store.use(stage.root, None)
        store.install(stage())
        with pytest.raises(AdapterError, match="no adapter is called"):
            store.use(stage.root, "other")

    def test_names_may_be_short(
        self, store: AdapterStore, stage: Stage, base: Checkpoint, tmp_path: Path
    ) -> None:
        first = store.install(stage("alpha"))
        other = store.install(make_adapter(tmp_path / "other", base, name="alphabet").folder)
        assert store.named("alphab") == other
        assert store.named("alpha@") == store.named(first.name) == first
        assert store.named("alpha", stage.root) == first
        with pytest.raises(AdapterError, match=f"short for several adapters: {first.name}, {other.name}"):
            store.named("alpha")
        for name in ("", "beta", "alphabet@x"):
            with pytest.raises(AdapterError, match="no adapter is called"):
                store.named(name)


class TestRemove:
    def test_the_one_in_use_leaves_the_default(
        self, store: AdapterStore, stage: Stage, repository: Path
    ) -> None:
        first, second = store.install(stage()), store.install(stage())
        assert store.remove(second.name) == second
        assert store.find(repository) is None
        assert store.repositories()[0].adapters == (first,)

    def test_another_one_leaves_the_one_in_use(
        self, store: AdapterStore, stage: Stage, repository: Path
    ) -> None:
        first, second = store.install(stage()), store.install(stage())
        store.remove(first.name)
        assert store.find(repository) == second

    def test_the_last_one_leaves_nothing(self, store: AdapterStore, stage: Stage) -> None:
        store.remove(store.install(stage()).name)
        assert store.repositories() == []
        assert folders(store) == []


class TestExport:
    def test_is_an_adapter_that_can_be_installed(
        self, store: AdapterStore, stage: Stage, tmp_path: Path
    ) -> None:
        installed = store.install(stage())
        exported = store.export(installed.name, tmp_path / "out")
        exported.verify()
        assert (exported.folder, exported.config) == (tmp_path / "out", installed.config)
        elsewhere = AdapterStore(tmp_path / "elsewhere").install(tmp_path / "out")
        assert (elsewhere.name, elsewhere.config) == (installed.name, installed.config)

    def test_overwrites_nothing(self, store: AdapterStore, stage: Stage, tmp_path: Path) -> None:
        installed = store.install(stage())
        (tmp_path / "dangling").symlink_to("nowhere")
        for there in (tmp_path, stage.folder / "staged1", tmp_path / "dangling"):
            with pytest.raises(AdapterError, match="is there already: name a new folder"):
                store.export(installed.name, there)
        with pytest.raises(AdapterError, match="cannot be exported: No such file"):
            store.export(installed.name, tmp_path / "none" / "out")

    def test_of_a_damaged_one_is_refused(self, store: AdapterStore, stage: Stage, tmp_path: Path) -> None:
        installed = store.install(stage())
        (installed.folder / WEIGHTS).write_bytes(b"")
        with pytest.raises(EditFlowError, match="truncated"):
            store.export(installed.name, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_a_store_is_in_the_users_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert AdapterStore().folder == tmp_path / "editflow" / "adapters"


def test_an_adapter_does_not_print_all_that_it_knows(tmp_path: Path) -> None:
    assert "facts" not in repr(Adapter(tmp_path, {"facts": {}}))

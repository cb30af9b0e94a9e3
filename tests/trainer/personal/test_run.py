"""A training from the history to the store, on a tiny network: what it leaves behind, however it ends."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import shutil
import signal
import stat
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import pool
from pathlib import Path
from typing import Any

import pytest
from accelerate.state import AcceleratorState
from safetensors.torch import load_file, save_file

from editflow.adapters import adapter as adapters
from editflow.adapters import private
from editflow.adapters.adapter import REPORT, Adapter
from editflow.adapters.store import AdapterStore, training_folder
from editflow.checkpoint import WEIGHTS, Checkpoint, write_config
from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow_trainer.data.writing import ShardWriter
from editflow_trainer.personal import material, run
from editflow_trainer.personal.cases import Most
from editflow_trainer.personal.gate import Decision
from editflow_trainer.personal.options import Target
from editflow_trainer.personal.target import target_at
from editflow_trainer.personal.workspace import claimed, interrupted_head, trained_head
from tests.trainer.mining.history_maker import commit, git
from tests.trainer.personal.history import write_history
from tests.trainer.personal.trainings import (
    STAGES,
    Recorder,
    Stopped,
    all_files,
    left_in,
    make_training,
    quiet_checkpoint,
    stop,
)

FEW = Most(edits=6, clean=4, told=2, slips=2)
KEPT = {"mined", "report.html", "trained"}


class Threads:
    """In place of processes, which take seconds to import torch."""

    Pool = pool.ThreadPool


@pytest.fixture(autouse=True)
def in_short(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In this process, and with few cases to measure."""
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: Threads)
    monkeypatch.setattr(material, "TUNING", FEW)
    monkeypatch.setattr(material, "Most", lambda: FEW)
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history") / "shop"
    write_history(folder, modules=1, functions=4, additions=9)
    return folder


@pytest.fixture
def target(history: Path, tmp_path: Path) -> Target:
    return target_at(shutil.copytree(history, tmp_path / "shop"))


@pytest.fixture
def base(tokenizer_file: Path, tmp_path: Path) -> Path:
    return quiet_checkpoint(tokenizer_file, tmp_path / "base")


@pytest.fixture
def better(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was trained is installed."""
    monkeypatch.setattr(run, "decide", lambda *_: Decision(True, "it is better"))


@pytest.fixture
def worse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was trained is refused."""
    monkeypatch.setattr(run, "decide", lambda *_: Decision(False, "it is worse"))


def used(target: Target) -> Adapter | None:
    return AdapterStore().find(target.folder / "shop" / "orders.py")


def change_base(folder: Path) -> None:
    """Another base of the same name, and sound."""
    tensors = load_file(folder / WEIGHTS)
    save_file({name: tensor + 0.01 for name, tensor in tensors.items()}, folder / WEIGHTS)
    old = Checkpoint.read(str(folder))
    shape, limits = old.backbone_config(), old.thresholds()
    write_config(folder, old.config["name"], shape, limits, old.calibration())


class TestWhole:
    @pytest.mark.usefixtures("better")
    def test_a_better_adapter_is_installed_and_used(self, target: Target, base: Path) -> None:
        before, listener = all_files(target.folder), Recorder()
        result = make_training(target, base, listener).run()
        assert tuple(listener.stages) == STAGES
        assert result.adapter is not None
        assert result.adapter == used(target)
        assert (result.adapter.repository, result.adapter.facts["head"]) == (target.root, target.head)
        assert (result.adapter.folder / REPORT).read_text() == (
            training_folder(target.root) / REPORT
        ).read_text()
        Engine.load(str(base), "cpu").adapted(result.adapter)
        assert result.cost.steps > 0
        assert all_files(target.folder) == before
        assert git(target.folder, "status", "--porcelain") == ""

    @pytest.mark.usefixtures("worse")
    def test_a_worse_one_is_not_and_the_report_stays(self, target: Target, base: Path) -> None:
        result = make_training(target, base).run()
        assert (result.adapter, used(target)) == (None, None)
        assert "it is worse" in (training_folder(target.root) / REPORT).read_text()

    @pytest.mark.slow
    @pytest.mark.parametrize("install", [True, False])
    def test_nothing_half_done_is_left(
        self, target: Target, base: Path, install: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run, "decide", lambda *_: Decision(install, ""))
        make_training(target, base).run()
        assert left_in(target) == KEPT
        assert interrupted_head(target.root) == ""
        assert trained_head(target.root) == target.head
        folder = training_folder(target.root)
        assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)] == [0o700, 0o700]

    def test_the_gate_itself_decides_in_the_end(self, target: Target, base: Path) -> None:
        result = make_training(target, base).run()
        assert result.decision.install is (result.adapter is not None)
        assert result.decision.install is (used(target) is not None)
        assert len(result.before.edits) == len(result.after.edits) >= 5

    @pytest.mark.usefixtures("better")
    def test_output_is_written_instead(self, target: Target, base: Path, tmp_path: Path) -> None:
        result = make_training(target, base, output=tmp_path / "given").run()
        adapter = Adapter.read(tmp_path / "given")
        adapter.verify()
        assert result.adapter == adapter
        assert (adapter.folder / REPORT).is_file()
        assert used(target) is None

    def test_output_that_is_there_is_refused_at_once(
        self, target: Target, base: Path, tmp_path: Path
    ) -> None:
        listener = Recorder()
        with pytest.raises(EditFlowError, match="is there already"):
            make_training(target, base, listener, output=tmp_path).run()
        assert listener.stages == []

    @pytest.mark.slow
    def test_equal_seeds_draw_the_same_cases(self, target: Target, base: Path) -> None:
        first, second = (make_training(target, base, seed=3).run().before for _ in range(2))
        assert (first.edits, first.clean, first.slips) == (second.edits, second.clean, second.slips)


class TestResume:
    @pytest.mark.slow
    @pytest.mark.usefixtures("better")
    @pytest.mark.parametrize("stage", STAGES)
    def test_from_every_stage(self, target: Target, base: Path, stage: str) -> None:
        with pytest.raises(Stopped):
            make_training(target, base, Recorder(stage, stop)).run()
        assert used(target) is None
        assert interrupted_head(target.root) == target.head
        result = make_training(target, base).run(resume=True)
        assert result.adapter == used(target) is not None
        assert left_in(target) == KEPT

    @pytest.mark.usefixtures("better")
    def test_what_is_done_is_not_done_again(self, target: Target, base: Path) -> None:
        first, second = Recorder("settling thresholds", stop), Recorder()
        with pytest.raises(Stopped):
            make_training(target, base, first).run()
        result = make_training(target, base, second).run(resume=True)
        assert second.steps == []
        assert result.cost.steps > 0
        assert [line for line in second.lines if "commits/s" in line] == []

    def test_with_others_than_before(self, target: Target, base: Path) -> None:
        with pytest.raises(EditFlowError, match=r"no training of .* to resume"):
            make_training(target, base).run(resume=True)
        with pytest.raises(Stopped):
            make_training(target, base, Recorder("training", stop)).run()
        with pytest.raises(EditFlowError, match="the options changed"):
            make_training(target, base, seed=1).run(resume=True)
        commit(target.folder, "Later", {"later.py": "pass\n"})
        with pytest.raises(EditFlowError, match="its commits changed"):
            make_training(target_at(target.folder), base).run(resume=True)
        change_base(base)
        with pytest.raises(EditFlowError, match="the base checkpoint changed"):
            make_training(target, base).run(resume=True)
        assert interrupted_head(target.root) == target.head


class TestBase:
    @pytest.mark.usefixtures("better")
    @pytest.mark.parametrize("stage", ["preparing lessons", "training", "writing the report"])
    def test_one_that_changes_meanwhile_is_noticed(self, target: Target, base: Path, stage: str) -> None:
        with pytest.raises(EditFlowError, match="base checkpoint changed"):
            make_training(target, base, Recorder(stage, lambda: change_base(base))).run()
        assert used(target) is None

    @pytest.mark.slow
    @pytest.mark.usefixtures("better")
    @pytest.mark.parametrize("stage", ["training", "writing the report"])
    def test_one_that_is_damaged_meanwhile(self, target: Target, base: Path, stage: str) -> None:
        def damage() -> None:
            (base / WEIGHTS).write_bytes((base / WEIGHTS).read_bytes()[:-4] + b"abcd")

        with pytest.raises(EditFlowError, match="was changed"):
            make_training(target, base, Recorder(stage, damage)).run()
        assert used(target) is None


def no_space(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_disk(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """No space is left where something is written; torch says it in words of its own."""
    owner, name = {
        "lessons": (ShardWriter, "add"),
        "scores": (Path, "write_text"),
        "adapter": (adapters, "describe"),
        "report": (shutil, "copyfile"),
        "store": (private, "_copy"),
    }[where]
    monkeypatch.setattr(owner, name, no_space)


def small_disk(most: int) -> None:
    """No file may become longer than so many bytes."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


class TestDisk:
    @pytest.mark.slow
    @pytest.mark.usefixtures("better")
    @pytest.mark.parametrize("where", ["lessons", "scores", "adapter", "report", "store"])
    def test_a_full_one_keeps_what_is_in_use(
        self, target: Target, base: Path, where: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = make_training(target, base).run().adapter
        with monkeypatch.context() as patched:
            full_disk(patched, where)
            with pytest.raises(EditFlowError, match="No space left on device") as caught:
                make_training(target, base, seed=1).run()
        assert "\n" not in str(caught.value)
        assert used(target) == kept is not None
        assert [len(stored.adapters) for stored in AdapterStore().repositories()] == [1]

    @pytest.mark.slow
    @pytest.mark.parametrize("stage", ["training", "settling thresholds"])
    def test_of_states_and_weights(self, target: Target, base: Path, stage: str) -> None:
        listener = Recorder(stage, lambda: small_disk(1000))
        handler = signal.getsignal(signal.SIGXFSZ)
        try:
            with pytest.raises(EditFlowError, match="cannot be written"):
                make_training(target, base, listener).run()
        finally:
            small_disk(resource.RLIM_INFINITY)
            signal.signal(signal.SIGXFSZ, handler)
        make_training(target, base).run(resume=True)

    @pytest.mark.usefixtures("better")
    def test_with_space_again_it_goes_on(
        self, target: Target, base: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patched:
            full_disk(patched, "store")
            with pytest.raises(EditFlowError, match="No space left"):
                make_training(target, base).run()
        assert make_training(target, base).run(resume=True).adapter == used(target) is not None

    @pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "XDG_DATA_HOME"])
    @pytest.mark.usefixtures("better")
    def test_a_home_that_cannot_be_written(
        self, target: Target, base: Path, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        listener, blocked = Recorder(), tmp_path / "blocked"
        blocked.touch()
        with monkeypatch.context() as patched:
            patched.setenv(variable, str(blocked))
            with pytest.raises(EditFlowError, match="cannot be written"):
                make_training(target, base, listener).run()
        assert listener.stages == []
        assert used(target) is None


class TestInUse:
    def test_a_refused_one_leaves_it(
        self, target: Target, base: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[bool] = []

        def decide(_before: object, _after: object, current: object = None) -> Decision:
            seen.append(current is not None)
            return Decision(len(seen) == 1, "")

        monkeypatch.setattr(run, "decide", decide)
        first = make_training(target, base).run()
        second = make_training(target, base, seed=1).run()
        assert seen == [False, True]
        assert second.current is not None
        assert (second.adapter, used(target)) == (None, first.adapter)

    @pytest.mark.slow
    @pytest.mark.usefixtures("better")
    def test_one_of_another_base_is_not_compared(self, target: Target, base: Path) -> None:
        make_training(target, base).run()
        change_base(base)
        assert make_training(target, base).run().current is None

    def test_another_training_at_the_same_time_is_refused(self, target: Target, base: Path) -> None:
        with claimed(target.root), pytest.raises(EditFlowError, match="another training"):
            make_training(target, base).run()
        make_training(target, base).run()


class TestMined:
    def mined(self, target: Target, base: Path, **options: Any) -> bool:
        """Whether the history is read for a training."""
        listener = Recorder("reading the code", stop)
        with pytest.raises(Stopped):
            make_training(target, base, listener, **options).run()
        return any("commits/s" in line for line in listener.lines)

    def test_once_at_each_commit_and_for_all_options(self, target: Target, base: Path) -> None:
        assert self.mined(target, base)
        assert not self.mined(target, base)
        assert not self.mined(target, base, seed=4)
        assert self.mined(target, base, max_commits=40)
        assert self.mined(target, base)
        commit(target.folder, "Later", {"later.py": "pass\n"})
        assert self.mined(replace(target, head=git(target.folder, "rev-parse", "HEAD")), base)

    def test_again_where_it_is_damaged(self, target: Target, base: Path) -> None:
        assert self.mined(target, base)
        (training_folder(target.root) / "mined" / "manifest.json").write_text("{")
        assert self.mined(target, base)
        (shard,) = (training_folder(target.root) / "mined" / "edits").iterdir()
        shard.write_bytes(b"none")
        assert self.mined(target, base)

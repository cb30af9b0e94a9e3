"""Many repositories: which process takes which, one result each, and trainings that know nothing of a launcher."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from editflow.errors import EditFlowError
from editflow_trainer.mining.settings import Settings
from editflow_trainer.mining.store import Store
from editflow_trainer.personal import many
from editflow_trainer.personal.child import Place, threads_of
from editflow_trainer.personal.many import exit_code, print_rows, read_folders, train_many
from editflow_trainer.personal.ranks import Rank
from editflow_trainer.personal.target import target_at
from editflow_trainer.personal.trainings import FAILED, INTERRUPTED, Row
from editflow_trainer.personal.workspace import private_folder
from tests.trainer.mining.history_maker import SHOP, commit, git, make, replaced
from tests.trainer.personal import pretended

Calls = Callable[[], list[dict[str, Any]]]
TORCHRUN = {
    "RANK": "3",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
    "TORCHELASTIC_RUN_ID": "none",
    "OMP_NUM_THREADS": "1",
}
SRUN = {
    "SLURM_PROCID": "3",
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_NTASKS": "8",
    "SLURM_LOCALID": "1",
    "PMI_SIZE": "8",
    "PMIX_RANK": "3",
}


def test_launchers_are_told_apart() -> None:
    assert Rank.of({}) == Rank(0, 1, 0, 1, False)
    assert Rank.of(TORCHRUN) == Rank(3, 8, 1, 2, True)
    assert Rank.of(SRUN) == Rank(3, 8, 1, 1, False)
    assert Rank.of(SRUN | TORCHRUN) == Rank(3, 8, 1, 2, True)


def test_a_batch_script_without_srun_takes_all() -> None:
    assert Rank.of({"SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}) == Rank()


@given(st.lists(st.integers(), max_size=20), st.integers(1, 7))
def test_each_item_is_taken_once(items: list[int], world: int) -> None:
    shares = [Rank(number, world).share(items) for number in range(world)]
    assert sorted(item for share in shares for item in share) == sorted(items)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_training_is_nobodys_rank() -> None:
    around = (
        TORCHRUN | SRUN | {"PATH": "/bin", "ACCELERATE_USE_FSDP": "true", "NAME": "Ada", "HF_HOME": "/hf"}
    )
    kept = Place(4, "2").environment(around)
    assert not kept.keys() & (TORCHRUN.keys() - {"OMP_NUM_THREADS"})
    assert not [name for name in kept if name.startswith(("PMI", "ACCELERATE"))]
    assert (kept["OMP_NUM_THREADS"], kept["CUDA_VISIBLE_DEVICES"]) == ("4", "2")
    assert (kept["PATH"], kept["NAME"], kept["HF_HOME"]) == ("/bin", "Ada", "/hf")
    assert Place(None).environment({"OMP_NUM_THREADS": "3"}) == {"OMP_NUM_THREADS": "3"}


def test_cores_are_shared_unless_a_person_said_otherwise() -> None:
    assert threads_of(1, {}) == threads_of(1, TORCHRUN) != 0
    assert threads_of(10_000, {}) == 1
    assert threads_of(1, {"OMP_NUM_THREADS": "1"}) is None


def test_a_file_of_folders_is_read(tmp_path: Path) -> None:
    file = tmp_path / "repos"
    file.write_text("# mine\n\none\n  two  \n/three\none\nfour#4\n  # not five\n")
    assert read_folders(file) == [tmp_path / "one", tmp_path / "two", Path("/three"), tmp_path / "four#4"]
    file.write_text("# none\n")
    with pytest.raises(EditFlowError, match="names no folder"):
        read_folders(file)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(EditFlowError, match="cannot be read"):
        read_folders(file)
    with pytest.raises(EditFlowError, match="cannot be read"):
        read_folders(tmp_path / "absent")


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Reads the calls of the pretended command."""
    file = tmp_path / "calls"
    monkeypatch.setenv("PRETENDED", str(file))
    monkeypatch.setattr(many, "gpus", list)
    return lambda: [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


class Train(Protocol):
    """Makes a repository of each name, and trains on them."""

    def __call__(self, *names: str, **options: Any) -> list[Row]: ...


@pytest.fixture
def train(tmp_path: Path, calls: Calls) -> Train:
    command = pretended.command(tmp_path)

    def call(*names: str, **options: Any) -> list[Row]:
        for name in names:
            if not (tmp_path / name).exists():
                commit(make(tmp_path / name), name, {"a.py": "1\n"})
        file = tmp_path / "repos"
        file.write_text("".join(f"{name}\n" for name in names))
        return train_many(file, ["--budget", "1m"], command=command, **{"say": lambda line: None, **options})

    return call


@pytest.mark.parametrize("jobs", [1, 3])
def test_each_has_its_own_result_whatever_becomes_of_the_others(
    jobs: int, train: Train, calls: Calls, tmp_path: Path
) -> None:
    (tmp_path / "plain").mkdir()
    make(tmp_path / "empty")
    commit(make(tmp_path / "good"), "good", {"a.py": "1\n"})
    shutil.copytree(tmp_path / "good", tmp_path / "twin")
    rows = train("bad", "good", "plain", "poor", "empty", "twin", jobs=jobs)
    assert [row.code for row in rows] == [FAILED, 0, FAILED, 0, FAILED, FAILED]
    assert rows[0].said == "this cannot be trained"
    assert rows[1].said == "good@12345678 is installed: it makes 3 more"
    assert "not in a git repository" in rows[2].said
    assert rows[3].said == "nothing is installed: it makes 3 more"
    assert "no history" in rows[4].said
    assert "has the history of" in rows[5].said
    assert sorted(call["name"] for call in calls()) == ["bad", "good", "poor"]
    assert calls()[0]["arguments"][-2:] == ["--budget", "1m"]
    assert exit_code(rows) == FAILED


def test_the_table_shows_shares_and_decisions(train: Train) -> None:
    text = io.StringIO()
    print_rows([*train("good"), Row("\x1b[2Jodd", "no [bold]", FAILED)], Console(file=text, width=160))
    shown = text.getvalue()
    assert "2 -> 5 of 20" in shown and "99 -> 99 of 100" in shown and "no [bold]" in shown
    assert "\x1b" not in shown


def test_a_rank_takes_its_part_and_its_trainings_do_not_know(
    train: Train, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (TORCHRUN | {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(many, "gpus", lambda: ["4", "6", "7"])
    rows = train("one", "bad", "three", "four")
    assert [row.name.rpartition("/")[2] for row in rows] == ["bad", "four"]
    for call in calls():
        assert not call["environment"].keys() & (TORCHRUN.keys() - {"OMP_NUM_THREADS"})
        assert call["environment"]["CUDA_VISIBLE_DEVICES"] == "6"
    assert exit_code(rows) == 0  # torchrun would end the other ranks
    assert exit_code([*rows, Row("five", "", INTERRUPTED)]) == INTERRUPTED


def test_resuming_passes_over_what_is_done_and_goes_on_with_what_was_begun(
    train: Train, calls: Calls, tmp_path: Path
) -> None:
    train("good", "begun", "stale")
    for name, head in (("begun", git(tmp_path / "begun", "rev-parse", "HEAD")), ("stale", "1" * 40)):
        space = private_folder(target_at(tmp_path / name).root)
        (space / "trained").unlink()
        (space / "training.json").write_text(json.dumps({"head": head}))
    rows = train("good", "begun", "stale", "new", resume=True)
    assert [row.code for row in rows] == [0] * 4
    assert rows[0].said == "trained before at the same commit"
    resumed = {call["name"]: "--resume" in call["arguments"] for call in calls()[3:]}
    assert resumed == {"begun": True, "stale": False, "new": False}


def test_a_training_that_cannot_be_started_is_one_that_failed(train: Train, home: Path) -> None:
    place = home / "xdg_cache_home" / "editflow"
    place.mkdir(parents=True)
    (place / "training").write_text("in the way")
    (row,) = train("good")
    assert row.code == FAILED and "cannot be written" in row.said


def test_ctrl_c_ends_all_in_order(train: Train, calls: Calls) -> None:
    def interrupt(line: str) -> None:
        if line.endswith("slow2: training"):
            signal.setitimer(signal.ITIMER_REAL, 0.05)

    def when_both_run(_number: int, _frame: object) -> None:
        deadline = time.monotonic() + 20
        while len(calls()) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    own = signal.getsignal(signal.SIGINT)  # ignored, where tests run in the background of a script
    before = signal.signal(signal.SIGALRM, when_both_run)
    try:
        rows = train("slow1", "slow2", "third", jobs=2, say=interrupt)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert [row.code for row in rows] == [INTERRUPTED] * 3
    assert rows[2].said == "interrupted before it began"
    assert exit_code(rows) == INTERRUPTED
    assert signal.getsignal(signal.SIGINT) is own


def test_histories_are_mined_into_each_workspace_with_one_call_of_the_engine(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from editflow_trainer.mining import cluster
    from editflow_trainer.mining.exclusion import Exclusion
    from editflow_trainer.mining.pool import run_jobs

    asked: list[list[str]] = []

    def engine(jobs: Any, workers: int) -> Any:
        asked.append([job.repository.name.rpartition("/")[2] for job in jobs])
        return run_jobs(jobs, 1)

    monkeypatch.setattr(cluster, "run_jobs_on_ray", engine)
    for name, tax in (("one", "amount * tax"), ("two", "amount - tax")):
        folder = make(tmp_path / name)
        commit(folder, "Start", {"shop.py": SHOP, "name": name})
        commit(folder, "Fix", {"shop.py": replaced("amount + tax", tax)})
    settings = Settings(enough=10)
    old = private_folder(target_at(tmp_path / "two").root) / "mined"
    Store(old, Settings().as_json(Exclusion().fingerprint))._write()  # with other settings
    for _ in range(2):
        train("one", "two", ray=settings)
    assert asked == [["one", "two"], []]
    for name, tax in (("one", "amount * tax"), ("two", "amount - tax")):
        target = target_at(tmp_path / name)
        store = Store(private_folder(target.root) / "mined", settings.as_json(Exclusion().fingerprint))
        assert [tax in edit.after for edit in store.edits(target.name)] == [True]


_RANK = """
import sys
from pathlib import Path
from editflow_trainer.personal.many import exit_code, train_many

rows = train_many(Path(sys.argv[1]), [], say=lambda line: None, command=sys.argv[2:])
print("\\n".join(f"{row.code} {row.name}" for row in rows), flush=True)
sys.exit(exit_code(rows))
"""


@pytest.mark.slow
def test_torchrun_splits_the_list_and_a_failure_ends_no_other_rank(tmp_path: Path, calls: Calls) -> None:
    names = ["bad", "one", "two", "three"]
    for name in names:
        commit(make(tmp_path / name), name, {"a.py": "1\n"})
    (tmp_path / "repos").write_text("\n".join(names))
    (tmp_path / "rank.py").write_text(_RANK)
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        str(tmp_path / "rank.py"),
    ]
    line = [*launch, str(tmp_path / "repos"), *pretended.command(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = {line.rpartition("/")[2]: int(line[0]) for line in done.stdout.splitlines()}
    assert rows == {"bad": FAILED, "one": 0, "two": 0, "three": 0}
    assert {call["name"] for call in calls()} == set(names)

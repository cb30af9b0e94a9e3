"""`editflow train`: what it asks of a training, what it prints where, and the codes that it exits with."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from editflow_trainer.mining.settings import Settings
from editflow_trainer.personal import many, plan, run, watch
from editflow_trainer.personal.fit import InterruptedTrainingError
from editflow_trainer.personal.listener import Listener, Progress
from editflow_trainer.personal.options import Method, Options, Target
from editflow_trainer.personal.plan import Plan
from editflow_trainer.personal.trainings import FAILED, Row
from editflow_trainer.personal.workspace import claimed
from tests.core.shell import Shell
from tests.trained import repository
from tests.trainer.personal.results import ADAPTER, MATERIAL, TARGET, result_of

OUTCOMES: dict[str, Any] = {"better": result_of(), "not better": result_of("...")}


class FakeTraining:
    """Tells of a little progress, then does what it was told to."""

    ends: Any = None
    seen: list[FakeTraining]

    def __init__(
        self, target: Target, options: Options, listener: Listener, write: object, output: Path | None
    ) -> None:
        self.target, self.options, self.listener, self.output = target, options, listener, output
        self.resume = False
        self.seen.append(self)

    def run(self, *, resume: bool) -> Any:
        self.resume = resume
        with claimed(self.target.root) as space:
            space.write("training.json", {})
        self.listener.stage("training")
        self.listener.progress(Progress(0.5, 10, 1.0, 2.0, 3.0))
        if isinstance(self.ends, BaseException):
            raise self.ends
        return self.ends


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[FakeTraining]:
    """The trainings that were asked for; each finds that the adapter is better."""
    monkeypatch.setattr(run, "Training", FakeTraining)
    monkeypatch.setattr(FakeTraining, "ends", OUTCOMES["better"])
    monkeypatch.setattr(FakeTraining, "seen", [], raising=False)
    return FakeTraining.seen


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, trainings: list[FakeTraining]) -> Shell:
    return Shell(monkeypatch)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with a folder."""
    (tmp_path / "shop" / "inner").mkdir(parents=True)
    repository(tmp_path / "shop")
    return tmp_path / "shop"


def test_options_reach_the_training(shell: Shell, shop: Path, trainings: list[FakeTraining]) -> None:
    options = (
        "--since 2020-01-01 --paths src --paths lib --author ada --max-commits 9 --budget 1.5m --method lora"
    )
    options += " --rank 4 --model small --device cpu --threads 3 --no-outcomes --seed 5 --resume --output out"
    assert shell("train", "--repo", shop / "inner", *options.split()) == 0
    (training,) = trainings
    assert training.target.folder == shop
    assert training.resume
    assert training.output == Path("out").absolute()
    assert training.options == Options(
        "small", "2020-01-01", ("src", "lib"), "ada", 9, 90.0, "cpu", 3, Method.lora, 4, False, 5
    )


def test_without_options_there_are_no_questions(
    shell: Shell, shop: Path, trainings: list[FakeTraining], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)
    assert shell("train") == 0
    assert trainings[0].options == Options()
    assert (trainings[0].target.folder, trainings[0].resume) == (shop, False)


def test_tables_go_to_standard_output_and_progress_does_not(shell: Shell, shop: Path) -> None:
    assert shell("train", "--repo", shop) == 0
    assert f"{ADAPTER} is installed" in shell.out
    assert shell.err.splitlines()[0] == "training"
    assert "50%: 0:03 left" in shell.err
    assert "\x1b" not in shell.out + shell.err


def test_the_default_that_is_kept_exits_with_1(
    shell: Shell, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeTraining, "ends", OUTCOMES["not better"])
    assert shell("train", "--repo", shop) == 1
    assert "the default is kept" in shell.out
    assert "report.html" in shell.out


def test_json_is_all_that_is_on_standard_output(shell: Shell, shop: Path) -> None:
    assert shell("train", "--repo", shop, "--json") == 0
    found = json.loads(shell.out)
    assert (found["installed"], found["steps"], found["seconds"]["training"]) == (True, 120, 61.0)


@pytest.mark.parametrize("error", [InterruptedTrainingError("stopped"), KeyboardInterrupt()])
def test_an_interrupt_says_how_to_go_on(
    error: BaseException, shell: Shell, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeTraining, "ends", error)
    assert shell("train", "--repo", shop) == 130
    assert shell.err.splitlines()[-1].endswith("the same command with --resume goes on")
    assert not shell.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "soon"], "'soon' is not a duration"),
        (["--budget", "0s"], "too short"),
        (["--method", "magic"], "use auto, full, lora"),
        (["--watch", "--dry-run"], "--watch and --dry-run do not go together"),
        (["--watch", "--resume"], "--watch and --resume do not go together"),
        (["--repos", "list", "--output", "out"], "--repos and --output do not go together"),
        (["--repos", "list", "--watch"], "--repos and --watch do not go together"),
        (["--repo", "nowhere"], "nowhere is not a folder"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], message: str, shell: Shell, trainings: list[FakeTraining]
) -> None:
    assert shell("train", *arguments) == 2
    (line,) = shell.err.splitlines()
    assert message in line
    assert not trainings


def test_a_missing_package_is_named_with_its_extra(
    shell: Shell, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "editflow_trainer.personal.run", None)
    monkeypatch.setattr(FakeTraining, "ends", ModuleNotFoundError("No module", name="datasketch"))
    assert shell("train", "--repo", shop) == 2
    assert "pip install 'editflow[train]'" in shell.err


def test_a_dry_run_trains_nothing(
    shell: Shell, shop: Path, trainings: list[FakeTraining], monkeypatch: pytest.MonkeyPatch
) -> None:
    dates = {"train": "2020-01-01", "tuning": "2020-02-02", "held_out": "2020-03-03"}

    def made(target: Target, options: Options, listener: Listener, output: Path | None) -> Plan:
        listener.stage("mining the history")
        place = output or Path("adapters")
        return Plan(TARGET, MATERIAL, dates, "small@1", Method.full, "cpu", options.seconds("cpu"), place)

    monkeypatch.setattr(plan, "make_plan", made)
    assert shell("train", "--repo", shop, "--dry-run", "--budget", "90s") == 0
    assert "2020-03-03" in shell.out
    assert "would train full for 1:30" in shell.out
    assert shell("train", "--repo", shop, "--dry-run", "--json") == 0
    assert json.loads(shell.out)["budget"] == 600.0
    assert not trainings


SINGLE = "--paths a --paths b --budget 10m --no-outcomes --seed 0"
"""Options as they would be typed for one training."""


def test_watch_gets_what_was_typed(shell: Shell, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Path, int, str]] = []

    def watched(target: Target, after: int, arguments: Sequence[str], say: object) -> None:
        calls.append((target.folder, after, " ".join(arguments)))

    monkeypatch.setattr(watch, "watch", watched)
    assert shell("train", "--watch", "--repo", shop, "--after", "3", *SINGLE.split()) == 0
    assert calls == [(shop, 3, SINGLE)]


@pytest.mark.parametrize(("engine", "mined"), [("local", None), ("ray", ("a", "b"))])
def test_many_repositories_get_what_was_typed(
    engine: str, mined: tuple[str, ...] | None, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[object, ...]] = []

    def trained(file: Path, arguments: Sequence[str], *, ray: Settings | None, **others: object) -> list[Row]:
        calls.append((file, " ".join(arguments), ray and ray.paths, others["jobs"], others["resume"]))
        return [Row("ada/shop", "why not", FAILED)]

    monkeypatch.setattr(many, "train_many", trained)
    options = ["--jobs", "2", "--resume", "--engine", engine]
    assert shell("train", "--repos", "list", *options, *SINGLE.split()) == FAILED
    (call,) = calls
    assert call == (Path("list"), SINGLE, mined, 2, True)
    assert "why not" in shell.out


def test_help_needs_no_torch() -> None:
    program = (
        "import sys; from editflow.cli import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit: sys.exit('torch' in sys.modules or 'datasketch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "--max-commits" in done.stdout


def test_an_interrupt_before_anything_was_begun_does_not_promise_to_go_on(
    shell: Shell, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(training: FakeTraining, *, resume: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeTraining, "run", interrupted)
    assert shell("train", "--repo", shop) == 130
    assert shell.err == "editflow: stopped\n"


def test_the_report_is_where_the_adapter_is(
    shell: Shell, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.trained import write

    adapter = write(shop.parent / "adapter", "a" * 40)
    monkeypatch.setattr(FakeTraining, "ends", replace(OUTCOMES["better"], adapter=adapter))
    assert shell("train", "--repo", shop, "--json") == 0
    found = json.loads(shell.out)
    assert found["report"] == str(adapter.folder / "report.html")
    assert found["adapter"] == adapter.name

"""Several processes: the same trajectory and weights as one with the same global batch, plain, sharded, and resumed."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from editflow_trainer.recipe import read_recipe
from editflow_trainer.training.logs import LOG, read_log
from editflow_trainer.training.state import State, read_state
from editflow_trainer.training.train_shards import run_folder, train_shards
from editflow_trainer.training.trainer import WEIGHTS
from tests.trainer.training.runs import Lines, make_shards, untimed

REPOSITORY = Path(__file__).parents[3]
RECIPE = """
name = "{name}"
[machine]
threads = 1
[train]
steps = 4
batch_tokens = 300
micro_batches = 4
precision = "fp32"
optimizer = "{optimizer}"
checkpoint_every = 2
log_every = 1
[train.backbone]
vocab_size = 600
width = 16
layers = 2
heads = 2
hidden = 24
copy_width = 8
max_count = 4
[train.data.noise]
vocabulary = 600
"""
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Launch:
    """A work folder with shards, in which runs are made by name."""

    work: Path

    def recipe(self, name: str, optimizer: str) -> Path:
        path = self.work / f"{name}.toml"
        path.write_text(RECIPE.format(name=name, optimizer=optimizer), "utf-8")
        return path

    def alone(self, name: str, optimizer: str) -> Path:
        recipe = read_recipe(self.recipe(name, optimizer))
        assert train_shards(recipe, self.work, lambda line: None)
        return run_folder(self.work, recipe)

    def together(self, name: str, optimizer: str, *options: str) -> Path:
        """Two processes on this machine, started as a cluster would."""
        recipe = self.recipe(name, optimizer)
        script = [str(REPOSITORY / "recipes" / "slurm.sh"), str(recipe), str(self.work), *options]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SLURM")}
        environment |= {"PATH": path, "PROCESSES": "2", "OMP_NUM_THREADS": "1"}
        ran = subprocess.run(["bash", *script], env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return run_folder(self.work, read_recipe(recipe))


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    make_shards(tmp_path / "shards")
    return Launch(tmp_path)


def lines(folder: Path) -> Lines:
    return untimed(read_log(folder / LOG))


def state(folder: Path) -> State:
    found = read_state(folder)
    assert found is not None
    return found


def check_same(one: Path, other: Path, tolerance: float) -> None:
    """Loss trajectories within 1e-5; weights, averages and optimizer states within the tolerance."""
    for before, after in zip(lines(one), lines(other), strict=True):
        assert after["loss"] == pytest.approx(before["loss"], abs=max(1e-5, tolerance))
    a, b = state(one), state(other)
    for part in ("model", "average"):
        for name, value in a[part].items():
            torch.testing.assert_close(b[part][name], value, rtol=0, atol=tolerance, msg=f"{part} {name}")
    for name, values in a["optimizer"]["state"].items():
        for key, value in values.items():
            torch.testing.assert_close(
                b["optimizer"]["state"][name][key], value, rtol=0, atol=tolerance, msg=name
            )


# Muon orthogonalises in bfloat16, which turns differences in the last bit of a gradient into ones of its resolution.
@pytest.mark.parametrize(
    ("optimizer", "options", "tolerance"),
    [("adamw", (), 1e-5), ("adamw", ("--fsdp",), 1e-5), ("muon", (), 2e-3)],
    ids=["ddp", "fsdp", "muon"],
)
def test_two_processes_make_the_run_of_one(
    launch: Launch, optimizer: str, options: tuple[str, ...], tolerance: float
) -> None:
    one, two = launch.alone("one", optimizer), launch.together("two", optimizer, *options)
    assert [line["step"] for line in lines(two)] == [1, 2, 3, 4]
    check_same(one, two, tolerance)
    assert (two / WEIGHTS).exists()


@pytest.mark.parametrize("options", [(), ("--fsdp",)], ids=["ddp", "fsdp"])
def test_two_processes_resume_to_the_bit(launch: Launch, options: tuple[str, ...]) -> None:
    straight = launch.together("straight", "adamw", *options)
    launch.together("resumed", "adamw", "--pause", "0.001s", *options)
    resumed = launch.together("resumed", "adamw", *options)
    assert lines(resumed) == lines(straight)
    check_same(straight, resumed, 0.0)


def test_a_run_of_two_goes_on_with_one(launch: Launch) -> None:
    straight = launch.alone("straight", "adamw")
    launch.together("moved", "adamw", "--pause", "0.001s")
    check_same(straight, launch.alone("moved", "adamw"), 1e-5)

"""Recipes and their stages: durations, the files that ship, what training may import, and what a run leaves."""

import argparse
import inspect
import json
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import save_file

from editflow.backbone import Backbone
from editflow.checkpoint import CARD, TOKENIZER, Checkpoint
from editflow.errors import EditFlowError
from editflow.process.continuous import FlowConfig
from editflow.quantization import WeightsFormat
from editflow_trainer import stages
from editflow_trainer.commands.train_default import RECIPE, Stage, train_default
from editflow_trainer.corpus import FUNCTIONS
from editflow_trainer.durations import seconds
from editflow_trainer.recipe import Preparation, Recipe, read_recipe
from editflow_trainer.sources import functions_in
from editflow_trainer.stages import Run, prepare_data, release, train
from editflow_trainer.training.logs import LOG, read_log
from editflow_trainer.training.train_shards import EVALUATIONS, REPORT, VALIDATION, with_options
from tests.trainer.training.runs import CONFIG, MACHINE, SHAPE, make_shards

REPOSITORY = Path(__file__).parents[2]
RECIPES = sorted((REPOSITORY / "recipes").glob("*.toml"))
FOR_THE_DEFAULT = [path for path in RECIPES if read_recipe(path).name == "default"]
MISSING_ON_A_TRAINING_MACHINE = (
    "datasketch", "pyarrow", "pyflakes", "pygls", "rapidfuzz", "rich", "textual", "tree_sitter", "typer", "zstandard",
)  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [("90m", 5400), ("1.5h", 5400), ("300s", 300)])
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "90", "m", "-5m", "1d", "90m "])
def test_a_bad_duration_says_what_to_write(text: str) -> None:
    with pytest.raises(EditFlowError, match="90m"):
        seconds(text)


def test_the_recipes_are_there() -> None:
    assert {path.stem for path in RECIPES} == {"cpu", "h200", "localized", "published"}
    assert (REPOSITORY / RECIPE).exists()


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_describes_a_network_that_can_ship(path: Path) -> None:
    recipe = read_recipe(path)
    parameters = sum(p.numel() for p in Backbone(recipe.train.backbone).parameters())
    assert 2 * parameters < 49_000_000  # bytes in bfloat16, a megabyte left for the tokenizer
    assert recipe.prepare.limit_mib <= 64


def test_an_exact_flow_never_replaces_the_shipped_checkpoint() -> None:
    for path in RECIPES:
        recipe = read_recipe(path)
        run = Run(recipe, Path("work"))
        if recipe.train.flow is None:
            assert run.out == Path("core/editflow/weights/default")
        else:
            assert run.out == run.work / recipe.name
            assert recipe.init == "core/editflow/weights/default/model.safetensors"
    assert len({Run(read_recipe(path), Path("work")).trained for path in RECIPES}) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = 'a'\n[train]\nstep = 3", "unknown key train.step"),
        ("name = 'a'\n[train.backbone]\nwidht = 3", "unknown key train.backbone.widht"),
        ("name = 'a'\n[train.data.noise]\nmask_rows = 2", "mask_rows must be at most 1"),
        ("name = 'a'\nbudget = 'soon'", "not a duration"),
        ("name = ", "a.toml"),
    ],
)
def test_a_recipe_with_a_mistake_is_refused_by_name(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(text, "utf-8")
    with pytest.raises(EditFlowError, match=message) as refusal:
        read_recipe(tmp_path / "a.toml")
    assert "a.toml" in str(refusal.value)


def test_a_missing_recipe_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(EditFlowError, match=r"recipes/cpu\.toml"):
        read_recipe(tmp_path / "a.toml")


def test_options_go_before_the_recipe() -> None:
    recipe = Recipe("a", budget="1h")
    changed = with_options(recipe, {"budget": "5m", "workers": 3, "fsdp": True, "device": None})
    assert (changed.budget, changed.machine.workers, changed.machine.fsdp) == ("5m", 3, True)
    assert changed.machine.device == recipe.machine.device
    assert with_options(recipe, {"fsdp": False, "init": None}) == recipe


def test_training_over_shards_needs_few_packages() -> None:
    blocked = f"import sys; sys.modules.update(dict.fromkeys({MISSING_ON_A_TRAINING_MACHINE!r}))"
    code = f"{blocked}; import editflow_trainer.training.train_shards"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_submission_script_parses() -> None:
    subprocess.run(["bash", "-n", REPOSITORY / "recipes" / "slurm.sh"], check=True)


def test_a_flow_is_trained_from_weights_and_released_without_calibration(
    tmp_path: Path, tokenizer_file: Path
) -> None:
    AcceleratorState._reset_state(reset_partial_state=True)
    make_shards(tmp_path / "shards")
    make_shards(tmp_path / VALIDATION, 10)
    shutil.copy(tokenizer_file, tmp_path / TOKENIZER)
    torch.manual_seed(1)
    start = tmp_path / "start.safetensors"
    save_file({n: p.detach() for n, p in Backbone(SHAPE).named_parameters()}, start)
    config = replace(
        CONFIG,
        backbone=replace(SHAPE, time_features=8, reverse=1),
        flow=FlowConfig("cubic", shows_origin=0),
        steps=3,
        evaluate_every=2,
    )
    run = Run(Recipe("published", init=str(start), machine=MACHINE, train=config), tmp_path)
    train(run, lambda line: None)
    assert [line["step"] for line in read_log(run.trained / LOG)] == [1, 2, 3]
    assert [line["step"] for line in read_log(run.trained / EVALUATIONS)] == [2, 3]
    assert "<svg" in (run.trained / REPORT).read_text("utf-8")
    checkpoint = Checkpoint.open(str(release(run, lambda line: None)))
    assert (checkpoint.flow(), checkpoint.in_continuous_time) == (config.flow, True)
    assert checkpoint.name.startswith("published@")
    network = checkpoint.backbone()
    assert network.reverse is not None and network.time is not None
    assert "3 steps" in (tmp_path / "published" / CARD).read_text("utf-8")
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.slow
def test_from_functions_to_a_calibrated_checkpoint(
    tmp_path: Path, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    AcceleratorState._reset_state(reset_partial_state=True)
    monkeypatch.setattr(stages, "CALIBRATION_FUNCTIONS", 60)
    monkeypatch.setattr(stages, "CALIBRATION_CASES", 20)
    functions = list(functions_in(inspect.getsource(argparse), package="argparse", path="argparse.py"))
    for name in ("train", "heldout"):
        (tmp_path / name).mkdir()
        lines = (json.dumps(asdict(function)) + "\n" for function in functions)
        (tmp_path / name / FUNCTIONS).write_text("".join(lines), "utf-8")
    shutil.copy(tokenizer_file, tmp_path / TOKENIZER)
    recipe = Recipe(
        "tiny",
        weights=WeightsFormat.int8,
        prepare=Preparation(functions=50, validation=20),
        machine=MACHINE,
        train=replace(CONFIG, steps=3, batch_tokens=2000, evaluate_every=3),
    )
    run, said = Run(recipe, tmp_path, command="make tiny"), list[str]()
    prepare_data(run, said.append)
    prepare_data(run, said.append)
    assert len(said) == 2  # the second time there is nothing to do
    train(run, lambda line: None)
    checkpoint = Checkpoint.open(str(release(run, said.append)))
    assert checkpoint.backbone().config == SHAPE
    card = (run.out / CARD).read_text("utf-8")
    assert "make tiny" in card and "argparse" in card and "Muon and AdamW" in card
    AcceleratorState._reset_state(reset_partial_state=True)


def test_stages_run_in_order_or_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, Run]] = []
    for name in ("prepare_data", "train", "release"):
        monkeypatch.setattr(
            f"editflow_trainer.stages.{name}", lambda run, say, name=name: made.append((name, run))
        )
    train_default(REPOSITORY / RECIPE, Path("work"), Path("elsewhere"), "5m")
    assert [name for name, _ in made] == ["prepare_data", "train", "release"]
    assert made[0][1].out == Path("elsewhere")
    assert made[0][1].recipe.budget == "5m"
    made.clear()
    train_default(REPOSITORY / RECIPE, Path("work"), stage=Stage.train, mined=[Path("mined")])
    assert [name for name, _ in made] == ["train"]
    assert made[0][1].mined == (Path("mined"),)

"""The recipe: durations, presets, and what the training loop may import."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from editflow.backbone import Backbone, BackboneConfig
from editflow.checkpoint import CARD, TOKENIZER, Checkpoint
from editflow.errors import EditFlowError
from editflow.process.continuous import FlowConfig
from editflow_trainer.commands.train_default import Preset, train_default
from editflow_trainer.config import TrainConfig
from editflow_trainer.durations import seconds
from editflow_trainer.presets import cpu_preset, gpu_preset
from editflow_trainer.recipe import Recipe, release, train
from editflow_trainer.shards import write_shard
from editflow_trainer.train_shards import run_folder
from tests.trainer.rows import VOCABULARY, make_rows

MISSING_ON_A_TRAINING_MACHINE = ("rapidfuzz", "pyflakes", "tree_sitter", "typer", "rich", "textual", "pygls")


@pytest.mark.parametrize(("text", "expected"), [("90m", 5400), ("1.5h", 5400), ("300s", 300)])
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "90", "m", "-5m", "1d", "90m "])
def test_a_bad_duration_says_what_to_write(text: str) -> None:
    with pytest.raises(EditFlowError, match="90m"):
        seconds(text)


@pytest.mark.parametrize("config", [cpu_preset(), gpu_preset()])
def test_weights_fit_into_fifty_megabytes(config: TrainConfig) -> None:
    parameters = sum(p.numel() for p in Backbone(config.backbone).parameters())
    assert 2 * parameters < 49_000_000  # bytes in bfloat16, a megabyte left for the tokenizer


def test_training_over_shards_needs_torch_numpy_and_safetensors_alone() -> None:
    blocked = f"import sys; sys.modules.update(dict.fromkeys({MISSING_ON_A_TRAINING_MACHINE!r}))"
    subprocess.run([sys.executable, "-c", f"{blocked}; import editflow_trainer.train_shards"], check=True)


def test_a_flow_is_trained_from_weights_and_released_without_calibration(
    tmp_path: Path, tokenizer_file: Path
) -> None:
    shape = BackboneConfig(VOCABULARY, width=16, layers=1, heads=2, hidden=24, copy_width=8, max_count=4)
    for folder in ("shards", "run-published"):
        (tmp_path / folder).mkdir()
    write_shard(tmp_path / "shards" / "0.safetensors", make_rows(12))
    shutil.copy(tokenizer_file, tmp_path / TOKENIZER)
    torch.manual_seed(1)
    save_file({n: p.detach() for n, p in Backbone(shape).named_parameters()}, tmp_path / "start.safetensors")
    config = TrainConfig(
        replace(shape, time_features=8, reverse=1),
        flow=FlowConfig("cubic", shows_origin=0),
        steps=3,
        batch_tokens=200,
        log_every=1,
    )
    recipe = Recipe(
        tmp_path, tmp_path / "out", config=config, name="published", init=tmp_path / "start.safetensors"
    )
    train(recipe, lambda line: None)
    checkpoint = Checkpoint.open(str(release(recipe, lambda line: None)))
    assert (checkpoint.flow(), checkpoint.in_continuous_time) == (config.flow, True)
    assert checkpoint.name.startswith("published@")
    network = checkpoint.backbone()
    assert network.reverse is not None and network.time is not None
    assert "3 steps" in (tmp_path / "out" / CARD).read_text("utf-8")


def test_a_flow_never_replaces_the_shipped_checkpoint_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Recipe] = []
    monkeypatch.setattr("editflow_trainer.recipe.run", lambda recipe, say: made.append(recipe))
    for preset in Preset:
        train_default(Path("work"), None, None, preset)
    default, gpu, published, localized = made
    assert default.out == gpu.out == Path("core/editflow/weights/default")
    assert (default.init, gpu.init) == (None, None)
    assert (published.out, localized.out) == (Path("work/published"), Path("work/localized"))
    assert published.init == localized.init == default.out / "model.safetensors"
    folders = [run_folder(recipe.work, recipe.config).name for recipe in made]
    assert folders == ["run", "run", "run-published", "run-localized"]

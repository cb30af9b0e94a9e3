"""The recipe: durations, presets, and what the training loop may import."""

import subprocess
import sys

import pytest

from editflow.backbone import Backbone
from editflow.errors import EditFlowError
from editflow_trainer.config import TrainConfig
from editflow_trainer.durations import seconds
from editflow_trainer.presets import cpu_preset, gpu_preset

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

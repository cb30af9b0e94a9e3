"""From a pretrained model to a checkpoint folder that training starts from, and from trained weights back to one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from editflow.backbone import Backbone, BackboneConfig
from editflow.checkpoint import CARD, TOKENIZER, WEIGHTS, Calibration, Checkpoint, write_config
from editflow.process.edit_flow import Thresholds
from editflow_trainer.adaptation.base import Base
from editflow_trainer.adaptation.errors import AdaptationError
from editflow_trainer.adaptation.lora import add_lora, merge_lora, rank_of
from editflow_trainer.adaptation.shape import backbone_config
from editflow_trainer.adaptation.vocabulary import Vocabulary
from editflow_trainer.adaptation.weights import convert

RECIPE = "recipe.toml"
RATE = 3e-4
"""Peak learning rate, DiffuLLaMA's (arXiv 2410.17891) for a model of this size."""
CARD_TEXT = """# {name}: not trained yet

The causal language model {base}, taken over by `editflow adapt`: its layers {layers}, {size} tokens, {millions:.1f}M
parameters. Its edit heads are new, so it edits nothing until it is trained. The licence of {base} applies.
"""


MERGED_TEXT = """# {name}: trained, not calibrated

Trained from what `editflow adapt` made of a pretrained model; low-rank updates, if there were any, are merged. Its
thresholds and confidences are not calibrated. The licence of the pretrained model applies.
"""


@dataclass(frozen=True, slots=True)
class Training:
    """How the adapted model is to be trained; goes into its recipe."""

    anneal_steps: int = 0
    """Steps in which attention opens; 0 opens it at once."""
    lora_rank: int = 0
    """Rank of the updates of the blocks' matrices; 0 trains all weights."""


def adapt(
    base: Base, vocabulary: Vocabulary, layers: Sequence[int], training: Training, out: Path
) -> BackboneConfig:
    """Write an untrained checkpoint and a recipe that trains it to `out`; returns the network's shape."""
    config = backbone_config(base.config, vocabulary.size, len(layers))
    state = convert(base.weights, config, layers, vocabulary)
    name = f"{base.name}-{config.layers}"
    out.mkdir(parents=True, exist_ok=True)
    _save(state, out)
    (out / TOKENIZER).write_text(vocabulary.tokenizer, encoding="utf-8")
    card = CARD_TEXT.format(
        name=name,
        base=base.name,
        layers=", ".join(map(str, layers)),
        size=vocabulary.size,
        millions=sum(value.numel() for value in state.values()) / 1e6,
    )
    (out / CARD).write_text(card, encoding="utf-8")
    write_config(out, name, config, Thresholds(), Calibration())
    (out / RECIPE).write_text(recipe(name, config, training, out / WEIGHTS), encoding="utf-8")
    return config


def recipe(name: str, config: BackboneConfig, training: Training, init: Path) -> str:
    """A recipe (TOML) that starts from the weights `init`."""
    train: dict[str, object] = {
        "optimizer": "adamw",
        "adam_rate": RATE,
        "anneal_steps": training.anneal_steps,
    }
    if training.lora_rank:
        train["lora_rank"] = training.lora_rank
    tables = (
        _table("", {"name": name, "init": str(init)}),
        _table("train", train),
        _table("train.backbone", config.as_dict()),
    )
    return "\n".join(tables)


def merge(started: Path, trained: Path, out: Path) -> None:
    """Write the checkpoint `started` with the weights in the file `trained`, low-rank updates merged, to `out`.

    AdaptationError where they are not of the network in `started`.
    """
    checkpoint, weights = Checkpoint.open(str(started)), load_file(trained)
    model = Backbone(checkpoint.backbone_config())
    if rank := rank_of((name, tuple(value.shape)) for name, value in weights.items()):
        add_lora(model, rank)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise AdaptationError(
            f"{trained} was not trained from {started}: name the folder it began with"
        ) from error
    merge_lora(model)
    out.mkdir(parents=True, exist_ok=True)
    _save(model.state_dict(), out)
    shutil.copyfile(started / TOKENIZER, out / TOKENIZER)
    name, config = str(checkpoint.config["name"]), checkpoint.backbone_config()
    (out / CARD).write_text(MERGED_TEXT.format(name=name), encoding="utf-8")
    write_config(out, name, config, checkpoint.thresholds(), checkpoint.calibration())


def _save(state: Mapping[str, Tensor], folder: Path) -> None:
    weights = {name: value.detach().to(torch.bfloat16).contiguous() for name, value in state.items()}
    save_file(weights, folder / WEIGHTS)


def _table(title: str, values: Mapping[str, object]) -> str:
    """One TOML table; the values here are numbers and strings, which TOML writes as JSON does."""
    lines = [f"[{title}]"] if title else []
    return "\n".join([*lines, *(f"{name} = {json.dumps(value)}" for name, value in values.items()), ""])

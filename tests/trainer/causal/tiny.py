"""A small causal model, and folders that hold one."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from editflow.backbone import BackboneConfig
from editflow_trainer.causal.formats import FormatName
from editflow_trainer.causal.model import new_model, save_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SHAPE = BackboneConfig(vocab_size=600, width=32, layers=2, heads=2, hidden=48)


def tiny_model(seed: int = 0) -> "PreTrainedModel":
    """A random network that is far from uniform."""
    torch.manual_seed(seed)
    model = new_model(SHAPE)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=2 * parameter.shape[1] ** -0.5)
    model.train(False)
    return model


@cache
def tiny_folder(tokenizer_file: Path, form: FormatName) -> Path:
    """A folder with a random network that answers in this format."""
    folder = tokenizer_file.parent / f"tiny-{form}"
    save_model(tiny_model(), tokenizer_file, folder, form, {})
    return folder

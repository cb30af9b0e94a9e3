"""Reads a causal language model with its tokenizer: a folder of safetensors, a GGUF file, or a name on the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PretrainedConfig

from editflow_trainer.adaptation.errors import AdaptationError


@dataclass(frozen=True, slots=True)
class Base:
    """A pretrained model in memory."""

    name: str
    config: PretrainedConfig
    weights: dict[str, Tensor]
    """State dict of the `AutoModelForCausalLM`, in the precision that it is stored in."""
    tokenizer: Tokenizer


def load(base: str, download: bool = False) -> Base:
    """Read a folder, a .gguf file, or a model of the hub that is on this machine, or may be downloaded.

    AdaptationError where it cannot be read.
    """
    source, options = _source(base, download)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
        model = AutoModelForCausalLM.from_pretrained(source, dtype="auto", **options)
    except (ImportError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise AdaptationError(f"{base} cannot be read as a causal language model: {reason}") from error
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise AdaptationError(f"{base} has no tokenizer.json: convert its tokenizer to a fast one first")
    backend: Tokenizer = tokenizer.backend_tokenizer
    return Base(Path(base).stem, model.config, model.state_dict(), backend)


def _source(base: str, download: bool) -> tuple[str, dict[str, Any]]:
    path = Path(base).expanduser()
    if path.is_file():
        return str(path.parent), {"gguf_file": path.name, "local_files_only": True}
    if path.is_dir():
        return str(path), {"local_files_only": True}
    if path.is_absolute() or path.suffix == ".gguf":
        raise AdaptationError(f"there is no model at {base}")
    return base, {"local_files_only": not download}

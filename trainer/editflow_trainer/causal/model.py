"""The causal LM and its folder: a Llama of the default flow's size, or any causal LM of transformers.

A folder holds what `save_pretrained` writes, the `tokenizer.json` that windows are encoded with, and `causal.json`:
the format of the answers and how the model was trained.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from editflow.backbone import BackboneConfig
from editflow.canvas import BOS, EOS, PAD
from editflow.checkpoint import TOKENIZER, WEIGHTS, sha256
from editflow.errors import EditFlowError
from editflow.tokens import CodeTokenizer
from editflow_trainer.causal.formats import FormatName
from editflow_trainer.causal.sequences import Sequences

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CAUSAL = "causal.json"
MAX_POSITIONS = 2048


def new_model(shape: BackboneConfig) -> PreTrainedModel:
    """An untrained Llama (arXiv 2302.13971) with the blocks of a backbone of this shape and a tied embedding."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=shape.vocab_size,
        hidden_size=shape.width,
        intermediate_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=MAX_POSITIONS,
        tie_word_embeddings=True,
        pad_token_id=PAD,
        bos_token_id=BOS,
        eos_token_id=EOS,
    )
    return LlamaForCausalLM(config)


def answer_loss(model: PreTrainedModel, batch: Sequences) -> Tensor:
    """Mean cross-entropy of the answers' tokens, in nats; the vocabulary is scored where it is needed only."""
    hidden = model.base_model(batch.ids[:, :-1], use_cache=False).last_hidden_state
    due = batch.answer[:, 1:]
    head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
    logits = head(hidden[due])
    return F.cross_entropy(logits.float(), batch.ids[:, 1:][due])


def save_model(
    model: PreTrainedModel, tokenizer: Path, folder: Path, form: FormatName, facts: dict[str, Any]
) -> None:
    """Write a folder: the weights, from now on in bfloat16; the tokenizer, the format, facts for the reader."""
    _draw_no_bars()
    model.to(torch.bfloat16).save_pretrained(folder)  # type: ignore[arg-type]
    shutil.copyfile(tokenizer, folder / TOKENIZER)
    (folder / CAUSAL).write_text(json.dumps({"format": form, **facts}, indent=2) + "\n", "utf-8")


@dataclass(frozen=True, slots=True)
class CausalCheckpoint:
    """A folder of a causal LM with our tokenizer."""

    folder: Path

    @property
    def name(self) -> str:
        """A short name for reports."""
        return f"{self.folder.name}@{sha256(self.folder / WEIGHTS)[:8]}"

    def check(self, form: FormatName) -> None:
        """EditFlowError where files are missing or the model answers in another format."""
        missing = [m for m in (TOKENIZER, WEIGHTS, "config.json") if not (self.folder / m).is_file()]
        if missing:
            raise EditFlowError(
                f"{self.folder} has no {missing[0]}: name the folder of a trained causal model"
            )
        own = self._format() or form
        if own != form:
            raise EditFlowError(f"{self.folder} answers by {own}, not {form}: use --baseline {own}")

    def _format(self) -> str | None:
        """The format that the model was trained in, where the folder says."""
        path = self.folder / CAUSAL
        if not path.is_file():
            return None
        try:
            return FormatName(json.loads(path.read_text("utf-8"))["format"])
        except (ValueError, KeyError, TypeError) as error:
            raise EditFlowError(f"{path} names no format; train the model again") from error

    def tokenizer(self) -> CodeTokenizer:
        """The tokenizer that windows are encoded with; EditFlowError where its special tokens are not ours."""
        try:
            return CodeTokenizer.from_file(self.folder / TOKENIZER)
        except Exception as error:  # the library raises bare Exception on malformed JSON
            raise EditFlowError(f"{self.folder / TOKENIZER} does not fit: {error}") from error

    def model(self) -> PreTrainedModel:
        """The network in float32 on the CPU, ready to infer; EditFlowError where transformers cannot load it."""
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM

        _draw_no_bars()
        try:
            model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
                self.folder,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
            )
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            reason = str(error).splitlines()[0]
            raise EditFlowError(f"{self.folder} is not a causal LM of transformers: {reason}") from error
        if model.config.vocab_size != (size := self.tokenizer().size):
            found = f"{model.config.vocab_size} outputs and {size} tokens"
            raise EditFlowError(
                f"{self.folder} has {found}: give the tokenizer that the model was trained with"
            )
        model.train(False).requires_grad_(False)
        return model


def _draw_no_bars() -> None:
    """Transformers shows its progress even where one small file is read or written."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

"""Small pretrained models of every family, with a tokenizer that lacks some bytes."""

from functools import cache
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from editflow_trainer.adaptation.base import Base

END = "<|endoftext|>"
TEXT = "def area(width, height):\n    return width * height + 1\n\n\nclass Shape:\n    side = 10\n"
SHAPE: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
}
KINDS: dict[str, tuple[type[Any], type[Any], dict[str, Any]]] = {
    "llama": (LlamaConfig, LlamaForCausalLM, {"tie_word_embeddings": True}),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, {"tie_word_embeddings": False}),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM, {"tie_word_embeddings": True, "head_dim": 6}),
}


@cache
def small_tokenizer() -> Tokenizer:
    """Byte-level BPE with a special token at id 0 and only the bytes of TEXT, as a hub model's may be."""
    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(vocab_size=90, special_tokens=[END], show_progress=False)
    tokenizer.train_from_iterator([TEXT] * 4, trainer)
    return tokenizer


def make_model(kind: str) -> PreTrainedModel:
    """A random model in which every weight has an effect."""
    torch.manual_seed(0)
    config, model_class, extra = KINDS[kind]
    model: PreTrainedModel = model_class(
        config(vocab_size=small_tokenizer().get_vocab_size() + 6, **SHAPE, **extra)
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    model.eval()  # type: ignore[no-untyped-call]
    return model


def make_base(kind: str) -> tuple[Base, PreTrainedModel]:
    """A model as `load` gives it, and the model itself."""
    model = make_model(kind)
    return Base(kind, model.config, model.state_dict(), small_tokenizer()), model

"""The vocabulary of an adapted model: the base's own behind our special tokens, or ours with transferred embeddings.

Either is a tokenizer and, for each of its tokens, the base tokens ("pieces") that the same text is to the base. A
token starts with the mean of its pieces' embeddings (Fast Vocabulary Transfer, Gee et al. 2022, arXiv 2402.09977).
Some bases have no token for some bytes: those start as the mean of the bytes that they have.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor
from transformers import PretrainedConfig

from editflow.canvas import BOS, EOS
from editflow.tokens import SPECIAL_TOKENS, CodeTokenizer
from editflow_trainer.adaptation.base import Base
from editflow_trainer.adaptation.errors import AdaptationError


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer, and what its tokens are to the base."""

    tokenizer: str
    """Content of tokenizer.json, fit for CodeTokenizer."""
    pieces: list[list[int]]
    """Ids of the base for each of our ids; never empty."""

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.pieces)


def transfer(embeddings: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Mean rows [V, D] in float32 of the base's `embeddings` [V', D]."""
    lengths = torch.tensor([len(ids) for ids in vocabulary.pieces])
    flat = torch.tensor([i for ids in vocabulary.pieces for i in ids])
    row = torch.arange(vocabulary.size).repeat_interleave(lengths)
    total = torch.zeros(vocabulary.size, embeddings.shape[1])
    return total.index_add_(0, row, embeddings[flat].float()) / lengths[:, None]


def base_vocabulary(base: Base) -> Vocabulary:
    """The base's byte-level tokens in their order behind our special ones, and all bytes that it lacks.

    Its own special tokens are dropped, and so is its normalizer: texts must come back as they are.
    """
    settings = _settings(base.tokenizer)
    special = {token["content"] for token in settings["added_tokens"]}
    alphabet = set(ByteLevel.alphabet())
    by_id = sorted(settings["model"]["vocab"].items(), key=lambda item: int(item[1]))
    kept = {token: [int(i)] for token, i in by_id if token not in special and set(token) <= alphabet}
    kept |= {byte: _bytes(base) for byte in sorted(alphabet - kept.keys())}
    settings["model"]["vocab"] = {token: i for i, token in enumerate((*SPECIAL_TOKENS, *kept))}
    settings |= {"added_tokens": [], "normalizer": None, "post_processor": None}
    text = json.dumps(settings, ensure_ascii=False)
    return _checked(Vocabulary(text, [*_special_pieces(base), *kept.values()]))


def own_vocabulary(base: Base, tokenizer: str) -> Vocabulary:
    """The tokens of a tokenizer.json of ours, each cut by the base's merges."""
    _settings(base.tokenizer)
    ours, bytes_ = Tokenizer.from_str(tokenizer), _bytes(base)
    names = [ours.id_to_token(i) or "" for i in range(len(SPECIAL_TOKENS), ours.get_vocab_size())]
    pieces = [_pieces(base, name) or bytes_ for name in names]
    return _checked(Vocabulary(tokenizer, [*_special_pieces(base), *pieces]))


def _bytes(base: Base) -> list[int]:
    ids = [base.tokenizer.token_to_id(byte) for byte in sorted(ByteLevel.alphabet())]
    return [i for i in ids if i is not None]


def _settings(tokenizer: Tokenizer) -> dict[str, Any]:
    """The tokenizer's JSON; AdaptationError unless it is byte-level BPE."""
    settings: dict[str, Any] = json.loads(tokenizer.to_str())
    steps = settings["pre_tokenizer"] or {}
    kinds = {step["type"] for step in steps.get("pretokenizers", [steps]) if step}
    if settings["model"]["type"] != "BPE" or "ByteLevel" not in kinds:
        raise AdaptationError("this model's tokenizer is not byte-level BPE: choose another base")
    return settings


def _special_pieces(base: Base) -> list[list[int]]:
    """Our special tokens start as the word in their name, those at the ends of a row as the base's own ones."""
    pieces = [_pieces(base, name.strip("<>0123456789")) for name in SPECIAL_TOKENS]
    end = _first(base.config, "eos_token_id")
    start = _first(base.config, "bos_token_id")
    pieces[EOS] = pieces[EOS] if end is None else [end]
    pieces[BOS] = pieces[EOS] if start is None else [start]
    return pieces


def _first(config: PretrainedConfig, name: str) -> int | None:
    value: int | list[int] | None = getattr(config, name, None)
    return value[0] if isinstance(value, list) else value


def _pieces(base: Base, text: str) -> list[int]:
    """Base ids of a text in byte-level characters."""
    return [token.id for token in base.tokenizer.model.tokenize(text)]


def _checked(vocabulary: Vocabulary) -> Vocabulary:
    try:
        CodeTokenizer(Tokenizer.from_str(vocabulary.tokenizer))
    except ValueError as error:
        raise AdaptationError(f"this tokenizer cannot be used: {error}") from error
    return vocabulary

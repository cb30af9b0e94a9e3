"""Greedy decoding with a key-value cache: prompts of one batch in, answers with their probabilities out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from editflow.canvas import EOS, PAD

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BATCH_TOKENS = 4096
"""Most answer tokens of a batch: the scores of each are kept, 32 KiB at 8,192 ids."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote."""

    ids: list[int]
    """Without the `<eos>` at the end."""
    log_probability: float
    """Of the whole answer and its end, in nats."""
    finished: bool
    """False where the limit came before the `<eos>`."""


def decode(
    model: PreTrainedModel, prompts: Sequence[list[int]], limits: Sequence[int], lookup: int = 0
) -> list[Answer]:
    """The likeliest next token, again and again, until `<eos>` or each prompt's limit of tokens.

    `lookup` > 0 takes that many tokens at a time from the prompt where its last tokens recur, and keeps those that
    are the likeliest ones anyway (prompt lookup decoding): the same answer, sooner; it decodes one by one.
    """
    answers: dict[int, Answer] = {}
    for batch in _batches(prompts, limits, 1 if lookup else len(prompts)):
        found = _generate(model, [prompts[i] for i in batch], [limits[i] for i in batch], lookup)
        answers |= dict(zip(batch, found, strict=True))
    return [answers[i] for i in range(len(prompts))]


def _batches(prompts: Sequence[list[int]], limits: Sequence[int], most: int) -> Iterator[list[int]]:
    """Indices of prompts of similar length, at most `most`, under the token budget."""
    batch: list[int] = []
    longest = 0
    for i in sorted(range(len(prompts)), key=lambda i: len(prompts[i])):
        longest = max(longest, limits[i])
        if batch and (len(batch) == most or longest * (len(batch) + 1) > BATCH_TOKENS):
            yield batch
            batch, longest = [], limits[i]
        batch.append(i)
    if batch:
        yield batch


@torch.inference_mode()
def _generate(
    model: PreTrainedModel, prompts: Sequence[list[int]], limits: Sequence[int], lookup: int
) -> list[Answer]:
    ids, seen = _left_padded(prompts)
    out = model.generate(  # type: ignore[operator]
        ids.to(model.device),
        attention_mask=seen.to(model.device),
        max_new_tokens=max(limits),
        do_sample=False,
        eos_token_id=EOS,
        pad_token_id=PAD,
        return_dict_in_generate=True,
        output_logits=True,
        **({"prompt_lookup_num_tokens": lookup} if lookup else {}),
    )
    written = out.sequences[:, ids.shape[1] :]
    chances = torch.stack(
        [_chosen(scores, token) for scores, token in zip(out.logits, written.T, strict=True)], 1
    )
    rows = zip(written.tolist(), chances.tolist(), limits, strict=True)
    return [_answer(tokens, logs, limit) for tokens, logs, limit in rows]


def _left_padded(prompts: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
    """Ids and their mask, both [B, L], each row at the right."""
    width = max(map(len, prompts))
    ids = torch.tensor([[PAD] * (width - len(p)) + p for p in prompts])
    seen = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    return ids, seen


def _chosen(scores: Tensor, token: Tensor) -> Tensor:
    """[B] log-probability of a token [B] by scores [B, V]."""
    return scores.float().log_softmax(-1).gather(1, token[:, None])[:, 0]


def _answer(tokens: list[int], logs: list[float], limit: int) -> Answer:
    end = tokens.index(EOS) if EOS in tokens else len(tokens)
    finished = end < min(limit, len(tokens))
    end = min(end, limit)
    return Answer(tokens[:end], sum(logs[: end + finished]), finished)

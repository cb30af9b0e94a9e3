"""Greedy decoding with a cache and in batches, against one full pass a token."""

import math
from typing import TYPE_CHECKING

import pytest
import torch

from editflow.canvas import BOS, EOS
from editflow_trainer.causal.decode import BATCH_TOKENS, Answer, decode
from tests.trainer.causal.tiny import tiny_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROMPTS = [[BOS, *range(20, 20 + size), EOS] for size in (3, 9, 1, 6)]
LIMITS = [12, 7, 1, 9]
OPEN = [BOS, 20, 21]
"""A prompt without the end token, so that its embedding may change."""


@torch.inference_mode()
def uncached(prompt: list[int], limit: int, seed: int = 0) -> Answer:
    """One full pass a token, no cache, no padding."""
    model, ids, log_probability = tiny_model(seed), list(prompt), 0.0
    for _ in range(limit):
        scores = model(torch.tensor([ids]), use_cache=False).logits[0, -1].log_softmax(-1)
        token = int(scores.argmax())
        log_probability += float(scores[token])
        if token == EOS:
            return Answer(ids[len(prompt) :], log_probability, True)
        ids.append(token)
    return Answer(ids[len(prompt) :], log_probability, False)


def assert_same(found: Answer, expected: Answer) -> None:
    assert (found.ids, found.finished) == (expected.ids, expected.finished)
    assert found.log_probability == pytest.approx(expected.log_probability, abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_cached_batches_are_as_uncached_rows(seed: int) -> None:
    found = decode(tiny_model(seed), PROMPTS, LIMITS)
    for answer, prompt, limit in zip(found, PROMPTS, LIMITS, strict=True):
        assert_same(answer, uncached(prompt, limit, seed))


def test_lookup_gives_the_same_answers() -> None:
    plain, sooner = (decode(tiny_model(), PROMPTS, LIMITS, lookup) for lookup in (0, 4))
    for answer, expected in zip(sooner, plain, strict=True):
        assert_same(answer, expected)


def ending_model(token: int) -> "PreTrainedModel":
    """A network that ends where it would have written this token; its embedding is tied."""
    model = tiny_model()
    with torch.no_grad():
        table = model.get_parameter("lm_head.weight")
        table[EOS] = 3 * table[token]
    return model


def test_answers_end_at_the_end_token() -> None:
    first = decode(tiny_model(), [OPEN], [4])[0]
    answer = decode(ending_model(first.ids[2]), [OPEN], [4])[0]
    assert answer.finished
    assert answer.ids == first.ids[: len(answer.ids)]
    assert len(answer.ids) < 4
    assert 0 < math.exp(answer.log_probability) <= 1


def test_batches_keep_to_the_budget_of_scores() -> None:
    model = ending_model(decode(tiny_model(), [OPEN], [1])[0].ids[0])
    rows: list[int] = []
    model.register_forward_pre_hook(
        lambda module, given, named: rows.append(len(named["input_ids"])), with_kwargs=True
    )
    decode(model, [OPEN] * 4, [BATCH_TOKENS // 2] * 4)
    assert rows == [2, 2]


def test_no_prompts_have_no_answers() -> None:
    assert decode(tiny_model(), [], []) == []

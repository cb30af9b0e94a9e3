"""Training sequences of a causal model: prompts with their answers, in right-padded tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from editflow.canvas import EOS, PAD
from editflow.process.base import AlignedBatch
from editflow_trainer.causal.formats import Format
from editflow_trainer.causal.parts import read_pairs


@dataclass(frozen=True, slots=True)
class Sequences:
    """Prompt, answer and `<eos>` of each row. Both tensors are [B, L]."""

    ids: Tensor
    """int64, right-padded: under a causal mask no token sees the padding."""
    answer: Tensor
    """bool, the tokens that the loss is taken of: the answer and its `<eos>`."""

    def to(self, device: torch.device) -> Sequences:
        """The same sequences on another device."""
        return Sequences(self.ids.to(device), self.answer.to(device))


def make_sequences(batch: AlignedBatch, form: Format) -> Sequences:
    """The rows of an aligned batch as sequences in a format."""
    pairs = [(form.prompt(source), form.write(source, target)) for source, target in read_pairs(batch)]
    return pad([(prompt, [*answer, EOS]) for prompt, answer in pairs])


def pad(pairs: Sequence[tuple[list[int], list[int]]]) -> Sequences:
    """Prompts and answers as tensors."""
    width = max(len(prompt) + len(answer) for prompt, answer in pairs)
    ids = torch.full((len(pairs), width), PAD)
    is_answer = torch.zeros(ids.shape, dtype=torch.bool)
    for b, (prompt, answer) in enumerate(pairs):
        end = len(prompt) + len(answer)
        ids[b, :end] = torch.tensor([*prompt, *answer])
        is_answer[b, len(prompt) : end] = True
    return Sequences(ids, is_answer)

"""Choosing tokens from Q: what may never be written, sharpening, and draws with float64 noise."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from editflow.canvas import FIRST_TEXT_ID


def writable(log_q: Tensor, current: Tensor | None = None) -> Tensor:
    """log Q [P, V] without special tokens and without the token [P] that is there already; normalised again."""
    log_q = log_q.clone()
    log_q[:, :FIRST_TEXT_ID] = float("-inf")
    if current is not None:
        log_q.scatter_(1, current[:, None], float("-inf"))
    return log_q.log_softmax(-1)


@dataclass(frozen=True, slots=True)
class Sharpening:
    """Temperature, top-k and nucleus on Q alone; rates are left as they are (arXiv 2506.09018, section 4)."""

    temperature: float = 1.0
    """0 takes the most likely token."""
    top_p: float = 1.0
    """Smallest set of tokens with at least this probability (Holtzman et al. 2020, arXiv 1904.09751)."""
    top_k: int = 0
    """Number of most likely tokens; 0 keeps all."""

    def __post_init__(self) -> None:
        if self.temperature < 0 or not 0 < self.top_p <= 1 or self.top_k < 0:
            raise ValueError(f"{self}: temperature and top_k are at least 0, top_p is in (0, 1]")

    def __call__(self, log_q: Tensor) -> Tensor:
        """Log-probabilities [P, V] to log-probabilities [P, V]."""
        top_k = 1 if self.temperature == 0 else self.top_k
        if self.temperature not in (0.0, 1.0):
            log_q = (log_q / self.temperature).log_softmax(-1)
        if 0 < top_k < log_q.shape[1]:
            kept = torch.full_like(log_q, float("-inf"))
            best = log_q.topk(top_k, dim=1)
            log_q = kept.scatter(1, best.indices, best.values).log_softmax(-1)
        if self.top_p < 1:
            ordered, index = log_q.sort(dim=1, descending=True, stable=True)
            before = ordered.exp().cumsum(1) - ordered.exp()
            nucleus = torch.where(before < self.top_p, ordered, float("-inf"))
            log_q = torch.empty_like(log_q).scatter(1, index, nucleus).log_softmax(-1)
        return log_q


def uniform(shape: torch.Size | tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    """Float64 draws from [0, 1): in float32 one in 2^24 is 0, and fires whatever is rarer than that."""
    drawn = torch.rand(shape, generator=generator, dtype=torch.float64, device=generator.device)
    return drawn.to(device)


def draw(log_q: Tensor, generator: torch.Generator) -> Tensor:
    """One token [P] of each row of log Q [P, V], by Gumbel noise.

    Float32 noise would cut the distribution's tail off and so lower its temperature (Zheng et al. 2024,
    arXiv 2409.02908).
    """
    u = uniform(log_q.shape, generator, log_q.device).clamp_min(torch.finfo(torch.float64).tiny)
    return (log_q.double() - (-u.log()).log()).argmax(1)

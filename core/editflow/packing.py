"""How the rows of a batch lie while the blocks run: side by side with padding, or end to end without.

Both layouts give every live token the same state. Packed rows cost nothing for padding; on CUDA their attention is
one variable-length FlashAttention call (FlashAttention-2, arXiv 2307.08691), elsewhere a plain loop over the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Layout(Protocol):
    """Where the tokens of rows [B, L] lie, and which of them see each other."""

    @property
    def positions(self) -> Tensor:
        """Each token's place in its row, [L] or [T]."""
        ...

    def gather(self, x: Tensor) -> Tensor:
        """Rows [B, L, D] as the blocks take them."""
        ...

    def scatter(self, x: Tensor) -> Tensor:
        """What the blocks gave, as rows [B, L, D]."""
        ...

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Scaled dot-product attention of [..., H, S] over the tokens of the same row."""
        ...


@dataclass(frozen=True, slots=True)
class Padded:
    """[B, L, ...]: rows side by side."""

    positions: Tensor  # [L]
    mask: Tensor | None  # bool [B, 1, 1 or L, L], True at keys that a query sees; None where all see all

    def gather(self, x: Tensor) -> Tensor:
        """The rows themselves."""
        return x

    def scatter(self, x: Tensor) -> Tensor:
        """The rows themselves."""
        return x

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Of [B, L, H, S]."""
        q, k, v = (t.transpose(1, 2) for t in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=self.mask).transpose(1, 2)


@dataclass(frozen=True, slots=True)
class Packed:
    """[T, ...]: the T live tokens of all rows, end to end."""

    shape: tuple[int, int]  # B, L
    lengths: list[int]  # of the rows
    bounds: Tensor  # int32 [B + 1], where each row starts, and T
    index: Tensor  # [T], place among the B * L
    positions: Tensor  # [T]

    @classmethod
    def of(cls, live: Tensor, lengths: list[int]) -> Packed:
        """The layout of left-aligned rows `live` [B, L] with `lengths` live tokens."""
        batch, width = live.shape
        bounds = F.pad(live.sum(1).cumsum(0), (1, 0))
        rows = torch.arange(batch, device=live.device)
        row = rows.repeat_interleave(bounds.diff(), output_size=sum(lengths))
        positions = torch.arange(len(row), device=live.device) - bounds[row]
        return cls((batch, width), lengths, bounds.int(), row * width + positions, positions)

    def gather(self, x: Tensor) -> Tensor:
        """[B, L, D] to [T, D]."""
        return x.flatten(0, 1).index_select(0, self.index)

    def scatter(self, x: Tensor) -> Tensor:
        """[T, D] to [B, L, D], zero at padding."""
        batch, width = self.shape
        return x.new_zeros(batch * width, x.shape[1]).index_copy(0, self.index, x).view(batch, width, -1)

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Of [T, H, S]."""
        if not q.is_cuda:
            rows = zip(*(torch.split(t.transpose(0, 1), self.lengths, 1) for t in (q, k, v)), strict=True)
            return torch.cat([F.scaled_dot_product_attention(*row) for row in rows], 1).transpose(0, 1)
        from torch.nn.attention.varlen import varlen_attn

        longest = max(self.lengths)
        q, k = q.to(v.dtype), k.to(v.dtype)  # autocast does not know this operation
        seen = varlen_attn(q, k, v, self.bounds, self.bounds, longest, longest)
        assert isinstance(seen, Tensor)  # a pair only where more is asked for
        return seen


def lay_out(live: Tensor, open_share: float, packs: bool) -> Layout:
    """The layout for left-aligned rows `live` [B, L]; `packs` where padding may be left out."""
    positions = torch.arange(live.shape[1], device=live.device)
    if open_share < 1:
        return Padded(positions, opened(live.shape[1], open_share, live.device) & live[:, None, None, :])
    lengths = live.sum(1).tolist()  # the one wait for the device in a pass
    if sum(lengths) == live.numel():
        return Padded(positions, None)
    return Packed.of(live, lengths) if packs else Padded(positions, live[:, None, None, :])


def opened(length: int, share: float, device: torch.device) -> Tensor:
    """A causal mask opened for a share of the keys ahead, bool [L, L] (DiffuLLaMA, arXiv 2410.17891, section 3.2).

    allowed(query, key) = key <= query or Bernoulli(share). The draw follows from the share alone, so that every
    process of a run, a resumed run, and a block that is run again for its gradient see the same mask.
    """
    generator = torch.Generator(device).manual_seed(int(share * 2**53))
    drawn = torch.rand(length, length, generator=generator, device=device) < share
    return drawn | torch.ones_like(drawn).tril()


def can_pack(x: Tensor, head_size: int) -> bool:
    """Whether variable-length FlashAttention takes what the blocks make of `x`: CUDA, 16 bits, whole heads of 8."""
    dtype = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else x.dtype
    return x.is_cuda and dtype in (torch.bfloat16, torch.float16) and head_size % 8 == 0 and head_size <= 256

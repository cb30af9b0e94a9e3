"""One bidirectional transformer over a canvas, with the heads that the processes read (editflow.heads).

Notable choices: rotary positions, RMSNorm before each block, SwiGLU, scaled dot-product attention, query and key
normalisation, a role embedding (context / original / edited / marked), tied token embedding, and a copy
mechanism beside the vocabulary softmax (pointer-generator, See et al. 2017, arXiv 1704.04368): most repairs
reuse a name that the window already holds.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from editflow.canvas import Role
from editflow.heads import EditHeads, Hidden

_SWITCHES = ("adjacency", "reverse")
MAX_SIZE = 1 << 18
"""No number of a configuration is larger: a checkpoint is untrusted, and a network is built before it is read."""


@dataclass(frozen=True, slots=True)
class BackboneConfig:
    """Shape of the network; saved in a checkpoint's config.json."""

    vocab_size: int = 8192
    """Number of token ids, special ones included."""
    width: int = 256
    """Size of a token's hidden state."""
    layers: int = 6
    """Number of transformer blocks."""
    heads: int = 4
    """Attention heads; width / heads is the head size, even."""
    hidden: int = 704
    """Inner size of SwiGLU."""
    copy_width: int = 64
    """Size of the copy mechanism's queries and keys."""
    max_count: int = 32
    """Largest insertion count that one gap can ask for in one pass."""
    roles: int = 4
    """Number of roles (see editflow.canvas.Role)."""
    rope_base: float = 10_000.0
    """Base of the rotary frequencies."""
    time_features: int = 0
    """Sinusoids that time enters by, even; 0 makes a network without time."""
    adjacency: int = 0
    """1 tells every token whether a neighbour was written by the flow."""
    reverse: int = 0
    """1 adds heads for the flow back to the source."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least, most = (0, 1) if name in _SWITCHES else (0 if name == "time_features" else 1, MAX_SIZE)
            if name != "rope_base" and not (isinstance(value, int) and least <= value <= most):
                raise ValueError(f"{name} must be a whole number from {least} to {most}, not {value!r}")
        if self.time_features % 2:
            raise ValueError(f"time_features must be even, not {self.time_features}")
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise ValueError(f"width {self.width} must be an even multiple of heads {self.heads}")

    def matrix_size(self) -> int:
        """Weights in all matrices."""
        block = 4 * self.width**2 + 3 * self.width * self.hidden
        rates = 3 * self.width + 2 * self.width * (1 + self.max_count)
        heads = rates + 3 * self.width * self.copy_width + 2 * self.width**2
        time = self.width * (self.time_features + self.width) if self.time_features else 0
        embeddings = (self.vocab_size + self.roles) * self.width
        return embeddings + self.layers * block + (1 + self.reverse) * heads + time

    def as_dict(self) -> dict[str, int | float]:
        """Plain values for config.json."""
        return asdict(self)


def rotary(length: int, size: int, base: float, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine tables, each [length, size / 2], float32 (RoFormer, arXiv 2104.09864)."""
    frequency = base ** (-torch.arange(0, size, 2, device=device, dtype=torch.float32) / size)
    angle = torch.arange(length, device=device, dtype=torch.float32)[:, None] * frequency
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate [B, H, L, S] by per-position angles [L, S / 2]."""
    a, b = x.chunk(2, dim=-1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


class Block(nn.Module):
    """Pre-norm attention and SwiGLU, both with residual connections."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.attention_norm = nn.RMSNorm(config.width, eps=1e-6)
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.attention_out = nn.Linear(config.width, config.width, bias=False)
        self.mlp_norm = nn.RMSNorm(config.width, eps=1e-6)
        self.gate_up = nn.Linear(config.width, 2 * config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        """Map [B, L, D] to [B, L, D]; `mask` is [B, 1, 1, L], True at keys that may be seen."""
        batch, length, width = x.shape
        q, k, v = self.qkv(self.attention_norm(x)).view(batch, length, 3, self.heads, -1).unbind(2)
        q = rotate(F.rms_norm(q, q.shape[-1:]).transpose(1, 2), cos, sin)
        k = rotate(F.rms_norm(k, k.shape[-1:]).transpose(1, 2), cos, sin)
        seen = F.scaled_dot_product_attention(q, k, v.transpose(1, 2), attn_mask=mask)
        x = x + self.attention_out(seen.transpose(1, 2).reshape(batch, length, width))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, dim=-1)
        mixed: Tensor = x + self.down(F.silu(gate) * up)
        return mixed


class TimeEmbedding(nn.Module):
    """Sinusoids of t in [0, 1] and two linear maps; the last starts at zero, so a network learns to use time.

    What it gives is added to the first token of a row. There it does no harm (OneFlow, arXiv 2510.03506, measures
    a time token at the start of a sequence on a par with none); added at every position it opens a path by which
    rates fire whatever the input is.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.features = features
        self.rise = nn.Linear(features, width)
        self.out = nn.Linear(width, width)

    def forward(self, time: Tensor) -> Tensor:
        """Map [B] to [B, D]."""
        count = self.features // 2
        frequency = 2.0 ** torch.linspace(0, 8, count, device=time.device)  # periods from 2 pi to 2 pi / 256
        angle = time.float()[:, None] * frequency
        hidden = F.silu(self.rise(torch.cat((angle.cos(), angle.sin()), 1)))
        embedded: Tensor = self.out(hidden)
        return embedded


class Backbone(EditHeads):
    """The transformer with its heads: its own towards the target, and `reverse` back to the source."""

    def __init__(self, config: BackboneConfig) -> None:
        embedding = nn.Embedding(config.vocab_size, config.width)
        super().__init__(config, embedding)
        self.config = config
        self.embedding = embedding
        self.role_embedding = nn.Embedding(config.roles, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=1e-6)
        self.time = TimeEmbedding(config.time_features, config.width) if config.time_features else None
        self.adjacency = nn.Parameter(torch.zeros(config.width)) if config.adjacency else None
        self.reverse = EditHeads(config, embedding) if config.reverse else None
        self._initialise()

    def _initialise(self) -> None:
        """Matrices N(0, 1/fan_in); residual outputs and what time adds zero."""
        for name, parameter in self.named_parameters():
            if parameter.ndim < 2:
                continue
            nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)
            if name.endswith(("attention_out.weight", "down.weight", "transform.weight", "time.out.weight")):
                nn.init.zeros_(parameter)
        if self.time is not None:
            nn.init.zeros_(self.time.out.bias)
        for heads in (self, self.reverse):
            if heads is not None:
                heads.initialise()

    def forward(self, ids: Tensor, role: Tensor, live: Tensor, time: Tensor | None = None) -> Hidden:
        """Hidden states of token rows [B, L]; padding is never seen by any live token.

        `time` [B] is the time of each row's state; a network without time ignores it.
        """
        x = self.embedding(ids) * self.config.width**0.5 + self.role_embedding(role)
        if self.adjacency is not None:
            x = x + self.adjacency * _beside(role == Role.EDITED)[..., None]
        if self.time is not None:
            if time is None:
                raise ValueError("this network needs the time of its input")
            x = torch.cat((x[:, :1] + self.time(time)[:, None].to(x.dtype), x[:, 1:]), 1)
        states = self.trunk(x, None if bool(live.all()) else live[:, None, None, :])
        return Hidden(states, ids, live)

    def trunk(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """The blocks alone: [B, L, D] to [B, L, D]."""
        size = self.config.width // self.config.heads
        cos, sin = rotary(x.shape[1], size, self.config.rope_base, x.device)
        for block in self.blocks:
            x = block(x, cos, sin, mask)
        normed: Tensor = self.norm(x)
        return normed


def _beside(edited: Tensor) -> Tensor:
    """[B, L] bool: a neighbour at the left or right is edited."""
    return F.pad(edited[:, :-1], (1, 0)) | F.pad(edited[:, 1:], (0, 1))

"""One bidirectional transformer over a canvas, with the heads that the processes read (editflow.heads).

Notable choices: rotary positions, RMSNorm before each block, SwiGLU, scaled dot-product attention, query and key
normalisation, a role embedding (context / original / edited / marked), tied token embedding, and a copy
mechanism beside the vocabulary softmax (pointer-generator, See et al. 2017, arXiv 1704.04368): most repairs
reuse a name that the window already holds. By configuration alone the trunk is that of Llama, Qwen2 or Qwen3
(grouped-query attention, biases, no scale on embeddings), so that their weights can be taken over.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from editflow.canvas import Role
from editflow.heads import EditHeads, Hidden
from editflow.packing import Layout, can_pack, lay_out

MAX_SIZE = 1 << 18
"""No number of a configuration is larger: a checkpoint is untrusted, and a network is built before it is read."""
_SWITCH, _OPTIONAL = (0, 1), (0, MAX_SIZE)
_LIMITS = {
    "time_features": _OPTIONAL,
    "kv_heads": _OPTIONAL,
    "head_width": _OPTIONAL,
    "qk_norm": (0, 2),
    "adjacency": _SWITCH,
    "reverse": _SWITCH,
    "qkv_bias": _SWITCH,
    "embedding_scale": _SWITCH,
    "shift": _SWITCH,
    "untied": _SWITCH,
}


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
    """Attention heads; width / heads is the head size unless head_width says otherwise, even."""
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
    kv_heads: int = 0
    """Heads of keys and values, each shared by heads / kv_heads queries (arXiv 2305.13245); 0 is one a query."""
    head_width: int = 0
    """Size of a head; 0 is width / heads."""
    qk_norm: int = 1
    """Of queries and keys: 0 none, 1 plain, 2 with learned weights (Qwen3)."""
    qkv_bias: int = 0
    """1 adds biases to queries, keys and values (Qwen2)."""
    embedding_scale: int = 1
    """1 multiplies token embeddings by sqrt(width)."""
    norm_epsilon: float = 1e-6
    """What RMSNorm adds to a mean square."""
    shift: int = 0
    """1 reads Q_sub of token i from token i - 1, as a causal model predicts it; Q_ins right of i always from i."""
    untied: int = 0
    """1 gives the vocabulary softmax a matrix of its own."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least, most = _LIMITS.get(name, (1, MAX_SIZE))
            if name in ("rope_base", "norm_epsilon"):
                if not 0 < value < inf:
                    raise ValueError(f"{name} must be above 0, not {value!r}")
            elif not (isinstance(value, int) and least <= value <= most):
                raise ValueError(f"{name} must be a whole number from {least} to {most}, not {value!r}")
        if self.time_features % 2:
            raise ValueError(f"time_features must be even, not {self.time_features}")
        if (not self.head_width and self.width % self.heads) or self.head_size % 2:
            raise ValueError(f"width {self.width} must be an even multiple of heads {self.heads}")
        if self.heads % self.key_heads:
            raise ValueError(f"heads {self.heads} must be a multiple of kv_heads {self.kv_heads}")

    @property
    def head_size(self) -> int:
        """Size of an attention head."""
        return self.head_width or self.width // self.heads

    @property
    def key_heads(self) -> int:
        """Number of heads of keys, and of values."""
        return self.kv_heads or self.heads

    def matrix_size(self) -> int:
        """Weights in all matrices."""
        attention = 2 * self.width * (self.heads + self.key_heads) * self.head_size
        block = attention + 3 * self.width * self.hidden
        rates = 3 * self.width + 2 * self.width * (1 + self.max_count)
        heads = rates + 3 * self.width * self.copy_width + 2 * (self.width**2 + self.width)
        time = self.width * (self.time_features + self.width) if self.time_features else 0
        embeddings = ((1 + self.untied) * self.vocab_size + self.roles) * self.width
        return embeddings + self.layers * block + (1 + self.reverse) * heads + time

    def as_dict(self) -> dict[str, int | float]:
        """Plain values for config.json."""
        return asdict(self)


def rotary(positions: Tensor, size: int, base: float) -> tuple[Tensor, Tensor]:
    """Cosine and sine tables of positions [N], each [N, 1, size / 2], float32 (RoFormer, arXiv 2104.09864)."""
    frequency = base ** (-torch.arange(0, size, 2, device=positions.device, dtype=torch.float32) / size)
    angle = positions.float()[:, None, None] * frequency
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate [..., N, H, S] by per-position angles [N, 1, S / 2]."""
    a, b = x.chunk(2, dim=-1)
    cos, sin = cos.to(x.dtype), sin.to(x.dtype)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


class PlainNorm(nn.Module):
    """RMSNorm without weights."""

    def forward(self, x: Tensor) -> Tensor:
        """Of the last dimension."""
        return F.rms_norm(x, x.shape[-1:])


def _head_norm(config: BackboneConfig) -> nn.Module:
    learned = nn.RMSNorm(config.head_size, eps=config.norm_epsilon)
    return (nn.Identity(), PlainNorm(), learned)[config.qk_norm]


class Block(nn.Module):
    """Pre-norm attention and SwiGLU, both with residual connections."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.heads, self.key_heads = config.heads, config.key_heads
        size = config.head_size
        projected = (config.heads + 2 * config.key_heads) * size
        self.attention_norm = nn.RMSNorm(config.width, eps=config.norm_epsilon)
        self.qkv = nn.Linear(config.width, projected, bias=bool(config.qkv_bias))
        self.q_norm, self.k_norm = _head_norm(config), _head_norm(config)
        self.attention_out = nn.Linear(config.heads * size, config.width, bias=False)
        self.mlp_norm = nn.RMSNorm(config.width, eps=config.norm_epsilon)
        self.gate_up = nn.Linear(config.width, 2 * config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, layout: Layout) -> Tensor:
        """Map tokens [..., D] to [..., D], as `layout` has them."""
        heads = self.qkv(self.attention_norm(x)).unflatten(-1, (self.heads + 2 * self.key_heads, -1))
        q, k, v = heads.split((self.heads, self.key_heads, self.key_heads), -2)
        q, k = rotate(self.q_norm(q), cos, sin), rotate(self.k_norm(k), cos, sin)
        if self.key_heads != self.heads:  # not every attention kernel shares keys among queries
            k, v = (t.repeat_interleave(self.heads // self.key_heads, -2) for t in (k, v))
        x = x + self.attention_out(layout.attend(q, k, v).flatten(-2))
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

    open_share: float = 1.0
    """Share of the tokens ahead that a token sees; a trainer raises it from 0 to 1 to open a causal model."""

    def __init__(self, config: BackboneConfig) -> None:
        embedding = nn.Embedding(config.vocab_size, config.width)
        output = nn.Linear(config.width, config.vocab_size, bias=False) if config.untied else embedding
        super().__init__(config, output)
        self.config = config
        self.embedding = embedding
        if config.untied:
            self.output = output
        self.role_embedding = nn.Embedding(config.roles, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=config.norm_epsilon)
        self.time = TimeEmbedding(config.time_features, config.width) if config.time_features else None
        self.adjacency = nn.Parameter(torch.zeros(config.width)) if config.adjacency else None
        self.reverse = EditHeads(config, output) if config.reverse else None
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
        scale = self.config.width**0.5 if self.config.embedding_scale else 1.0
        x = self.embedding(ids) * scale + self.role_embedding(role)
        if self.adjacency is not None:
            x = x + self.adjacency * _beside(role == Role.EDITED)[..., None]
        if self.time is not None:
            if time is None:
                raise ValueError("this network needs the time of its input")
            x = torch.cat((x[:, :1] + self.time(time)[:, None].to(x.dtype), x[:, 1:]), 1)
        return Hidden(self.trunk(x, live), ids, live)

    def trunk(self, x: Tensor, live: Tensor) -> Tensor:
        """The blocks alone: [B, L, D] to [B, L, D]; `live` [B, L] is left-aligned."""
        size = self.config.head_size
        layout = lay_out(live, self.open_share, can_pack(x, size))
        cos, sin = rotary(layout.positions, size, self.config.rope_base)
        x = layout.gather(x)
        for block in self.blocks:
            x = block(x, cos, sin, layout)
        return layout.scatter(self.norm(x))


def _beside(edited: Tensor) -> Tensor:
    """[B, L] bool: a neighbour at the left or right is edited."""
    return F.pad(edited[:, :-1], (1, 0)) | F.pad(edited[:, 1:], (0, 1))

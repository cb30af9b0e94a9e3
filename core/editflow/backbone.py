"""One bidirectional transformer over a canvas, with the heads that the processes read.

Notable choices: rotary positions, RMSNorm before each block, SwiGLU, scaled dot-product attention, query and key
normalisation, a role embedding (context / original / edited / marked), tied token embedding, and a copy
mechanism beside the vocabulary softmax (pointer-generator, See et al. 2017, arXiv 1704.04368): most repairs
reuse a name that the window already holds. Heads are float32. The vocabulary head is evaluated at gathered rows
only, so a [B, L, V] tensor never exists.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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

    def __post_init__(self) -> None:
        sizes = {name: value for name, value in asdict(self).items() if name != "rope_base"}
        for name, value in sizes.items():
            if not isinstance(value, int) or not 1 <= value <= MAX_SIZE:
                raise ValueError(f"{name} must be a whole number from 1 to {MAX_SIZE}, not {value!r}")
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise ValueError(f"width {self.width} must be an even multiple of heads {self.heads}")

    def matrix_size(self) -> int:
        """Weights in the embedding and the blocks' matrices."""
        block = 4 * self.width**2 + 3 * self.width * self.hidden
        return self.vocab_size * self.width + self.layers * block

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


@dataclass(frozen=True, slots=True)
class Hidden:
    """The trunk's output with what the heads need from the input."""

    states: Tensor  # [B, L, D]
    ids: Tensor  # [B, L]
    live: Tensor  # [B, L] bool


class TokenHead(nn.Module):
    """Q: a distribution over tokens at gathered positions, vocabulary softmax mixed with copying.

    Q(a) = (1 - g) softmax(E q)_a + g sum_j softmax(q_c . k_j) 1[x_j = a], with the gate g in (0, 1).
    """

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.transform = nn.Linear(config.width, config.width, bias=False)
        self.norm = nn.RMSNorm(config.width, eps=1e-6)
        self.query = nn.Linear(config.width, config.copy_width, bias=False)
        self.gate = nn.Linear(config.width, 1)

    def forward(self, rows: Tensor, embedding: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Vocabulary logits [P, V], copy queries [P, C] and gate logits [P] for hidden rows [P, D]."""
        q = self.norm(F.silu(self.transform(rows)) + rows)
        return F.linear(q, embedding, bias).float(), self.query(q), self.gate(q).squeeze(-1).float()


class Backbone(nn.Module):
    """The transformer and its heads: operations per token, counts per gap, tokens at gathered rows."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.role_embedding = nn.Embedding(config.roles, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=1e-6)
        self.operation_head = nn.Linear(config.width, 3)
        self.gap_head = nn.Linear(2 * config.width, 1 + config.max_count)
        self.copy_key = nn.Linear(config.width, config.copy_width, bias=False)
        self.token_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.substitute_head = TokenHead(config)
        self.insert_head = TokenHead(config)
        self._initialise()

    def _initialise(self) -> None:
        """Matrices N(0, 1/fan_in); residual outputs zero; rate heads start at p(edit) near 0.02."""
        for name, parameter in self.named_parameters():
            if parameter.ndim < 2:
                continue
            nn.init.normal_(parameter, std=parameter.shape[1] ** -0.5)
            if name.endswith(("attention_out.weight", "down.weight", "transform.weight")):
                nn.init.zeros_(parameter)
        nn.init.normal_(self.embedding.weight, std=self.config.width**-0.5)
        nn.init.zeros_(self.operation_head.weight)
        nn.init.zeros_(self.gap_head.weight)
        with torch.no_grad():
            self.operation_head.bias.copy_(torch.tensor([4.0, -0.5, 0.0]))
            self.gap_head.bias.zero_()
            self.gap_head.bias[0] = 4.0

    def forward(self, ids: Tensor, role: Tensor, live: Tensor) -> Hidden:
        """Hidden states of token rows [B, L]; padding is never seen by any live token."""
        x = self.embedding(ids) * self.config.width**0.5 + self.role_embedding(role)
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

    def operations(self, hidden: Hidden) -> Tensor:
        """Log-probabilities [B, L, 3] of keep, delete, substitute, float32."""
        logits: Tensor = self.operation_head(hidden.states).float()
        return logits.log_softmax(-1)

    def gaps(self, hidden: Hidden) -> tuple[Tensor, Tensor]:
        """Logit [B, L] that nothing is missing right of a token, and log-probabilities [B, L, K] of counts 1..K."""
        following = torch.roll(hidden.states, -1, dims=1)
        logits: Tensor = self.gap_head(torch.cat((hidden.states, following), -1)).float()
        return logits[..., 0], logits[..., 1:].log_softmax(-1)

    def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        """log Q_sub [P, V] at the tokens (row, column), each [P] and sorted by row."""
        return self._distribution(self.substitute_head, hidden, row, column)

    def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        """log Q_ins [P, V] for the gaps right of (row, column), each [P] and sorted by row."""
        return self._distribution(self.insert_head, hidden, row, column)

    def substitution_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        """log Q_sub(token) [P]: the same numbers as `substitutions` gathered, at less cost for training."""
        return self._log_prob(self.substitute_head, hidden, row, column, token)

    def insertion_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        """log Q_ins(token) [P]: the same numbers as `insertions` gathered, at less cost for training."""
        return self._log_prob(self.insert_head, hidden, row, column, token)

    def _distribution(self, head: TokenHead, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        logits, query, gate = head(hidden.states[row, column], self.embedding.weight, self.token_bias)
        attention = self._copy_attention(query, hidden, row)
        copied = torch.zeros_like(logits).scatter_add(1, hidden.ids[row], attention)
        return _mix(logits.log_softmax(-1), copied, gate[:, None])

    def _log_prob(
        self, head: TokenHead, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor
    ) -> Tensor:
        logits, query, gate = head(hidden.states[row, column], self.embedding.weight, self.token_bias)
        attention = self._copy_attention(query, hidden, row)
        copied = (attention * (hidden.ids[row] == token[:, None])).sum(1)
        return _mix(-F.cross_entropy(logits, token, reduction="none"), copied, gate)

    def _copy_attention(self, query: Tensor, hidden: Hidden, row: Tensor) -> Tensor:
        keys: Tensor = self.copy_key(hidden.states)
        scores = self._copy_scores(query, keys, row)
        return scores.masked_fill(~hidden.live[row], float("-inf")).softmax(-1)

    def _copy_scores(self, query: Tensor, keys: Tensor, row: Tensor) -> Tensor:
        """[P, L] float32 dot products of query p with every key of its own row, without copying keys per query.

        Queries come sorted by row; they are padded into [B, K, C] and multiplied row by row.
        """
        batch = keys.shape[0]
        count = torch.bincount(row, minlength=batch)
        rank = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
        padded = query.new_zeros(batch, int(count.max()) if len(row) else 0, query.shape[1])
        padded = padded.index_put((row, rank), query)
        scores = torch.bmm(padded, keys.transpose(1, 2).to(padded.dtype))
        own: Tensor = scores[row, rank].float() * query.shape[1] ** -0.5
        return own


def _mix(generated: Tensor, copied: Tensor, gate: Tensor) -> Tensor:
    """Log of the gated mixture; `generated` is a log-probability, `copied` a probability."""
    copying = copied.clamp_min(1e-9).log() + F.logsigmoid(gate)
    return torch.logaddexp(generated + F.logsigmoid(-gate), copying)

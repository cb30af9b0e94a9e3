"""The heads that processes read: operations per token, counts per gap, and tokens at gathered rows.

All answers are float32. The vocabulary head is evaluated at gathered rows only, so a [B, L, V] tensor never exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from editflow.backbone import BackboneConfig


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
        self.norm = nn.RMSNorm(config.width, eps=config.norm_epsilon)
        self.query = nn.Linear(config.width, config.copy_width, bias=False)
        self.gate = nn.Linear(config.width, 1)

    def forward(self, rows: Tensor, embedding: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Vocabulary logits [P, V], copy queries [P, C] and gate logits [P] for hidden rows [P, D]."""
        q = self.norm(F.silu(self.transform(rows)) + rows)
        return F.linear(q, embedding, bias).float(), self.query(q), self.gate(q).squeeze(-1).float()


class EditHeads(nn.Module):
    """One set of heads: the operations still pending in one direction of a flow."""

    def __init__(self, config: BackboneConfig, output: nn.Embedding | nn.Linear) -> None:
        """`output` holds the matrix [V, D] of the vocabulary softmax: the trunk's embedding, unless untied."""
        super().__init__()
        self.operation_head = nn.Linear(config.width, 3)
        self.gap_head = nn.Linear(2 * config.width, 1 + config.max_count)
        self.copy_key = nn.Linear(config.width, config.copy_width, bias=False)
        self.token_bias = nn.Parameter(torch.zeros(config.vocab_size))
        self.substitute_head = TokenHead(config)
        self.insert_head = TokenHead(config)
        self._shift = config.shift
        self._output = (output,)  # in a tuple: read here, but not a submodule of every set of heads

    def initialise(self) -> None:
        """Zero rate heads with biases that start p(edit) near 0.02."""
        nn.init.zeros_(self.operation_head.weight)
        nn.init.zeros_(self.gap_head.weight)
        with torch.no_grad():
            self.operation_head.bias.copy_(torch.tensor([4.0, -0.5, 0.0]))
            self.gap_head.bias.zero_()
            self.gap_head.bias[0] = 4.0

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
        return self._distribution(self.substitute_head, hidden, row, self._predicting(column))

    def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        """log Q_ins [P, V] for the gaps right of (row, column), each [P] and sorted by row."""
        return self._distribution(self.insert_head, hidden, row, column)

    def substitution_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        """log Q_sub(token) [P]: the same numbers as `substitutions` gathered, at less cost for training."""
        return self._log_prob(self.substitute_head, hidden, row, self._predicting(column), token)

    def insertion_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        """log Q_ins(token) [P]: the same numbers as `insertions` gathered, at less cost for training."""
        return self._log_prob(self.insert_head, hidden, row, column, token)

    def _predicting(self, column: Tensor) -> Tensor:
        """The columns whose states Q_sub is read from; a row's first token is frozen, so none is below 0."""
        return (column - self._shift).clamp_min(0)

    def _distribution(self, head: TokenHead, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        logits, query, gate = head(hidden.states[row, column], self._output[0].weight, self.token_bias)
        attention = self._copy_attention(query, hidden, row)
        copied = torch.zeros_like(logits).scatter_add(1, hidden.ids[row], attention)
        return _mix(logits.log_softmax(-1), copied, gate[:, None])

    def _log_prob(
        self, head: TokenHead, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor
    ) -> Tensor:
        logits, query, gate = head(hidden.states[row, column], self._output[0].weight, self.token_bias)
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

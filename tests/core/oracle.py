"""Heads whose answers are known: an oracle that has seen the target, and noise; and rows to run them on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import torch
from torch import Tensor

from editflow.canvas import BOS, EOS, FIRST_TEXT_ID, PLACEHOLDER, Canvas, Role
from editflow.heads import Hidden
from editflow.process.corruption import DELETE, KEEP, SUBSTITUTE

TEXT_IDS = 40
FIRST_KEY = FIRST_TEXT_ID + TEXT_IDS
VOCABULARY = FIRST_KEY + 64
GONE = -1


@dataclass(frozen=True, slots=True)
class Script:
    """What each token becomes (GONE where deleted), and what is missing: gap 0 lies before the first."""

    becomes: list[int]
    missing: list[list[int]]


def edit_script(current: Sequence[int], target: Sequence[int]) -> Script:
    """The cheapest edits, where a placeholder may stand for any token."""
    n, m = len(current), len(target)
    cost = [[n - i + m - j for j in range(m + 1)] for i in range(n + 1)]
    for i in reversed(range(n)):
        for j in reversed(range(m)):
            differs = current[i] not in (target[j], PLACEHOLDER)
            cost[i][j] = min(cost[i + 1][j + 1] + differs, cost[i + 1][j] + 1, cost[i][j + 1] + 1)
    script, i, j = Script([], [[] for _ in range(n + 1)]), 0, 0
    while i < n or j < m:
        differs = i < n and j < m and current[i] not in (target[j], PLACEHOLDER)
        if i < n and j < m and cost[i][j] == cost[i + 1][j + 1] + differs:
            script.becomes.append(target[j])
            i, j = i + 1, j + 1
        elif i < n and cost[i][j] == cost[i + 1][j] + 1:
            script.becomes.append(GONE)
            i += 1
        else:
            script.missing[i].append(target[j])
            j += 1
    return script


def row_of(key: int, text: Sequence[int]) -> tuple[list[int], list[int]]:
    """Ids and roles of a row: three frozen tokens, the second naming the row, the text, one frozen."""
    context = int(Role.CONTEXT)
    ids = [BOS, FIRST_KEY + key, FIRST_TEXT_ID, *text, EOS]
    return ids, [context] * 3 + [int(Role.ORIGINAL)] * len(text) + [context]


def canvas_of(texts: Sequence[Sequence[int]]) -> Canvas:
    """A canvas with one row a text; the row's number is its key."""
    return Canvas.from_rows([row_of(key, text) for key, text in enumerate(texts)])


def text_of(row: Canvas) -> list[int]:
    """The editable ids of a canvas of one row."""
    ids: list[int] = row.ids[0][~row.frozen[0]].tolist()
    return ids


class Oracle:
    """Aligns every row to its target and asks for the edits that are left, all with one certainty."""

    reverse = None

    def __init__(
        self, targets: Mapping[int, Sequence[int]], certainty: float = 1.0, max_count: int = 32
    ) -> None:
        self.targets, self.certainty, self.max_count = targets, certainty, max_count
        self.batches: list[int] = []

    def __call__(self, ids: Tensor, role: Tensor, live: Tensor, time: Tensor | None = None) -> Hidden:
        """States [B, L, 4]: operation, tokens missing at the right, replacement, first missing token."""
        self.batches.append(len(ids))
        states = torch.zeros((*ids.shape, 4))
        for b, (row, roles) in enumerate(zip(ids.tolist(), role.tolist(), strict=True)):
            start = len(list(takewhile(lambda r: r == Role.CONTEXT, roles)))
            text = [token for token, r in zip(row, roles, strict=True) if r != Role.CONTEXT]
            script = edit_script(text, self.targets[row[1] - FIRST_KEY])
            for i, missing in enumerate(script.missing):
                states[b, start - 1 + i, 1] = len(missing)
                states[b, start - 1 + i, 3] = missing[0] if missing else 0
            for i, (old, new) in enumerate(zip(text, script.becomes, strict=True), start):
                states[b, i, 0] = DELETE if new == GONE else KEEP if old == new else SUBSTITUTE
                states[b, i, 2] = max(new, 0)
        return Hidden(states, ids, live)

    def operations(self, hidden: Hidden) -> Tensor:
        return self._peaked(hidden.states[..., 0], 3)

    def gaps(self, hidden: Hidden) -> tuple[Tensor, Tensor]:
        missing = hidden.states[..., 1]
        complete = torch.where(missing == 0, self.certainty, 1 - self.certainty)
        count = missing.clamp(1, self.max_count) - 1
        return torch.logit(complete, eps=1e-6), self._peaked(count, self.max_count)

    def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        return self._peaked(hidden.states[row, column, 2], VOCABULARY)

    def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        return self._peaked(hidden.states[row, column, 3], VOCABULARY)

    def _peaked(self, index: Tensor, size: int) -> Tensor:
        """Log-probabilities [..., size]: `certainty` at the index, the rest spread evenly."""
        spread = torch.full((*index.shape, size), (1 - self.certainty) / max(1, size - 1))
        return spread.scatter(-1, index.long()[..., None], self.certainty).clamp_min(1e-9).log()


class Noise:
    """Random answers at every call: whatever they are, the rules of editing must hold."""

    reverse = None

    def __init__(self, seed: int, scale: float = 3.0, max_count: int = 4) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.scale, self.max_count = scale, max_count

    def __call__(self, ids: Tensor, role: Tensor, live: Tensor, time: Tensor | None = None) -> Hidden:
        return Hidden(torch.zeros((*ids.shape, 1)), ids, live)

    def operations(self, hidden: Hidden) -> Tensor:
        return self._random(*hidden.ids.shape, 3).log_softmax(-1)

    def gaps(self, hidden: Hidden) -> tuple[Tensor, Tensor]:
        counts = self._random(*hidden.ids.shape, self.max_count).log_softmax(-1)
        return self._random(*hidden.ids.shape), counts

    def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        return self._random(len(row), VOCABULARY).log_softmax(-1)

    def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        return self._random(len(row), VOCABULARY).log_softmax(-1)

    def _random(self, *shape: int) -> Tensor:
        return self.scale * torch.randn(shape, generator=self.generator)

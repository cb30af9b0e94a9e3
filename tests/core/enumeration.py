"""Edit flows small enough to enumerate: every x_t of a few pairs, its probability, and what is pending there.

Nothing here reads the corruption or the rates that it serves to test: z_t is enumerated slot by slot, blanks are
stripped and operations are collected in plain Python.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import torch
from torch import Tensor

from editflow.canvas import BOS, EDIT, EOS, FIRST_TEXT_ID, Canvas, Role
from editflow.heads import Hidden
from editflow.process.base import BLANK, IGNORE, AlignedBatch
from editflow.process.corruption import DELETE, SUBSTITUTE
from editflow.process.schedule import Polynomial

VOCABULARY = FIRST_TEXT_ID + 3
SLOTS = 4
MAX_COUNT = SLOTS
NEVER = 1e-30  # a probability that float32 can still hold the logarithm of
INSERT, GONE = 3, -1  # the kind of an insertion; the token of a deletion
CODE_BITS, CODED = 7, 9  # a row of up to 9 tokens is one int64
Row = tuple[tuple[int, ...], tuple[int, ...]]
"""Ids and roles of a row without padding."""
Operation = tuple[int, int, int]
"""Kind (DELETE, SUBSTITUTE or INSERT), column of the token or of the gap's left neighbour, token."""


@dataclass(frozen=True)
class Pairs:
    """A distribution of aligned pairs over three tokens, between two frozen tokens and one."""

    batch: AlignedBatch  # [N, S]
    weight: Tensor  # [N] int64, up to a factor the probability of a pair

    @classmethod
    def random(cls, seed: int, count: int = 12) -> Pairs:
        """Pairs of up to 4 slots; sources hold two of the tokens, so that an x_t has several explanations."""
        generator = torch.Generator().manual_seed(seed)
        first, last = FIRST_TEXT_ID, VOCABULARY - 1
        pairs = []
        for _ in range(count):
            old = torch.randint(first - 1, last, (_size(generator),), generator=generator).tolist()
            new = torch.randint(first - 1, last + 1, (len(old),), generator=generator).tolist()
            slots = [tuple(t if t >= first else BLANK for t in slot) for slot in zip(old, new, strict=True)]
            pairs.append([slot for slot in slots if slot != (BLANK, BLANK)])
        return cls.of(pairs, torch.randint(1, 4, (count,), generator=generator))

    @classmethod
    def insertions(cls, seed: int, count: int = 8) -> Pairs:
        """Empty sources, and targets of 2 to 4 tokens."""
        generator = torch.Generator().manual_seed(seed)
        pairs = []
        for _ in range(count):
            drawn = torch.randint(FIRST_TEXT_ID, VOCABULARY, (_size(generator),), generator=generator)
            pairs.append([(BLANK, token) for token in drawn.tolist()])
        return cls.of(pairs, torch.randint(1, 4, (count,), generator=generator))

    @classmethod
    def of(cls, pairs: Sequence[Sequence[tuple[int, ...]]], weight: Tensor) -> Pairs:
        """From the slots (z0, z1) of the editable regions."""
        rows = [[(BOS, BOS), (EDIT, EDIT), *slots, (EOS, EOS)] for slots in pairs]
        width = max(map(len, rows))
        z0, z1 = torch.tensor([r + [(IGNORE, IGNORE)] * (width - len(r)) for r in rows]).unbind(-1)
        return cls(AlignedBatch(z0, z1, torch.where(z0 >= FIRST_TEXT_ID, int(Role.ORIGINAL), 0)), weight)

    def select(self, rows: Tensor) -> AlignedBatch:
        """The pairs of these numbers [B]."""
        return AlignedBatch(self.batch.z0[rows], self.batch.z1[rows], self.batch.role[rows])

    def draw(self, rows: int, generator: torch.Generator) -> AlignedBatch:
        """Independent pairs."""
        return self.select(torch.multinomial(self.weight.double(), rows, True, generator=generator))

    def sources(self, rows: int, generator: torch.Generator) -> Canvas:
        """Rows of x_0 ~ p_0, where sampling starts."""
        z0 = [[t for t in z if t >= 0] for z in self.batch.z0.tolist()]
        canvas = Canvas.from_rows([(z, [int(t >= FIRST_TEXT_ID) for t in z]) for z in z0])
        return canvas.select(torch.multinomial(self.weight.double(), rows, True, generator=generator))


def _size(generator: torch.Generator) -> int:
    return int(torch.randint(2, SLOTS + 1, (), generator=generator))


@dataclass(frozen=True)
class Expectations:
    """What is known of every x of an enumeration at one time. Float64; X rows, L columns, V tokens."""

    rows: tuple[Row, ...]
    probability: Tensor  # [X], p_t(x)
    delete: Tensor  # [X, L], expected number of pending slots, given x, that delete the token
    substitute: Tensor  # [X, L, V], that put this one in its place
    insert: Tensor  # [X, L, V], that put it into the gap right of the token
    missing: Tensor  # [X, L, 1 + MAX_COUNT], P(number of tokens missing in the gap | x)


def exact_expectations(
    pairs: Pairs, kappa: float, *, back: bool = False, shows_origin: int = 0
) -> Expectations:
    """By enumeration of all z_t; `back` for the slots that differ from z0, else from z1."""
    return Enumeration(pairs, shows_origin).at(kappa, back=back)


class Enumeration:
    """All z_t of all pairs, whatever the time; those that look alike share an x."""

    def __init__(self, pairs: Pairs, shows_origin: int = 0) -> None:
        """`shows_origin` as in editflow.process.continuous.FlowConfig."""
        self.pairs, self.shows_origin = pairs, shows_origin
        found: dict[Row, int] = {}
        index, origin, paths, forward, backward = [], [], [], [], []
        for n, (z0, z1) in enumerate(zip(pairs.batch.z0.tolist(), pairs.batch.z1.tolist(), strict=True)):
            for zt in _paths(z0, z1):
                row = _row(z0, zt, pairs.batch.role[n].tolist(), shows_origin)
                index.append(found.setdefault(row, len(found)))
                origin.append(n)
                paths.append(zt)
                forward.append(_operations(zt, z1))
                backward.append(_operations(zt, z0))
        self.rows = tuple(found)
        self.index, self.origin, self.paths = torch.tensor(index), torch.tensor(origin), torch.tensor(paths)
        self.width = max(len(ids) for ids, _ in self.rows)
        self._pending = {back: self._counted(ops) for back, ops in ((False, forward), (True, backward))}

    def batch(self) -> AlignedBatch:
        """The pair of every z_t [M]."""
        return self.pairs.select(self.origin)

    def chances(self, kappa: float) -> Tensor:
        """[M] float64: the probability of every z_t (arXiv 2506.09018, eq. 9)."""
        batch = self.batch()
        edits = batch.z0 != batch.z1
        flipped = (edits & (self.paths == batch.z1)).sum(1).double()
        weight = self.pairs.weight.double() / self.pairs.weight.sum()
        return weight[self.origin] * kappa**flipped * (1 - kappa) ** (edits.sum(1) - flipped)

    def at(self, kappa: float, *, back: bool = False) -> Expectations:
        """Probabilities of x, and conditional expectations given x: 0 where x cannot occur."""
        chances, (counts, missing) = self.chances(kappa), self._pending[back]
        probability = torch.zeros(len(self.rows), dtype=torch.float64).index_add(0, self.index, chances)
        share = chances / probability[self.index].clamp_min(torch.finfo(torch.float64).tiny)

        def mean(values: Tensor) -> Tensor:
            total = torch.zeros(len(self.rows), *values.shape[1:], dtype=torch.float64)
            return total.index_add(0, self.index, values * share[:, None, None])

        by_token, by_number = mean(counts), mean(missing)
        delete, substitute, insert = torch.split(by_token, [1, VOCABULARY, VOCABULARY], -1)
        return Expectations(self.rows, probability, delete[..., 0], substitute, insert, by_number)

    def canvas(self) -> Canvas:
        """Every x, one a row, in the order of `rows`."""
        return Canvas.from_rows([(list(ids), list(role)) for ids, role in self.rows])

    def find(self, ids: Tensor, role: Tensor, live: Tensor) -> Tensor:
        """[B] the number of each row's x, len(rows) where it is none."""
        known, order = self._codes
        hidden = (role == Role.EDITED) & (self.shows_origin == 0)
        code = _code(ids, torch.where(hidden, int(Role.ORIGINAL), role), live)
        place = torch.searchsorted(known, code).clamp(max=len(known) - 1)
        found = (known[place] == code) & (live.sum(1) <= CODED)
        return torch.where(found, order[place], len(known))

    @cached_property
    def _codes(self) -> tuple[Tensor, Tensor]:
        canvas = self.canvas()
        ordered = _code(canvas.ids, canvas.role, canvas.live).sort()
        return ordered.values, ordered.indices

    def _counted(self, pending: list[list[Operation]]) -> tuple[Tensor, Tensor]:
        """[M, L, 1 + 2 V] numbers of deletions, substitutions, insertions; [M, L, 1 + MAX_COUNT] of the missing."""
        counts = torch.zeros(len(pending), self.width, 1 + 2 * VOCABULARY, dtype=torch.float64)
        first = {DELETE: 1, SUBSTITUTE: 1, INSERT: 1 + VOCABULARY}
        for m, operations in enumerate(pending):
            for kind, column, token in operations:
                counts[m, column, first[kind] + token] += 1  # a deletion's token is -1
        number = counts[..., 1 + VOCABULARY :].sum(-1).long()
        return counts, torch.nn.functional.one_hot(number, 1 + MAX_COUNT).double()


def _paths(z0: list[int], z1: list[int]) -> list[list[int]]:
    """Every z_t: each slot z0's or z1's."""
    return [list(zt) for zt in product(*(sorted({a, b}) for a, b in zip(z0, z1, strict=True)))]


def _row(z0: list[int], zt: list[int], role: list[int], shows_origin: int) -> Row:
    """x_t as a network sees it."""
    written = int(Role.EDITED if shows_origin else Role.ORIGINAL)
    seen = [
        (b, r if a == b else written)
        for a, b, r in zip(z0, zt, role, strict=True)
        if b not in (BLANK, IGNORE)
    ]
    return tuple(t for t, _ in seen), tuple(r for _, r in seen)


def _operations(zt: list[int], end: list[int]) -> list[Operation]:
    """What leads from z_t to an end, in the coordinates of x_t."""
    found, column = [], -1
    for here, there in zip(zt, end, strict=True):
        column += here >= 0
        if here != there:
            kind = INSERT if here == BLANK else DELETE if there == BLANK else SUBSTITUTE
            found.append((kind, column, GONE if kind == DELETE else there))
    return found


def _code(ids: Tensor, role: Tensor, live: Tensor) -> Tensor:
    """[B] one number for the first CODED tokens of a row."""
    digit = torch.where(live, ids * len(Role) + role + 1, 0)[:, :CODED]
    return (digit << CODE_BITS * torch.arange(digit.shape[1])).sum(1)


@dataclass(frozen=True)
class Logits:
    """One answer for every x (and one that stands for no x at all) and place. Float64; X rows, L columns."""

    operation: Tensor  # [1 + X, L, 3]
    complete: Tensor  # [1 + X, L]
    count: Tensor  # [1 + X, L, MAX_COUNT]
    substitute: Tensor  # [1 + X, L, V]
    insert: Tensor  # [1 + X, L, V]

    @classmethod
    def of(cls, known: Expectations) -> Logits:
        """Logarithms of the conditional expectations; where nothing is known, nothing is pending."""
        extended = (
            torch.cat((values, torch.zeros_like(values[:1])))
            for values in (known.delete, known.substitute, known.insert, known.missing)
        )
        delete, substitute, insert, missing = extended
        substituted, some = substitute.sum(-1), missing[..., 1:].sum(-1)
        return cls(
            operation=_log(torch.stack((1 - delete - substituted, delete, substituted), -1)),
            complete=_log(1 - some) - _log(some),
            count=_log(missing[..., 1:]),
            substitute=_log(substitute),
            insert=_log(insert),
        )


class TableAnswers(ABC):
    """Heads that look up logits; the states of a Hidden are the number of the row's x, the column and the time."""

    @abstractmethod
    def logits(self, time: float) -> Logits:
        """What is looked up at a time."""

    def operations(self, hidden: Hidden) -> Tensor:
        logits, place = self._at(hidden)
        return logits.operation.log_softmax(-1)[place]

    def gaps(self, hidden: Hidden) -> tuple[Tensor, Tensor]:
        logits, place = self._at(hidden)
        return logits.complete[place], logits.count.log_softmax(-1)[place]

    def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        logits, (x, place) = self._at(hidden)
        return logits.substitute.log_softmax(-1)[x[row, column], place[row, column]]

    def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
        logits, (x, place) = self._at(hidden)
        return logits.insert.log_softmax(-1)[x[row, column], place[row, column]]

    def substitution_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        return self.substitutions(hidden, row, column).gather(1, token[:, None])[:, 0]

    def insertion_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        return self.insertions(hidden, row, column).gather(1, token[:, None])[:, 0]

    def _at(self, hidden: Hidden) -> tuple[Logits, tuple[Tensor, Tensor]]:
        """Logits, and the place in them, two [B, L], of each token."""
        x, column, _ = hidden.states.long().unbind(-1)
        return self.logits(float(hidden.states[0, 0, 2])), (x, column)


class TableHeads(TableAnswers):
    """A network in front of such answers; all rows of a batch share one time."""

    def __init__(self, enumeration: Enumeration) -> None:
        self.enumeration = enumeration

    def __call__(self, ids: Tensor, role: Tensor, live: Tensor, time: Tensor | None = None) -> Hidden:
        clock = torch.zeros(len(ids)) if time is None else time
        assert (clock == clock[0]).all()
        x = self.enumeration.find(ids, role, live)[:, None].expand(ids.shape)
        column = torch.arange(ids.shape[1]).clamp(max=self.enumeration.width - 1).expand(ids.shape)
        states = torch.stack((x.double(), column.double(), clock.double()[:, None].expand(ids.shape)), -1)
        return Hidden(states, ids, live)


class ExactAnswers(TableAnswers):
    """The conditional expectations of one direction, computed once a time."""

    def __init__(self, enumeration: Enumeration, schedule: Polynomial, *, back: bool = False) -> None:
        self.enumeration, self.schedule, self.back = enumeration, schedule, back
        self._known: dict[float, Logits] = {}

    def logits(self, time: float) -> Logits:
        """At a time."""
        if time not in self._known:
            kappa = float(self.schedule.kappa(torch.tensor(time, dtype=torch.float64)))
            self._known[time] = Logits.of(self.enumeration.at(kappa, back=self.back))
        return self._known[time]


class ExactHeads(TableHeads, ExactAnswers):
    """A network that knows the pairs: `hazard` reads the optimal rates from it."""

    def __init__(self, pairs: Pairs, schedule: Polynomial, shows_origin: int = 0) -> None:
        enumeration = Enumeration(pairs, shows_origin)
        ExactAnswers.__init__(self, enumeration, schedule)
        self.reverse = ExactAnswers(enumeration, schedule, back=True)


def _log(probability: Tensor) -> Tensor:
    return probability.clamp_min(NEVER).log()

"""Which examples make up which micro-batch: a pure function of the index, so resuming takes one number.

Examples are taken stream by stream, each stream going through its own examples again and again in fresh orders.
A pool of them is sorted by planned length and cut into groups; a group is drawn as a whole, sorted by real length and
cut into batches, so padding stays small although a row's length is only known once it is drawn. The batches of a
pool's groups are dealt in turn, so that lengths mix, and so that a rank only draws the groups it needs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from editflow.errors import EditFlowError
from editflow_trainer.data.config import DataConfig, Mixture
from editflow_trainer.data.draw import Stream
from editflow_trainer.data.example import Source
from editflow_trainer.data.shards import PARTS, Index

GROUPS = 8
"""Of a pool."""
BATCHES = 8
"""Of a group."""
POOL = GROUPS * BATCHES
FILL = 0.9
"""Of a batch's tokens that is planned for; what drawing adds has room in the rest."""
FRAME_TOKENS = 24
"""Planned for markers, complaints, the instruction and what bugs add."""
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lane:
    """Examples of one source that become rows of one stream."""

    stream: Stream
    members: Numbers
    share: float
    """Of all rows."""


@dataclass(frozen=True, slots=True)
class Items:
    """Rows to be drawn, one an entry."""

    example: Numbers
    stream: Numbers
    keep: npt.NDArray[np.bool_]
    """[N, PARTS]: the parts of the context that are shown."""

    def __len__(self) -> int:
        return len(self.example)

    def __getitem__(self, rows: Numbers | slice) -> Items:
        return Items(self.example[rows], self.stream[rows], self.keep[rows])


class Plan:
    """The rows of every group."""

    def __init__(self, index: Index, config: DataConfig, tokens: int, seed: int) -> None:
        """`index` of all shards; `tokens` is the most that a batch may hold, padding included.

        Raises:
            EditFlowError: a batch could not hold two of the longest rows, or no stream has examples.
        """
        self._index, self._seed = index.astype(np.int64), seed
        hints = config.hints
        around = hints.keep_around
        self._chances = np.array([hints.keep_file, hints.keep_imports, hints.keep_scope, around, around])
        longest = int(self._lengths(np.arange(len(index)), np.ones(len(PARTS))).max())
        if tokens < 2 * longest:
            raise EditFlowError(f"a batch of {tokens} tokens is too small for rows of {longest}; give more")
        self._lanes = lanes(index[:, 0], config.mixture)
        mean = sum(lane.share * self._lengths(lane.members, self._chances).mean() for lane in self._lanes)
        rows = max(POOL, POOL * tokens * FILL / mean)
        self._counts = [round(lane.share * rows) for lane in self._lanes]
        self._order = lru_cache(2 * len(self._lanes))(self._shuffled)
        self.groups = lru_cache(2)(self._groups)

    def _groups(self, pool: int) -> list[Items]:
        """The groups of a pool, in random order."""
        rng = np.random.default_rng((self._seed, _POOLS, pool))
        examples = [self._taken(lane, pool * count, count) for lane, count in enumerate(self._counts)]
        streams = [np.full(count, lane.stream) for lane, count in zip(self._lanes, self._counts, strict=True)]
        example = np.concatenate(examples)
        keep = rng.random((len(example), len(PARTS))) < self._chances
        items = Items(example, np.concatenate(streams), keep)
        planned = self._lengths(example, keep)
        order = np.argsort(planned, kind="stable")
        ends = np.searchsorted(planned[order].cumsum(), planned.sum() * np.arange(1, GROUPS) / GROUPS)
        groups = [items[rows] for rows in np.split(order, ends)]
        return [groups[i] for i in rng.permutation(GROUPS)]

    def _taken(self, lane: int, start: int, count: int) -> Numbers:
        """Examples `start` to `start + count` of a lane's endless sequence of shuffled epochs."""
        size = len(self._lanes[lane].members)
        epochs = range(start // size, (start + count - 1) // size + 1)
        sequence = np.concatenate([np.zeros(0, np.int64), *(self._order(lane, epoch) for epoch in epochs)])
        return sequence[start % size : start % size + count]

    def _shuffled(self, lane: int, epoch: int) -> Numbers:
        rng = np.random.default_rng((self._seed, _ORDERS, lane, epoch))
        return rng.permutation(self._lanes[lane].members)

    def _lengths(self, examples: Numbers, keep: npt.NDArray[np.bool_] | npt.NDArray[np.float64]) -> Numbers:
        """Planned length of rows; of chances, the expected one."""
        parts = self._index[examples, 2 : 2 + len(PARTS)]
        lengths: Numbers = self._index[examples, 1] + ((parts + (parts > 0)) * keep).sum(1) + FRAME_TOKENS
        return lengths


def lanes(sources: npt.NDArray[np.uint16], mixture: Mixture) -> list[Lane]:
    """The mixture as lanes whose shares sum to one; clean rows are of each source as often as the others are.

    Raises:
        EditFlowError: no stream with a share has examples.
    """
    members = {source: np.flatnonzero(sources == source) for source in Source}
    edited = [
        (Stream.INJECTED, Source.FUNCTION, mixture.injected),
        (Stream.NAMES, Source.FUNCTION, mixture.names),
        (Stream.FIX, Source.FIX, mixture.fix),
        (Stream.EDIT, Source.EDIT, mixture.edit),
    ]
    found = [
        Lane(stream, members[source], share)
        for stream, source, share in edited
        if share and len(members[source])
    ]
    total = sum(lane.share for lane in found)
    by_source = [(source, sum(share for _, of, share in edited if of == source)) for source in Source]
    clean = [
        Lane(Stream.CLEAN, members[source], mixture.clean * (share / total if total else 1))
        for source, share in by_source
        if mixture.clean and len(members[source]) and (share or not total)
    ]
    found += clean
    total = sum(lane.share for lane in found)
    if not total:
        raise EditFlowError(
            "no stream of the mixture has examples in these shards; prepare more, or change it"
        )
    return [replace(lane, share=lane.share / total) for lane in found]


_POOLS, _ORDERS = range(2)
"""Keep the random generators of the plan apart."""

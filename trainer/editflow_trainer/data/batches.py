"""Endless micro-batches of rows drawn afresh: batch i depends on the shards, the configuration, the seed and i alone.

Drawing needs numpy; `workers` processes do it beside the training, and give the same batches in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from editflow.process.base import IGNORE, AlignedBatch
from editflow_trainer.data.config import DataConfig
from editflow_trainer.data.draw import Drawer, Stream
from editflow_trainer.data.example import Source
from editflow_trainer.data.plan import BATCHES, GROUPS, POOL, Items, Plan
from editflow_trainer.data.rates import weights
from editflow_trainer.data.row import Row
from editflow_trainer.data.shards import PARTS, available_kinds, open_shards

_ROWS, _CORRUPTION = 2, 3
"""Keep these random generators apart from those of the plan."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A micro-batch."""

    aligned: AlignedBatch
    seed: int
    """For the generator of the corruption."""
    index: int
    streams: tuple[Stream, ...]
    """Of each row."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A batch on its way from a worker: small, and not in shared memory, of which containers have little."""

    z0: npt.NDArray[np.int32]
    z1: npt.NDArray[np.int32]
    role: npt.NDArray[np.uint8]
    index: int
    streams: tuple[Stream, ...]


class Batches:
    """Micro-batches from a folder of shards."""

    def __init__(self, shards: Path, config: DataConfig, tokens: int, seed: int, workers: int = 0) -> None:
        """`tokens`: most tokens of a batch, padding included. EditFlowError where the shards do not serve."""
        self._dataset = _Groups(shards, config, tokens, seed)
        self._workers, self._seed = workers, seed
        self.examples = len(_Artist(self._dataset).index)

    def stream(self, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """The batches from index `start` on that are this rank's: those whose index is `rank` modulo `world`."""
        dataset = replace(self._dataset, first=start // POOL, rank=rank, world=world)
        loader = DataLoader(
            dataset,
            batch_size=None,
            num_workers=self._workers,
            collate_fn=_itself,
            multiprocessing_context="spawn" if self._workers else None,
            prefetch_factor=2 if self._workers else None,
            generator=torch.Generator(),  # not the global one, which is the training's
        )
        groups: Iterator[list[Drawn]] = iter(loader)
        for pool in count(dataset.first):
            drawn = [d for group in islice(groups, len(dataset.numbers(pool))) for d in group]
            for one in sorted(drawn, key=lambda one: one.index):
                if one.index >= start and one.index % world == rank:
                    yield self._batch(one)

    def _batch(self, drawn: Drawn) -> Batch:
        columns = (torch.from_numpy(c.astype(np.int64)) for c in (drawn.z0, drawn.z1, drawn.role))
        seed = int(np.random.default_rng((self._seed, _CORRUPTION, drawn.index)).integers(2**62))
        return Batch(AlignedBatch(*columns), seed, drawn.index, drawn.streams)


def _itself(item: list[Drawn]) -> list[Drawn]:
    return item


@dataclass(frozen=True)
class _Groups(IterableDataset[list[Drawn]]):
    """What a worker needs to draw its share of the groups, one after the other, without end."""

    shards: Path
    config: DataConfig
    tokens: int
    seed: int
    first: int = 0
    """Number of the first pool."""
    rank: int = 0
    world: int = 1

    def numbers(self, pool: int) -> list[int]:
        """The groups of a pool that hold a batch of this rank's."""
        batches = np.arange(pool * POOL, (pool + 1) * POOL)
        return sorted(set((batches[batches % self.world == self.rank] % GROUPS).tolist()))

    def __iter__(self) -> Iterator[list[Drawn]]:
        worker = get_worker_info()
        at, of = (worker.id, worker.num_workers) if worker else (0, 1)
        artist = _Artist(self)
        groups = ((pool, number) for pool in count(self.first) for number in self.numbers(pool))
        for pool, number in islice(groups, at, None, of):
            yield artist.group(pool, number)


class _Artist:
    """Draws the batches of a group."""

    def __init__(self, settings: _Groups) -> None:
        self._shards = open_shards(settings.shards)
        self._ends = np.cumsum([len(shard) for shard in self._shards])
        self._tokens, self._seed = settings.tokens, settings.seed
        self.index = np.concatenate([shard.index for shard in self._shards])
        header = self._shards[0].header
        functions = self.index[self.index[:, 0] == Source.FUNCTION]
        fitted = weights(header.kinds, available_kinds(functions, len(header.kinds)))
        self._drawer = Drawer(settings.config, header, fitted)
        self._plan = Plan(self.index, settings.config, settings.tokens, settings.seed)

    def group(self, pool: int, number: int) -> list[Drawn]:
        """BATCHES batches of about the same size."""
        rng = np.random.default_rng((self._seed, _ROWS, pool, number))
        items = self._plan.groups(pool)[number]
        rows = [self._row(items, i, rng) for i in range(len(items))]
        order = np.argsort([len(row) for row in rows], kind="stable").tolist()
        batches = []
        for nth, part in enumerate(cut([len(rows[i]) for i in order], BATCHES, self._tokens)):
            chosen = order[part]
            streams = tuple(Stream(s) for s in items.stream[chosen].tolist())
            index = pool * POOL + nth * GROUPS + number
            batches.append(Drawn(*stack([rows[i] for i in chosen]), index, streams))
        return batches

    def _row(self, items: Items, at: int, rng: np.random.Generator) -> Row:
        example = int(items.example[at])
        shard = int(np.searchsorted(self._ends, example, side="right"))
        read = self._shards[shard][example - int(self._ends[shard]) + len(self._shards[shard])]
        keep = frozenset(marker for marker, kept in zip(PARTS, items.keep[at].tolist(), strict=True) if kept)
        return self._drawer.row(read, Stream(items.stream[at]), keep, rng)


def cut(lengths: list[int], batches: int, tokens: int) -> list[slice]:
    """Exactly `batches` runs of the sorted lengths, of as equal padded size as can be, none above `tokens`.

    Where all rows do not fit, the longest are left out.
    """
    low, high = 1, tokens
    while low < high:
        middle = (low + high) // 2
        if len(_runs(lengths, middle)) <= batches and lengths[-1] <= middle:
            high = middle
        else:
            low = middle + 1
    runs = _runs(lengths, low)[:batches]
    while len(runs) < batches:  # fewer rows than would fill them: split the runs that have the most
        most = max(range(len(runs)), key=lambda i: runs[i].stop - runs[i].start)
        run = runs[most]
        middle = (run.start + run.stop) // 2
        runs[most : most + 1] = [slice(run.start, middle), slice(middle, run.stop)]
    return runs


def _runs(lengths: list[int], tokens: int) -> list[slice]:
    runs, start = [], 0
    for i, length in enumerate(lengths):
        if i > start and length * (i - start + 1) > tokens:
            runs.append(slice(start, i))
            start = i
    return [*runs, slice(start, len(lengths))]


def collate(rows: list[Row]) -> AlignedBatch:
    """Left-aligned [B, S] tensors; padding is IGNORE."""
    return AlignedBatch(*(torch.from_numpy(column.astype(np.int64)) for column in stack(rows)))


def stack(rows: list[Row]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Left-aligned [B, S] arrays z0, z1 and role; padding is IGNORE."""
    shape = len(rows), max(len(row) for row in rows)
    z0, z1, role = (
        np.full(shape, IGNORE, np.int32),
        np.full(shape, IGNORE, np.int32),
        np.zeros(shape, np.uint8),
    )
    for b, row in enumerate(rows):
        z0[b, : len(row)], z1[b, : len(row)], role[b, : len(row)] = row.z0, row.z1, row.role
    return z0, z1, role

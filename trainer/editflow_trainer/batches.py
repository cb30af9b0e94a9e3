"""Batches of similar lengths under a token budget, the same for the same seed, epoch and index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from editflow.process.base import IGNORE, AlignedBatch
from editflow_trainer.noise import NoiseConfig, add_noise, drop_context
from editflow_trainer.shards import Row, Shard, shard_paths

POOL_BATCHES = 32
"""Batches are cut from pools of about this many, each sorted by length, then shuffled."""


class Batches:
    """Epochs over shards. Batch i of epoch e has its own random generator, so resuming needs two numbers."""

    def __init__(self, shards: Path, tokens: int, noise: NoiseConfig, seed: int) -> None:
        """`tokens`: most tokens of a batch, padding included, before stray tokens are added."""
        self._shards = [Shard(path) for path in shard_paths(shards)]
        if not self._shards:
            raise FileNotFoundError(f"no *.safetensors shards in {shards}")
        self._index = [(s, i) for s, shard in enumerate(self._shards) for i in range(len(shard))]
        self._lengths = np.concatenate([shard.lengths() for shard in self._shards])
        self.tokens, self.noise, self.seed = tokens, noise, seed

    def __len__(self) -> int:
        return len(self._index)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[AlignedBatch, torch.Generator]]:
        """Batches of an epoch from index `start`, with the generator for their corruption."""
        for number, rows in enumerate(self._plan(epoch)):
            if number >= start:
                yield self._batch(rows, np.random.default_rng((self.seed, epoch, number)))

    def _plan(self, epoch: int) -> list[list[int]]:
        rng = np.random.default_rng((self.seed, epoch))
        order = rng.permutation(len(self._index))
        pool = max(1, int(POOL_BATCHES * self.tokens / self._lengths.mean()))
        batches: list[list[int]] = []
        for start in range(0, len(order), pool):
            chunk = order[start : start + pool]
            cut = self._cut(chunk[np.argsort(self._lengths[chunk], kind="stable")])
            batches += [cut[i] for i in rng.permutation(len(cut))]
        return batches

    def _cut(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[list[int]]:
        batches: list[list[int]] = [[]]
        for row in rows.tolist():
            if batches[-1] and self._lengths[row] * (len(batches[-1]) + 1) > self.tokens:
                batches.append([])
            batches[-1].append(row)
        return batches

    def _batch(self, rows: list[int], rng: np.random.Generator) -> tuple[AlignedBatch, torch.Generator]:
        noisy = []
        for row in rows:
            shard, index = self._index[row]
            context_dropped = drop_context(self._shards[shard][index], self.noise, rng)
            noisy.append(add_noise(context_dropped, self.noise, rng))
        return collate(noisy), torch.Generator().manual_seed(int(rng.integers(2**62)))


def collate(rows: list[Row]) -> AlignedBatch:
    """Left-aligned [B, S] tensors; padding is IGNORE."""
    width = max(len(row) for row in rows)

    def stack(name: str, fill: int) -> Tensor:
        out = np.full((len(rows), width), fill, np.int64)
        for b, row in enumerate(rows):
            out[b, : len(row)] = getattr(row, name)
        return torch.from_numpy(out)

    return AlignedBatch(stack("z0", IGNORE), stack("z1", IGNORE), stack("role", 0))


def draw_kappa(count: int, generator: torch.Generator) -> Tensor:
    """[count] mixture: 40 % at the untouched source, 10 % finished, the rest uniform (dense near deployment)."""
    u, kind = torch.rand(2, count, generator=generator)
    return torch.where(kind < 0.4, 0.0, torch.where(kind < 0.5, 1.0, u))

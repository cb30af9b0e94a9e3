"""Aligned training rows on disk: safetensors files of flat arrays, readable with numpy and safetensors alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

Ids = npt.NDArray[np.int16]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Row:
    """One aligned pair with its context, one slot an entry (see editflow.process.base.AlignedBatch)."""

    z0: Ids
    z1: Ids
    role: Bytes
    segment: Bytes
    """Marker id of the context part that the slot belongs to, 0 for what is never dropped."""

    def __len__(self) -> int:
        return len(self.z0)

    @property
    def clean(self) -> bool:
        """Source and target are equal."""
        return bool((self.z0 == self.z1).all())


class Shard:
    """Rows of one file, cut out of its flat arrays on demand."""

    def __init__(self, path: Path) -> None:
        arrays = load_file(path)
        self._offsets = arrays["offsets"]
        self._arrays = [arrays[name] for name in ("z0", "z1", "role", "segment")]

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: int) -> Row:
        start, end = self._offsets[index], self._offsets[index + 1]
        return Row(*(array[start:end] for array in self._arrays))

    def lengths(self) -> npt.NDArray[np.int64]:
        """Slots of every row."""
        lengths: npt.NDArray[np.int64] = np.diff(self._offsets)
        return lengths


def write_shard(path: Path, rows: Iterable[Row]) -> int:
    """Write rows to one file, atomically; returns how many."""
    kept = list(rows)
    offsets = np.cumsum([0, *(len(row) for row in kept)]).astype(np.int64)
    names = ("z0", "z1", "role", "segment")
    arrays = {name: np.concatenate([getattr(row, name) for row in kept]) for name in names}
    partial = path.with_suffix(".partial")
    save_file({"offsets": offsets, **arrays}, partial)
    partial.replace(path)
    return len(kept)


def shard_paths(folder: Path) -> list[Path]:
    """The finished shards of a folder, in order."""
    return sorted(folder.glob("*.safetensors"))


def read_rows(folder: Path) -> Iterator[Row]:
    """All rows of a folder, in order."""
    for path in shard_paths(folder):
        shard = Shard(path)
        yield from (shard[i] for i in range(len(shard)))

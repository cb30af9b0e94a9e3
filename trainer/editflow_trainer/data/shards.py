"""Examples on disk: `*.efs` files of compressed frames, read through a memory map, one frame at a time.

A file is the magic number, a JSON header, the frames, and an index: where each frame ends, and of every example the
source and the sizes that batches are planned with. Frames are decompressed when an example of theirs is asked for.
"""

from __future__ import annotations

import json
import mmap
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from editflow.errors import EditFlowError
from editflow.window import AFTER, BEFORE, FILE, IMPORTS, SCOPE
from editflow_trainer.data.example import Example
from editflow_trainer.data.header import Header
from editflow_trainer.data.packing import Frame
from editflow_trainer.data.row import Mask

MAGIC = b"EFS1"
SUFFIX = ".efs"
FRAMES_KEPT = 64
"""Decompressed frames that a reader remembers."""
PARTS = (FILE, IMPORTS, SCOPE, BEFORE, AFTER)
COLUMNS = 2 + len(PARTS) + 2
"""Of the index: source, slots of the editable region, tokens of each part of the context, kinds of bugs as 32 bits."""
Index = npt.NDArray[np.uint16]


class Shard:
    """One file; `index` has a row for every example."""

    def __init__(self, path: Path) -> None:
        """EditFlowError where the file is none of ours, or cut short."""
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if self._map[:4] != MAGIC:
            raise EditFlowError(f"{path} is no shard of this version; prepare the data again")
        begin = 8 + int(np.frombuffer(self._map, "<u4", 1, 4)[0])
        self.header = Header.of_json(json.loads(self._map[8:begin]))
        frames, rows = self.header.frames, self.header.examples
        tail = len(self._map) - 16 * frames - 2 * COLUMNS * rows
        if tail < begin:
            raise EditFlowError(f"{path} is cut short; copy it again")
        ends, counts = np.frombuffer(self._map, "<i8", 2 * frames, tail).reshape(2, frames)
        self._bounds = begin + np.concatenate([[0], ends])
        self._first = np.concatenate([[0], np.cumsum(counts)])
        self.index: Index = np.frombuffer(self._map, "<u2", COLUMNS * rows, tail + 16 * frames).reshape(
            rows, COLUMNS
        )
        self._frame = lru_cache(FRAMES_KEPT)(self._read)

    def __len__(self) -> int:
        return self.header.examples

    def __getitem__(self, index: int) -> Example:
        if not 0 <= index < len(self):
            raise IndexError(index)
        frame = int(np.searchsorted(self._first, index, side="right")) - 1
        return self._frame(frame)[index - int(self._first[frame])]

    def _read(self, frame: int) -> Frame:
        start, end = self._bounds[frame : frame + 2].tolist()
        return Frame(self.header.codec.decompress(self._map[start:end]))


def open_shards(folder: Path) -> list[Shard]:
    """The shards of a folder, in order of their names; EditFlowError where there are none or they do not match."""
    shards = [Shard(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    if not shards:
        raise EditFlowError(f"no *{SUFFIX} shards in {folder}; prepare the data first")
    for shard in shards:
        first, other = shards[0].header, shard.header
        if (first.vocabulary, first.kinds) != (other.vocabulary, other.kinds):
            raise EditFlowError(
                f"the shards in {folder} were made with several tokenizers; prepare them again"
            )
    return shards


def available_kinds(index: Index, kinds: int) -> Mask:
    """[N, kinds]: which examples have a site of which kind."""
    words = index[:, -2:].astype(np.uint32)
    bits = words[:, :1] | words[:, 1:] << 16
    found: Mask = (bits >> np.arange(kinds, dtype=np.uint32) & 1).astype(bool)
    return found

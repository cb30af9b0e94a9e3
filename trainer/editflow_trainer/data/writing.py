"""Writes shards: examples in compressed frames, frames in files of limited size that appear whole or not at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from editflow_trainer.data.codec import Codec
from editflow_trainer.data.example import Example, Source
from editflow_trainer.data.header import Header
from editflow_trainer.data.packing import pack
from editflow_trainer.data.shards import MAGIC, PARTS, SUFFIX, Index

EXAMPLES_A_FRAME = 64
HEADROOM = 64 * 1024
"""Bytes of a file left for its header."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A compressed frame with its rows of the index and what the header counts."""

    data: bytes
    index: Index
    kinds: Counter[str]
    """Examples with a bug of each kind."""
    sources: Counter[str]
    """Examples by package or repository."""


def pack_frame(items: Iterable[tuple[str, Example]], kinds: tuple[str, ...], codec: Codec) -> Packed | None:
    """Compress examples, each with the name of its package or repository; None where there are none."""
    named = list(items)
    if not named:
        return None
    examples = [example for _, example in named]
    return Packed(
        codec.compress(pack(examples)),
        np.array([_row(example) for example in examples], np.uint16),
        Counter(kind for e in examples for kind in {kinds[site.kind] for site in e.sites}),
        Counter(name for name, _ in named),
    )


def _row(example: Example) -> list[int]:
    """An example's row of the index."""
    parts = {marker: len(tokens) for marker, tokens in example.context}
    bits = sum(1 << kind for kind in {site.kind for site in example.sites})
    sizes = [int(example.source), len(example.z1), *(parts.get(marker, 0) for marker in PARTS)]
    return [*sizes, bits & 0xFFFF, bits >> 16]


class ShardWriter:
    """Writes frames to `stem-00000.efs` and so on, each of at most `limit` bytes."""

    def __init__(self, folder: Path, stem: str, header: Header, limit: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._stem, self._header, self._limit = folder, stem, header, limit
        self._frames: list[Packed] = []
        self._size = 0
        self.written: list[Path] = []

    @property
    def size(self) -> int:
        """Bytes so far, over all files, headers left out."""
        return self._size + sum(path.stat().st_size for path in self.written)

    def add(self, frame: Packed) -> None:
        """Append a frame; a file that is full is written out."""
        size = len(frame.data) + frame.index.nbytes + 8
        if self._frames and self._size + size + HEADROOM > self._limit:
            self.close()
        self._frames.append(frame)
        self._size += size

    def close(self) -> None:
        """Write out what is left, atomically."""
        if not self._frames:
            return
        path = self._folder / f"{self._stem}-{len(self.written):05d}{SUFFIX}"
        partial = path.with_suffix(".partial")
        partial.write_bytes(b"".join(_file(self._frames, self._header)))
        partial.replace(path)
        self.written.append(path)
        self._frames, self._size = [], 0


def _file(frames: list[Packed], header: Header) -> Iterator[bytes]:
    index = np.concatenate([frame.index for frame in frames])
    ends = np.cumsum([len(frame.data) for frame in frames], dtype=np.int64)
    counts = np.array([len(frame.index) for frame in frames], np.int64)
    described = json.dumps(asdict(_counted(header, frames, index))).encode()
    yield MAGIC
    yield np.array([len(described)], "<u4").tobytes()
    yield described
    yield from (frame.data for frame in frames)
    yield ends.astype("<i8").tobytes()
    yield counts.astype("<i8").tobytes()
    yield index.astype("<u2").tobytes()


def _counted(header: Header, frames: list[Packed], index: Index) -> Header:
    kinds, sources = Counter[str](), Counter[str]()
    for frame in frames:
        kinds += frame.kinds
        sources += frame.sources
    streams = Counter(index[:, 0].tolist())
    return Header(
        header.codec,
        header.vocabulary,
        header.kinds,
        examples=len(index),
        frames=len(frames),
        streams={Source(source).name.lower(): count for source, count in sorted(streams.items())},
        available=dict(sorted(kinds.items())),
        sources=dict(sorted(sources.items())),
    )


def write_shards(
    folder: Path, stem: str, items: Iterable[tuple[str, Example]], header: Header, limit: int
) -> list[Path]:
    """Write named examples in frames of EXAMPLES_A_FRAME; returns the files."""
    writer = ShardWriter(folder, stem, header, limit)
    rest = iter(items)
    while frame := pack_frame(islice(rest, EXAMPLES_A_FRAME), header.kinds, header.codec):
        writer.add(frame)
    writer.close()
    return writer.written

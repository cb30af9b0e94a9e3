"""How frames are compressed: zstd, or zlib for machines that have the standard library alone."""

from __future__ import annotations

import zlib
from enum import StrEnum
from types import ModuleType

from editflow.errors import EditFlowError


class Codec(StrEnum):
    """Named in the header of a shard."""

    zstd = "zstd"
    zlib = "zlib"

    def compress(self, data: bytes) -> bytes:
        """Small rather than fast: it is done once."""
        if self is Codec.zlib:
            return zlib.compress(data, 9)
        compressed: bytes = _zstandard().ZstdCompressor(level=19).compress(data)
        return compressed

    def decompress(self, data: bytes) -> bytes:
        """EditFlowError where the package is missing."""
        if self is Codec.zlib:
            return zlib.decompress(data)
        plain: bytes = _zstandard().ZstdDecompressor().decompress(data)
        return plain


def _zstandard() -> ModuleType:
    try:
        import zstandard
    except ImportError as error:
        raise EditFlowError(
            "these shards need `pip install zstandard`; or write them with --codec zlib"
        ) from error
    return zstandard

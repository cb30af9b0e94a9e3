"""Edits as Parquet files (zstd), each of which appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from editflow_trainer.mining.dedup import Fingerprint
from editflow_trainer.mining.edits import Level, MinedEdit

ROWS_PER_SHARD = 50_000
_ROWS_PER_GROUP = 2_000

_TYPES = {"date": pa.int64(), "line": pa.int32(), "diagnostics": pa.int32()}
SCHEMA = pa.schema([(field.name, _TYPES.get(field.name, pa.string())) for field in fields(MinedEdit)])
_CANDIDATES = SCHEMA.append(pa.field("digest", pa.binary())).append(pa.field("signature", pa.binary()))


def write_candidates(path: Path, edits: Iterable[MinedEdit]) -> int:
    """Write edits with their fingerprints; returns how many."""
    return _write(path, (asdict(edit) | asdict(Fingerprint.of(edit)) for edit in edits), _CANDIDATES)


def read_candidates(path: Path) -> Iterator[tuple[MinedEdit, Fingerprint]]:
    """The edits of a candidate file with their fingerprints, in order."""
    for row in _rows(path):
        fingerprint = Fingerprint(row.pop("digest"), row.pop("signature"))
        yield _edit(row), fingerprint


def write_shards(folder: Path, stem: str, edits: Iterable[MinedEdit]) -> list[str]:
    """Write edits as `stem-00000.parquet` and so on, ROWS_PER_SHARD each; returns the names."""
    names: list[str] = []
    rows = (asdict(edit) for edit in edits)
    while (first := next(rows, None)) is not None:
        names.append(f"{stem}-{len(names):05d}.parquet")
        _write(folder / names[-1], chain([first], islice(rows, ROWS_PER_SHARD - 1)), SCHEMA)
    return names


def read_edits(path: Path) -> Iterator[MinedEdit]:
    """The edits of a shard, in order."""
    yield from map(_edit, _rows(path))


def _write(path: Path, rows: Iterator[Mapping[str, Any]], schema: pa.Schema) -> int:
    partial = path.with_name(f"{path.name}.partial")
    count = 0
    with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        while group := list(islice(rows, _ROWS_PER_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema))
            count += len(group)
    os.replace(partial, path)
    return count


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS_PER_GROUP):
            yield from batch.to_pylist()


def _edit(row: Mapping[str, Any]) -> MinedEdit:
    return MinedEdit(**{**row, "level": Level(row["level"])})

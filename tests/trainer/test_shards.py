"""Shards: rows come back as they were written, in order, and a half-written file is never one."""

from pathlib import Path

import numpy as np
import pytest

from editflow_trainer import shards
from editflow_trainer.shards import Row, Shard, read_rows, shard_paths, write_shard
from tests.trainer.rows import make_row, make_rows


def values(row: Row) -> list[list[int]]:
    return [getattr(row, name).tolist() for name in Row.__slots__]


def test_rows_come_back_in_order(tmp_path: Path) -> None:
    rows = make_rows(9)
    assert write_shard(tmp_path / "1.safetensors", rows[4:]) == 5
    assert write_shard(tmp_path / "0.safetensors", iter(rows[:4])) == 4
    assert [values(row) for row in read_rows(tmp_path)] == [values(row) for row in rows]
    shard = Shard(tmp_path / "1.safetensors")
    assert len(shard) == 5
    assert shard.lengths().tolist() == [len(row) for row in rows[4:]]
    assert values(shard[3]) == values(rows[7])
    assert [shard[0].z0.dtype, shard[0].z1.dtype, shard[0].role.dtype] == [np.int16, np.int16, np.uint8]


def test_a_row_is_clean_when_both_sides_are_equal() -> None:
    assert make_row(0, clean=True).clean
    assert not make_row(1).clean


def test_a_shard_appears_only_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "0.safetensors"
    write_shard(path, make_rows(2))

    def failing(arrays: object, file: Path) -> None:
        file.write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(shards, "save_file", failing)
    with pytest.raises(OSError, match="no space left"):
        write_shard(path, make_rows(3))
    assert shard_paths(tmp_path) == [path]
    assert len(Shard(path)) == 2

"""Shards: whole or absent, of limited size, read in any order, refused where they do not belong together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from editflow.errors import EditFlowError
from editflow_trainer.data.codec import Codec
from editflow_trainer.data.header import Vocabulary
from editflow_trainer.data.preparation import info
from editflow_trainer.data.shards import Shard, available_kinds, open_shards
from editflow_trainer.data.writing import HEADROOM, write_shards
from editflow_trainer.injection import BugKind
from tests.trainer.data.examples import HEADER, KINDS, make_function, make_mined, make_shards
from tests.trainer.data.test_packing import plain


@pytest.mark.parametrize("codec", Codec)
def test_examples_and_what_the_header_says_come_back(tmp_path: Path, codec: Codec) -> None:
    made = [
        make_function(seed, KINDS[seed % 5 :][:3]) if seed % 3 else make_mined(seed) for seed in range(150)
    ]
    named = [(f"package{seed % 2}", example) for seed, example in enumerate(made)]
    (file,) = write_shards(tmp_path, "a", named, replace(HEADER, codec=codec), 1 << 20)
    shard = Shard(file)
    assert len(shard) == 150
    for at in (149, 0, 63, 64, 77):
        assert plain(shard[at]) == plain(made[at])
    with pytest.raises(IndexError):
        shard[150]
    header = shard.header
    assert header.codec is codec
    assert header.vocabulary == HEADER.vocabulary
    assert header.sources == {"package0": 75, "package1": 75}
    assert header.streams == {"function": 100, "fix": 25, "edit": 25}
    third = BugKind(KINDS[2])
    assert header.available[third] == sum(1 for s in range(150) if s % 3 and s % 5 <= 2)
    assert shard.index[1].tolist() == [0, len(made[1].z1), 1, 0, 0, 0, 2, 0b1110, 0]
    last = make_function(0, KINDS[-2:])
    (file,) = write_shards(tmp_path, "b", [("package", last)], HEADER, 1 << 20)
    assert np.flatnonzero(available_kinds(Shard(file).index, len(KINDS))[0]).tolist() == [27, 28]


def test_files_stay_below_their_limit(tmp_path: Path) -> None:
    named = [("package", make_function(seed)) for seed in range(400)]
    limit = HEADROOM + 12_000
    files = write_shards(tmp_path, "a", named, HEADER, limit)
    assert len(files) > 2
    assert all(file.stat().st_size <= limit for file in files)
    assert sum(len(shard) for shard in open_shards(tmp_path)) == 400


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_shards(tmp_path)
    before = info(tmp_path)

    def failing(self: Path, target: Path) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="no space left"):
        write_shards(tmp_path, "more", [("package", make_mined(0))], HEADER, 1 << 20)
    assert info(tmp_path) == before
    assert (before["files"], before["examples"], before["sources"]) == (2, 50, 4)


def test_what_does_not_serve_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EditFlowError, match=r"no \*\.efs shards"):
        open_shards(tmp_path)
    make_shards(tmp_path)
    other = replace(HEADER, vocabulary=Vocabulary(9, "another", (), ()))
    (file,) = write_shards(tmp_path, "other", [("package", make_mined(0))], other, 1 << 20)
    with pytest.raises(EditFlowError, match="several tokenizers"):
        open_shards(tmp_path)
    file.write_bytes(b"something else")
    with pytest.raises(EditFlowError, match="no shard of this version"):
        open_shards(tmp_path)
    whole = (tmp_path / "mined-00000.efs").read_bytes()
    file.write_bytes(whole[: whole.index(b"}}") + 40])
    with pytest.raises(EditFlowError, match="cut short"):
        Shard(file)

"""Batches: the same for the same seed, epoch and index; every row once an epoch; inside the token budget."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from editflow.process.base import BLANK, IGNORE, AlignedBatch
from editflow_trainer.batches import Batches, collate, draw_kappa
from editflow_trainer.noise import NoiseConfig
from editflow_trainer.shards import Row, write_shard
from tests.trainer.rows import make_row, make_rows

ROWS, TOKENS = 60, 200
QUIET = NoiseConfig(mask_rows=0, corrupt_rows=0, drop_file=0, drop_diagnostic=0, drop_around=0)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of rows that differ from each other."""
    folder = tmp_path_factory.mktemp("shards")
    rows = make_rows(ROWS)
    write_shard(folder / "0.safetensors", rows[:25])
    write_shard(folder / "1.safetensors", rows[25:])
    return folder


def epoch(batches: Batches, number: int, start: int = 0) -> list[tuple[list[object], float]]:
    """Batches as plain values, each with a number drawn from its generator."""
    return [
        (
            [batch.z0.tolist(), batch.z1.tolist(), batch.role.tolist()],
            float(torch.rand((), generator=generator)),
        )
        for batch, generator in batches.epoch(number, start)
    ]


def sources(batch: AlignedBatch) -> list[tuple[int, ...]]:
    return [tuple(row[row >= 0].tolist()) for row in batch.z0]


def test_an_epoch_depends_on_seed_and_number_alone(shards: Path) -> None:
    first = epoch(Batches(shards, TOKENS, NoiseConfig(), seed=1), 3)
    batches = Batches(shards, TOKENS, NoiseConfig(), seed=1)
    epoch(batches, 0)
    assert epoch(batches, 3) == first
    assert epoch(batches, 4) != first
    assert epoch(Batches(shards, TOKENS, NoiseConfig(), seed=2), 3) != first
    for start in (1, len(first) - 1, len(first)):
        assert epoch(batches, 3, start) == first[start:]


def test_an_epoch_has_every_row_once(shards: Path) -> None:
    batches = Batches(shards, TOKENS, QUIET, seed=0)
    assert len(batches) == ROWS
    expected = sorted(tuple(row.z0[row.z0 >= 0].tolist()) for row in make_rows(ROWS))
    for number in (0, 1):
        assert sorted(s for batch, _ in batches.epoch(number) for s in sources(batch)) == expected


@pytest.mark.parametrize("tokens", [100, 200, 1000])
def test_a_batch_stays_in_the_budget_padding_included(shards: Path, tokens: int) -> None:
    masks = replace(NoiseConfig(), mask_rows=1, corrupt_rows=0)
    sizes = [batch.z0.shape for batch, _ in Batches(shards, tokens, masks, seed=0).epoch(0)]
    assert all(count * width <= tokens for count, width in sizes)
    assert len(sizes) < ROWS * 75 / tokens


def test_rows_of_similar_length_share_a_batch(shards: Path) -> None:
    padding = [
        float((b.z0 == IGNORE).float().mean()) for b, _ in Batches(shards, TOKENS, QUIET, seed=0).epoch(0)
    ]
    assert float(np.mean(padding)) < 0.2


def test_a_row_beyond_the_budget_is_a_batch_of_its_own(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.safetensors", [make_row(0, 300), make_row(1, 10), make_row(2, 10)])
    batches = list(Batches(tmp_path, 64, QUIET, seed=0).epoch(0))
    assert sorted(len(batch.z0) for batch, _ in batches) == [1, 2]


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no \*\.safetensors shards"):
        Batches(tmp_path, TOKENS, QUIET, seed=0)


def test_collated_rows_are_padded_with_ignore() -> None:
    def row(z0: list[int], z1: list[int]) -> Row:
        return Row(
            np.array(z0, np.int16),
            np.array(z1, np.int16),
            np.ones(len(z0), np.uint8),
            np.zeros(len(z0), np.uint8),
        )

    batch = collate([row([20, BLANK, 21], [20, 22, BLANK]), row([30], [31])])
    assert batch.z0.tolist() == [[20, BLANK, 21], [30, IGNORE, IGNORE]]
    assert batch.z1.tolist() == [[20, 22, BLANK], [31, IGNORE, IGNORE]]
    assert batch.role.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch.z0.dtype == torch.int64


def test_kappa_is_dense_at_the_source_and_uniform_elsewhere() -> None:
    kappa = draw_kappa(20_000, torch.Generator().manual_seed(0))
    assert float((kappa == 0).float().mean()) == pytest.approx(0.4, abs=0.02)
    assert float((kappa == 1).float().mean()) == pytest.approx(0.1, abs=0.02)
    between = kappa[(kappa > 0) & (kappa < 1)]
    assert torch.allclose(torch.histc(between, 4, 0, 1) / len(between), torch.full((4,), 0.25), atol=0.02)

"""Batches: a function of their index alone, whoever draws them; every example once an epoch; inside the budget."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.errors import EditFlowError
from editflow.process.base import BLANK, IGNORE
from editflow_trainer.data.batches import Batch, Batches, cut
from editflow_trainer.data.config import DataConfig, HintConfig, Mixture, NoiseConfig
from editflow_trainer.data.draw import Stream
from editflow_trainer.data.example import Source
from editflow_trainer.data.plan import POOL, Plan, lanes
from editflow_trainer.data.shards import open_shards
from tests.trainer.data.examples import VOCABULARY, make_function, make_mined, make_shards

TOKENS = 240
CONFIG = DataConfig(noise=NoiseConfig(vocabulary=VOCABULARY))
QUIET = DataConfig(noise=NoiseConfig(mask_rows=0, corrupt_rows=0, line_rows=0, tail_rows=0))


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_shards(tmp_path_factory.mktemp("shards"))


def plain(batches: Iterable[Batch]) -> list[tuple[object, ...]]:
    return [
        (b.index, b.seed, b.streams, b.aligned.z0.tolist(), b.aligned.z1.tolist(), b.aligned.role.tolist())
        for b in batches
    ]


@pytest.fixture(scope="module")
def first(shards: Path) -> list[tuple[object, ...]]:
    """More than a pool."""
    return plain(islice(Batches(shards, CONFIG, TOKENS, seed=1).stream(), POOL + 20))


def test_indices_count_up_and_another_seed_draws_other_rows(
    shards: Path, first: list[tuple[object, ...]]
) -> None:
    assert [batch[0] for batch in first] == list(range(POOL + 20))
    assert len({batch[1] for batch in first}) == POOL + 20
    assert plain(islice(Batches(shards, CONFIG, TOKENS, seed=1).stream(), 5)) == first[:5]
    other = plain(islice(Batches(shards, CONFIG, TOKENS, seed=2).stream(), 5))
    assert all(a[3] != b[3] for a, b in zip(first[:5], other, strict=True))


@pytest.mark.parametrize("start", [1, 17, POOL - 1, POOL, POOL + 3])
def test_a_run_goes_on_where_it_stopped(shards: Path, first: list[tuple[object, ...]], start: int) -> None:
    rest = plain(islice(Batches(shards, CONFIG, TOKENS, seed=1).stream(start), 4))
    assert rest == first[start : start + 4]


@pytest.mark.parametrize("world", [2, 3, 8])
def test_ranks_share_the_stream(shards: Path, first: list[tuple[object, ...]], world: int) -> None:
    batches, united = Batches(shards, CONFIG, TOKENS, seed=1), []
    for rank in range(world):
        own = (batch for batch in batches.stream(5, rank, world) if batch.index < 60)
        united += plain(islice(own, sum(i % world == rank for i in range(5, 60))))
    assert sorted(united, key=lambda batch: batch[0]) == first[5:60]  # type: ignore[arg-type, return-value]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
def test_workers_give_the_same_batches(shards: Path, first: list[tuple[object, ...]]) -> None:
    batches = Batches(shards, CONFIG, TOKENS, seed=1, workers=2)
    assert plain(islice(batches.stream(3), POOL)) == first[3 : 3 + POOL]
    assert plain(islice(batches.stream(2, rank=1, world=2), 6)) == first[3:15:2]


def test_an_epoch_has_every_example_once_and_the_next_one_is_fresh(shards: Path) -> None:
    """Only mined edits, whose targets tell them apart."""
    config = replace(QUIET, mixture=Mixture(injected=0, names=0, fix=1, edit=1, clean=0))
    plan = Plan(np.concatenate([shard.index for shard in open_shards(shards)]), config, TOKENS, 0)
    drawn = [int(e) for pool in range(4) for group in plan.groups(pool) for e in group.example]
    counts = Counter(drawn)
    assert set(counts) == set(range(30, 50))
    assert max(counts.values()) - min(counts.values()) <= 2  # each stream is in the midst of an epoch
    batches = islice(Batches(shards, CONFIG, TOKENS, seed=0).stream(), POOL)
    seen = [row for batch in batches for row in batch.aligned.z0.tolist()]
    assert len({tuple(row) for row in seen}) > 0.9 * len(seen)


def test_a_batch_stays_in_the_budget(shards: Path) -> None:
    sizes, real = [], []
    for batch in islice(Batches(shards, CONFIG, 2000, seed=0).stream(), 2 * POOL):
        sizes.append(batch.aligned.z0.numel())
        real.append(float((batch.aligned.z0 != IGNORE).float().mean()))
        assert len(batch.streams) == len(batch.aligned.z0)
    assert max(sizes) <= 2000
    assert np.mean(sizes) > 1000  # rows this short are planned for with too much room
    assert np.mean(real) > 0.9


def test_rows_follow_the_mixture(shards: Path) -> None:
    streams = Counter(
        s for b in islice(Batches(shards, QUIET, 2000, seed=0).stream(), 2 * POOL) for s in b.streams
    )
    total = streams.total()
    for stream, share in zip(Stream, (0.42, 0.1, 0.2, 0.13, 0.15), strict=True):
        assert streams[stream] / total == pytest.approx(share, abs=0.01)


def test_an_absent_source_leaves_its_share_to_the_others() -> None:
    sources = np.full(10, Source.FUNCTION, np.uint16)
    found = {lane.stream: lane.share for lane in lanes(sources, Mixture(0.4, 0.1, 0.2, 0.1, 0.2))}
    assert found == pytest.approx({Stream.INJECTED: 4 / 7, Stream.NAMES: 1 / 7, Stream.CLEAN: 2 / 7})
    with pytest.raises(EditFlowError, match="no stream"):
        lanes(sources, Mixture(0, 0, 1, 0, 0))


def test_what_is_too_small_is_refused(shards: Path, tmp_path: Path) -> None:
    with pytest.raises(EditFlowError, match="too small for rows"):
        Batches(shards, CONFIG, 60, seed=0)
    with pytest.raises(EditFlowError, match=r"no \*\.efs shards"):
        Batches(tmp_path, CONFIG, TOKENS, seed=0)


@given(st.lists(st.integers(1, 50), min_size=8, max_size=60), st.integers(100, 500))
def test_a_cut_is_exact(lengths: list[int], tokens: int) -> None:
    lengths = sorted(lengths)
    runs = cut(lengths, 8, tokens)
    assert len(runs) == 8
    assert runs[0].start == 0
    assert all(a.stop == b.start for a, b in pairwise(runs))
    sizes = [lengths[run.stop - 1] * (run.stop - run.start) for run in runs]
    assert max(sizes) <= tokens
    assert min(run.stop - run.start for run in runs) >= 1
    if runs[-1].stop < len(lengths):  # what is left out would not have fitted
        assert lengths[runs[-1].stop] * (runs[-1].stop - runs[-1].start + 1) > tokens


def test_clean_rows_are_of_all_sources(shards: Path) -> None:
    config = replace(QUIET, mixture=Mixture(0.4, 0, 0.2, 0.2, 1), hints=HintConfig(misleading=0))
    targets = {
        tuple(t for t in row if t != BLANK and t >= 16)
        for batch in islice(Batches(shards, config, 2000, seed=0).stream(), 20)
        for row, stream in zip(batch.aligned.z1.tolist(), batch.streams, strict=True)
        if stream is Stream.CLEAN
    }
    function, mined = make_function(0).target.tolist(), make_mined(1).target.tolist()
    for wanted in (function, mined):
        assert any(_holds(target, wanted) for target in targets)


def _holds(row: tuple[int, ...], part: list[int]) -> bool:
    return any(list(row[i : i + len(part)]) == part for i in range(len(row)))

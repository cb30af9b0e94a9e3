"""Fixtures of the training loop's tests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from accelerate.state import AcceleratorState

from editflow_trainer.training.config import TrainConfig
from editflow_trainer.training.trainer import Trainer
from tests.trainer.training.runs import CONFIG, MACHINE, make_shards


@pytest.fixture(autouse=True)
def fresh_accelerator() -> Iterator[None]:
    """Accelerate keeps one state a process, precision included; every test starts without."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one shard."""
    return make_shards(tmp_path_factory.mktemp("shards"))


@pytest.fixture
def trainer(shards: Path, tmp_path: Path) -> Callable[..., Trainer]:
    """Makes a trainer in a folder by name; the same name again resumes."""

    def make(name: str, config: TrainConfig = CONFIG) -> Trainer:
        return Trainer(config, shards, tmp_path / name, MACHINE)

    return make

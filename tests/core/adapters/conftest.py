"""A small base, and a store of this test alone."""

import shutil
from pathlib import Path

import pytest

from editflow.adapters.store import AdapterStore
from editflow.checkpoint import Checkpoint
from tests.core.wild import wild_checkpoint


@pytest.fixture
def base(tokenizer_file: Path) -> Checkpoint:
    """The checkpoint of a small random network."""
    return Checkpoint.open(str(wild_checkpoint(tokenizer_file)))


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    """An empty store."""
    return AdapterStore(tmp_path / "store")


@pytest.fixture
def repository(template: Path, tmp_path: Path) -> Path:
    """A repository of two commits."""
    return shutil.copytree(template, tmp_path / "repository")

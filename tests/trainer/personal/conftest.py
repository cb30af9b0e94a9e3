"""A home of each test's own, so that no training leaves anything behind."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds the user's data and caches."""
    folder = tmp_path / "home"
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(folder / name.lower()))
    return folder


@pytest.fixture(autouse=True)
def few_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand functions of others would take most of a test's time."""
    monkeypatch.setattr("editflow_trainer.personal.material.REPLAYED", 10)

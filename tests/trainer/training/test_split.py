"""No run trains on a project that is kept for evaluation."""

from pathlib import Path

import pytest

from editflow.errors import EditFlowError
from editflow_trainer.recipe import Recipe
from editflow_trainer.training.train_shards import SHARDS, run_folder, train_shards
from tests.trainer.training.runs import CONFIG, MACHINE, make_shards


def say(line: dict[str, float]) -> None:
    """Nothing."""


@pytest.mark.parametrize("source", ["sqlalchemy/sqlalchemy", "someone/SQLAlchemy", "scrapy"])
def test_shards_of_a_kept_project_are_refused_before_a_step(source: str, tmp_path: Path) -> None:
    recipe = Recipe("r", machine=MACHINE, train=CONFIG)
    make_shards(tmp_path / SHARDS, source=source)
    with pytest.raises(EditFlowError, match="must not be trained on"):
        train_shards(recipe, tmp_path, say)
    assert not run_folder(tmp_path, recipe).exists()


def test_shards_of_other_projects_are_trained_on(tmp_path: Path) -> None:
    recipe = Recipe("r", machine=MACHINE, train=CONFIG)
    make_shards(tmp_path / SHARDS)
    assert train_shards(recipe, tmp_path, say)

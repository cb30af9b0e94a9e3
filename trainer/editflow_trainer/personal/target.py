"""Finds the repository that a person means: the one around a folder, or a bare one."""

from __future__ import annotations

from pathlib import Path

from editflow.adapters.identity import root_commit, working_tree_of
from editflow.document import shown
from editflow.errors import EditFlowError
from editflow_trainer.mining.git import head_commit
from editflow_trainer.mining.repository import Repository
from editflow_trainer.personal.options import Target


def target_at(folder: Path) -> Target:
    """The repository of a folder.

    Raises:
        EditFlowError: there is no folder, no git, no repository, no commit, or not the full history.
    """
    if not folder.is_dir():
        raise EditFlowError(f"{shown(folder)} is not a folder: name the folder of a git repository")
    top = working_tree_of(folder) or folder.resolve()
    if top == folder.resolve() and not (_is_bare(top) or (top / ".git").exists()):
        raise EditFlowError(
            f"{shown(folder)} is not in a git repository: git init makes one, commits fill it"
        )
    root = root_commit(top)
    repository = Repository.at(top)
    return Target(repository.folder, repository.name, root, head_commit(top))


def _is_bare(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()

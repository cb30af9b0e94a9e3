"""What stands around a mined function: its file at that commit where the repository is at hand, else its scope."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from editflow.errors import EditFlowError
from editflow_trainer.injection.source import parse
from editflow_trainer.mining.blobs import Blobs
from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.mining.reasons import Reason
from editflow_trainer.mining.repository import Repository
from editflow_trainer.sources import STAR, SourceFunction, functions_in

Place = tuple[SourceFunction, tuple[SourceFunction, ...]]
"""The function before its fix, and functions that are right as they stand, in the same file."""


class Surroundings:
    """Places of one repository's edits. Use as a context: files are read through one process of git."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: the repository; None where there is none."""
        self._folder = folder
        self._blobs: Blobs | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Surroundings:
        if self._folder is not None:
            self._blobs = self._stack.enter_context(Blobs(self._folder))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def of(self, edit: MinedEdit) -> Place | None:
        """Where an edit stands; None where its file is not to be had, or the function is not found in it."""
        return self._from_scope(edit) if self._blobs is None else self._from_file(edit, self._blobs)

    def _from_file(self, edit: MinedEdit, blobs: Blobs) -> Place | None:
        """The other functions are those whose lines the commit leaves as they were."""
        if any(character.isspace() for character in edit.path):
            return None  # git would take what follows for something else
        old, new = blobs.read([f"{edit.commit}^:{edit.path}", f"{edit.commit}:{edit.path}"])
        if isinstance(old, Reason) or isinstance(new, Reason):
            return None
        functions = list(functions_in(old, package=edit.repository, path=edit.path))
        found = next((function for function in functions if function.text == edit.before), None)
        others = tuple(function for function in functions if function is not found and function.text in new)
        return None if found is None else (found, others)

    def _from_scope(self, edit: MinedEdit) -> Place | None:
        """All that is known are the names of the enclosing classes; the fixed function is taken as right."""
        *classes, name = edit.scope.split(".")
        header = _class_lines(classes, edit.before)
        if parse(header + edit.before) is None:  # it stands in an `if`, or classes have margins of their own
            return None
        before, after = (
            SourceFunction(edit.repository, edit.path, name, text, header, "", (STAR,))
            for text in (edit.before, edit.after)
        )
        return before, (after,)


def find_repositories(folder: Path) -> dict[str, Path]:
    """Repositories by name: the folders in `folder`, working trees or bare, and folders `repo` in those.

    Raises:
        EditFlowError: there are none.
    """
    if not folder.is_dir():
        raise EditFlowError(f"{folder} is no folder; give --repos a folder of clones")
    inside = (place for entry in sorted(folder.iterdir()) for place in (entry, entry / "repo"))
    found = {one.name: one.folder for one in map(Repository.at, filter(_is_git, inside))}
    if not found:
        raise EditFlowError(f"{folder} holds no git repositories; give --repos a folder of clones")
    return found


def _class_lines(classes: Sequence[str], text: str) -> str:
    """Class statements, one in another, such that the last one's body has the text's margin."""
    margin = text[: len(text) - len(text.lstrip(" \t"))]
    steps = [margin[: len(margin) * depth // len(classes)] for depth in range(len(classes))]
    return "".join(f"{step}class {name}:\n" for step, name in zip(steps, classes, strict=True))


def _is_git(folder: Path) -> bool:
    return (folder / ".git").exists() or (folder / "HEAD").is_file()

"""A repository's own functions as they stood at one commit, from git's objects, not from the working tree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from editflow_trainer.mining.blobs import Blobs
from editflow_trainer.mining.filters import path_reason
from editflow_trainer.mining.git import ask
from editflow_trainer.mining.reasons import Reason
from editflow_trainer.sources import SourceFunction, functions_in

_AT_ONCE = 64  # files
_REGULAR = "100"  # the mode of a file; links are 120000, submodules 160000


def functions_at(folder: Path, commit: str, package: str) -> Iterator[SourceFunction]:
    """Yields the functions of all Python files of a commit, in git's order; vendored and generated files are left out.

    Raises:
        EditFlowError: git cannot list the commit.
    """
    with Blobs(folder) as blobs:
        listed = list(_python_files(folder, commit))
        for first in range(0, len(listed), _AT_ONCE):
            files = listed[first : first + _AT_ONCE]
            texts = blobs.read([name for name, _ in files])
            for (_, path), text in zip(files, texts, strict=True):
                if not isinstance(text, Reason):
                    yield from functions_in(text, package=package, path=path)


def _python_files(folder: Path, commit: str) -> Iterator[tuple[str, str]]:
    """Blob and path of each file that would be mined."""
    listed = ask(folder, "ls-tree", "-r", "-z", "--full-tree", commit)
    for entry in listed.split(b"\0")[:-1]:
        head, _, raw = entry.partition(b"\t")
        mode, _, blob = head.decode().split()
        path = raw.decode("utf-8", "replace")
        if mode.startswith(_REGULAR) and path.endswith(".py") and path_reason(path) is None:
            yield blob, path

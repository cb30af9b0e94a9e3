"""Code of others beside the repository's own: few functions, seen over and over, would make a network forget the rest.

It is Python's standard library, which is on every machine: rows like those that the base was trained on (experience
replay, Rolnick et al. 2019, arXiv 1811.11682).
"""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from editflow_trainer.sources import SourceFunction, functions_of_file

PACKAGE = "python"
FILES = 300
"""Read, drawn by the seed; the functions are drawn from theirs."""
_ELSEWHERE = {"site-packages", "dist-packages", "test", "tests", "idlelib", "lib2to3", "__pycache__"}


def replayed(count: int, seed: int) -> list[SourceFunction]:
    """At most `count` functions of the standard library, drawn by the seed."""
    rng = Random(seed)
    root, files = _library()
    drawn = rng.sample(files, min(FILES, len(files)))
    found = [one for file in drawn for one in _functions(root, file)]
    return rng.sample(found, min(count, len(found)))


@cache
def _library() -> tuple[Path, tuple[Path, ...]]:
    """The library's folder, and its modules; none where Python keeps them elsewhere, as in an archive."""
    root = Path(sysconfig.get_path("stdlib"))
    files = (file for file in sorted(root.rglob("*.py")) if file.is_file())
    return root, tuple(file for file in files if not _ELSEWHERE & set(file.relative_to(root).parts))


def _functions(root: Path, file: Path) -> Iterator[SourceFunction]:
    return functions_of_file(file, package=PACKAGE, path=file.relative_to(root).as_posix())

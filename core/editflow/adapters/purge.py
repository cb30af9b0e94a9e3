"""All that learning from a repository leaves on a machine, listed and removed."""

from __future__ import annotations

import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from editflow.adapters.private import saying
from editflow.adapters.store import AdapterStore, training_folder
from editflow.outcomes import outcomes_file


@dataclass(frozen=True, slots=True)
class Belonging:
    """A file or a folder that is there because something was learnt, or is to be."""

    what: str
    path: Path
    size: int
    """Bytes."""


def belongings(store: AdapterStore, root: str | None = None) -> list[Belonging]:
    """What `purge` would remove: of one repository, or of all with the outcomes that were recorded for any."""
    if root is None:
        paths = {
            "adapters": store.folder,
            "training caches": training_folder(),
            "recorded outcomes": outcomes_file(),
        }
    else:
        paths = {"adapters": store.folder / root, "training cache": training_folder(root)}
    return [Belonging(what, path, size_of(path)) for what, path in paths.items() if path.exists()]


def purge(store: AdapterStore, root: str | None = None) -> None:
    """Remove them; AdapterError where something stays, and then it may be called again."""
    with saying("not everything could be removed"):
        for belonging in belongings(store, root):
            if belonging.path.is_dir():
                shutil.rmtree(belonging.path)
            else:
                belonging.path.unlink(missing_ok=True)
        if root is not None:
            store.places.forget(root)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; links are not followed."""
    files = path.rglob("*") if path.is_dir() else (path,)
    statuses = (file.lstat() for file in files)
    return sum(status.st_size for status in statuses if stat.S_ISREG(status.st_mode))

"""Tells when refs of a repository have moved and come to rest: their folders are watched, since git replaces files."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread

from watchfiles import Change, watch

from editflow.errors import EditFlowError
from editflow_trainer.mining.git import ask

REST = 2.0
"""Seconds without a change after which refs are at rest: a fetch and a rebase move many."""
_TOP = ("HEAD", "packed-refs")
_REBASES = ("rebase-merge", "rebase-apply")
Changes = SimpleQueue[Exception | None]
"""None for a change, or the end of watching; an error where it cannot be watched."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where git keeps refs."""

    own: Path
    """HEAD of this checkout."""
    shared: Path
    """The branches, for all linked worktrees."""

    @classmethod
    def of(cls, folder: Path) -> Folders:
        """Those of a working tree or a bare repository; EditFlowError where it is neither."""
        answers = (ask(folder, "rev-parse", name) for name in ("--git-dir", "--git-common-dir"))
        return cls(*((folder / os.fsdecode(answer.removesuffix(b"\n"))).resolve() for answer in answers))

    @property
    def rebasing(self) -> bool:
        """Whether a rebase has begun and not ended, perhaps waiting for a person."""
        return any((self.own / name).exists() for name in _REBASES)

    @property
    def deep(self) -> list[Path]:
        """The folders whose subfolders hold refs, too."""
        places = {self.shared / "refs", self.shared / "reftable", self.own / "reftable"}
        return sorted(place for place in places if place.is_dir())


def follow(folders: Folders, stop: Event) -> Generator[bool]:
    """Yields every REST seconds whether something moved, but while refs go on moving; first True; until `stop`.

    Raises:
        EditFlowError: the folders cannot be watched.
    """
    changes: Changes = SimpleQueue()
    changes.put(None)  # looked at only once the watching has begun, so that nothing is missed in between
    top = sorted({folders.own, folders.shared})
    watching = [
        Thread(target=_watch, args=(top, False, lambda _, path: Path(path).name in _TOP, changes, stop)),
        Thread(
            target=_watch,
            args=(folders.deep, True, lambda _, path: not path.endswith(".lock"), changes, stop),
        ),
    ]
    for thread in watching:
        thread.start()
    try:
        while not stop.is_set():
            yield _moved(changes, stop)
    finally:
        stop.set()
        for thread in watching:
            thread.join()


def _watch(
    paths: list[Path], deep: bool, counts: Callable[[Change, str], bool], changes: Changes, stop: Event
) -> None:
    """Runs in a thread: an object in the queue for each batch of changes, and one at the end."""
    try:
        for _ in watch(*paths, watch_filter=counts, recursive=deep, stop_event=stop):
            changes.put(None)
    except (OSError, RuntimeError) as error:
        changes.put(error)
    else:
        changes.put(None)


def _moved(changes: Changes, stop: Event) -> bool:
    """Whether something moved, once it rests."""
    found = False
    while not stop.is_set():
        try:
            error = changes.get(timeout=REST)
        except Empty:
            break
        if error is not None:
            raise EditFlowError(f"the repository cannot be watched ({error})") from error
        found = True
    return found

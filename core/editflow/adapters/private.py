"""Folders and files that only their owner can open, written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from editflow.adapters.adapter import CARD, CONFIG, REPORT, WEIGHTS, AdapterError
from editflow.document import shown

TEMPORARY = ".new-"
"""What half-written things are called: nobody looks at them, and the next writer clears them away."""


@contextmanager
def saying(what: str) -> Iterator[None]:
    """An OSError as one line that says what did not happen, and why."""
    try:
        yield
    except OSError as error:
        raise AdapterError(f"{what}: {error.strerror or error}") from error


def make_private(folder: Path) -> None:
    """The folder with mode 0700, made if it is not there; AdapterError where others may open one that is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(folder)


def check_private(folder: Path) -> None:
    """AdapterError unless a folder is this user's and closed to all others, where the system can tell."""
    status = folder.stat()
    if os.name == "posix" and status.st_uid != os.geteuid():
        raise AdapterError(f"{shown(folder)} belongs to another user: remove it, or set XDG_DATA_HOME")
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
        raise AdapterError(f"{shown(folder)} is open to other users: run chmod 700 on it")


def write_json(path: Path, value: Any) -> None:
    """Replace a file by JSON, with mode 0600."""
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            json.dump(value, stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def copied(source: Path, beside: Path) -> Iterator[Path]:
    """A private copy of an adapter's folder under a temporary name beside a path; gone afterwards unless renamed."""
    copy = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=beside.parent))
    try:
        for name in (CONFIG, WEIGHTS, CARD):
            _copy(source / name, copy / name)
        if (source / REPORT).is_file() and not (source / REPORT).is_symlink():
            _copy(source / REPORT, copy / REPORT)
        yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as old, os.fdopen(handle, "wb") as new:
        shutil.copyfileobj(old, new)
        new.flush()
        os.fsync(new.fileno())


def replace_folder(new: Path, target: Path) -> None:
    """Rename `new` to `target`; what was there is removed afterwards, and stays where the renaming fails."""
    hidden = _hidden(target)
    if target.exists():
        target.rename(hidden)
    try:
        new.rename(target)
    except OSError:
        if hidden.exists():
            hidden.rename(target)
        raise
    shutil.rmtree(hidden, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it, out of sight at once."""
    hidden = _hidden(folder)
    folder.rename(hidden)
    shutil.rmtree(hidden)


def _hidden(folder: Path) -> Path:
    """A free temporary name beside a folder."""
    hidden = folder.with_name(TEMPORARY + folder.name)
    if hidden.exists():
        shutil.rmtree(hidden)
    return hidden


def clear_temporary(folder: Path) -> None:
    """Remove what a process that was ended had not finished."""
    for left in folder.glob(f"{TEMPORARY}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)

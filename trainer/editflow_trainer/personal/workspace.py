"""The folder in which one repository's training keeps what it made, so that it can go on; one training at a time."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from editflow.adapters.store import training_folder
from editflow.checkpoint import Checkpoint
from editflow.document import shown
from editflow.errors import EditFlowError
from editflow_trainer.personal.options import Options, Target

_STATE, _TRAINED = "training.json", "trained"
_CHANGED = {
    "root": "the repository",
    "head": "its commits",
    "base": "the base checkpoint",
    "options": "the options",
}


@dataclass(frozen=True, slots=True)
class Workspace:
    """The parts of the folder."""

    folder: Path

    @property
    def mined(self) -> Path:
        """What was mined; it outlives a training, for the next one."""
        return self.folder / "mined"

    @property
    def shards(self) -> Path:
        """Training examples."""
        return self.folder / "shards"

    @property
    def run(self) -> Path:
        """States of the training run."""
        return self.folder / "run"

    @property
    def staged(self) -> Path:
        """The adapter until it is installed."""
        return self.folder / "adapter"

    @property
    def report(self) -> Path:
        """The page about the last training."""
        return self.folder / "report.html"

    def begin(self, target: Target, base: Checkpoint, options: Options, *, resume: bool) -> bool:
        """Begin a training, or go on with an interrupted one; True when it goes on.

        Raises:
            EditFlowError: there is nothing to resume, or its repository, base or options were others.
        """
        wanted = {"root": target.root, "head": target.head, "base": base.fingerprint}
        wanted["options"] = sha256(json.dumps(options.as_json(), default=str).encode()).hexdigest()
        if resume:
            self._check(wanted, target)
        else:
            self._clear()
            self.write(_STATE, wanted)
        return resume

    def end(self, head: str) -> None:
        """A training at `head` is over: nothing is left to resume; what was mined and the report stay."""
        self._clear()
        self._replace(_TRAINED, head)

    def read(self, name: str) -> Any:
        """What was written under a name, None where nothing was."""
        return self._read(f"{name}.json")

    def keep(self, name: str, value: Any) -> None:
        """Write plain values under a name, whole or not at all."""
        self.write(f"{name}.json", value)

    def write(self, file: str, value: Any) -> None:
        """Write JSON, whole or not at all."""
        self._replace(file, json.dumps(value))

    def _check(self, wanted: Mapping[str, str], target: Target) -> None:
        known = self._read(_STATE)
        if known is None:
            raise EditFlowError(f"there is no training of {target.name} to resume: leave --resume out")
        if not isinstance(known, dict):
            raise EditFlowError(f"{shown(self.folder / _STATE)} is damaged: leave --resume out")
        differing = [_CHANGED[name] for name in wanted if known.get(name) != wanted[name]]
        if differing:
            raise EditFlowError(
                f"{' and '.join(differing)} changed since it was interrupted: leave --resume out"
            )

    def _clear(self) -> None:
        for path in (self.shards, self.run, self.staged):
            shutil.rmtree(path, ignore_errors=True)
        for path in self.folder.glob("*.json"):
            path.unlink()

    def _replace(self, file: str, text: str) -> None:
        partial = self.folder / f"{file}.partial"
        try:
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, self.folder / file)
        except OSError as error:
            raise EditFlowError(f"{shown(self.folder)} cannot be written ({error.strerror})") from error

    def _read(self, file: str) -> Any:
        path = self.folder / file
        try:
            return json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise EditFlowError(f"{shown(path)} is damaged: leave --resume out") from error


def private_folder(root: str) -> Path:
    """The folder of a repository's training, for its owner alone; EditFlowError where it cannot be made."""
    folder = training_folder(root)
    try:
        for path in (folder.parent, folder):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.chmod(0o700)
    except OSError as error:
        raise EditFlowError(f"{shown(folder)} cannot be written ({error.strerror})") from error
    return folder


def trained_head(root: str) -> str:
    """The commit that a repository was last trained at, installed or not; "" where it never was."""
    try:
        return (training_folder(root) / _TRAINED).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def interrupted_head(root: str) -> str:
    """The commit at which a training of a repository was begun and not ended; "" where none was."""
    try:
        known = json.loads((training_folder(root) / _STATE).read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    head = known.get("head") if isinstance(known, dict) else None
    return head if isinstance(head, str) else ""


@contextmanager
def claimed(root: str) -> Iterator[Workspace]:
    """The workspace of a repository, made with mode 0700, for this process alone.

    Raises:
        EditFlowError: another training of the repository runs, or the folder cannot be made.
    """
    folder = private_folder(root)
    try:
        lock = FileLock(folder / ".lock", timeout=0, mode=0o600).acquire()
    except Timeout as error:
        raise EditFlowError("another training of this repository runs: wait for it, or stop it") from error
    except OSError as error:
        raise EditFlowError(f"{shown(folder)} cannot be written ({error.strerror})") from error
    with lock:
        yield Workspace(folder)

"""Where a user's engine is found: a socket for each version, environment, checkpoint and device, in one folder.

The folder must be a real directory, owned by this user and closed to all others; anything else is refused.
"""

import json
import os
import socket
import stat
import sys
import warnings
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from platformdirs import user_log_path, user_runtime_path

from editflow import __version__
from editflow.checkpoint import DEFAULT, WEIGHTS, locate
from editflow.errors import EditFlowError

LONGEST_PATH = 103 if sys.platform == "darwin" else 107
"""Most bytes of a unix socket's path."""


class PlaceError(EditFlowError):
    """A folder or a path that cannot hold the engine's socket."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine: a checkpoint by name or folder, and `auto`, `cpu` or `cuda`."""

    model: str = DEFAULT
    device: str = "auto"

    @property
    def folder(self) -> str:
        """The checkpoint's folder, absolute, so that it means the same in any process."""
        return str(locate(self.model).resolve())

    @property
    def identity(self) -> str:
        """12 hex digits that change with all that makes an engine another one; PlaceError where it has no weights."""
        try:
            weights = (Path(self.folder) / WEIGHTS).stat()
        except OSError as error:
            raise PlaceError(f"no checkpoint at {self.folder}: name a folder, or {DEFAULT!r}") from error
        parts = [__version__, sys.prefix, self.folder, weights.st_size, weights.st_mtime_ns, self.device]
        return sha256(json.dumps(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one engine."""

    socket: Path
    lock: Path
    """Held by whoever starts the engine or makes its socket."""
    log: Path


def daemon_possible() -> bool:
    """Whether this system has unix sockets that tell who is at the other end."""
    return hasattr(socket, "AF_UNIX") and os.name == "posix"


def place_of(choice: EngineChoice) -> Place:
    """The files of this user's engine; its folders are made. PlaceError if they cannot be, or are not safe."""
    name = f"engine-{choice.identity}"
    folder, logs = runtime_folder(), user_log_path("editflow")
    path = folder / f"{name}.sock"
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise PlaceError(f"{path} is too long for a socket: set XDG_RUNTIME_DIR to a shorter folder")
    return Place(path, folder / f"{name}.lock", logs / f"{name}.log")


def runtime_folder() -> Path:
    """The folder of this user's sockets, made with mode 0700; PlaceError unless it is ours alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that XDG_RUNTIME_DIR is not set; the folder is checked below
            folder = user_runtime_path("editflow")
    except OSError as error:  # what would take its place belongs to somebody else
        raise PlaceError(
            f"there is no folder for this user's sockets ({error}): set XDG_RUNTIME_DIR"
        ) from error
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise PlaceError(f"{folder} cannot be made ({error.strerror}): set XDG_RUNTIME_DIR") from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise PlaceError(f"{folder} is not a folder of this user: remove it")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise PlaceError(f"{folder} is open to other users: run chmod 700 on it")
    return folder


def listen(path: Path) -> socket.socket:
    """A listening unix socket with mode 0600; PlaceError if something lies at the path."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        path.chmod(0o600)  # nobody can connect before it listens
        listener.listen()
    except OSError as error:
        listener.close()
        raise PlaceError(f"{path}: {error.strerror}") from error
    return listener

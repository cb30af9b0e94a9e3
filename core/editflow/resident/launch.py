"""Reaches a host: the user's daemon, started where there is none, or a private child of this process."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread

from editflow.resident.link import LeavingError, Link, LinkError
from editflow.resident.place import EngineChoice, Place, listen, place_of

START_TIMEOUT = 10.0
"""Seconds that a host may take until it listens."""
STANDARD_ERROR = "standard error"
"""Where a private host's messages are."""
LONGEST_LOG = 1024 * 1024
"""Bytes; a longer one is begun anew when a host is started."""
_POLL = 0.02
"""Seconds."""


async def reach_daemon(choice: EngineChoice) -> Link:
    """A connection to the user's daemon; LinkError or PlaceError says why there is none."""
    place = place_of(choice)
    try:
        return await _dial_or_start(choice, place)
    except LeavingError:  # it was about to leave as idle, or is being torn down
        await asyncio.sleep(_POLL)
        return await _dial_or_start(choice, place)


async def spawn_private(choice: EngineChoice, log: Path | None = None) -> Link:
    """A connection over pipes to a host that ends with it; its messages come on standard error, or into a log."""
    errors = None if log is None else _open_log(log)
    try:
        command = [*host_command(choice), "--pipes"]
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=errors)
    finally:
        if errors is not None:
            os.close(errors)
    assert process.stdout is not None and process.stdin is not None
    link = Link(process.stdout, process.stdin, process)
    try:
        await link.shake_hands()
    except LeavingError as error:
        await link.close()
        raise LinkError(f"the engine ended as it started: see {log or STANDARD_ERROR}") from error
    except BaseException:
        await link.close()
        raise
    return link


def host_command(choice: EngineChoice) -> list[str]:
    """What starts a host, but for where it serves."""
    # -P: or a module in the current folder, which may be anyone's repository, would be imported for one of ours.
    options = ["--model", choice.folder, "--device", choice.device]
    return [sys.executable, "-P", "-m", "editflow.resident", *options]


@asynccontextmanager
async def starting(place: Place) -> AsyncIterator[None]:
    """Hold the right to start a host and to remove its dead socket; LinkError if another keeps it for too long."""
    import fcntl

    deadline = time.monotonic() + 2 * START_TIMEOUT
    with place.lock.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LinkError(f"{place.lock} is held: another window cannot start the engine") from None
            await asyncio.sleep(_POLL)
        yield


async def claim(place: Place) -> socket.socket:
    """A listening socket at the place, for a host in this process; LinkError if there is one already."""
    async with starting(place):
        if link := await Link.dial(place.socket):
            await link.close()
            raise LinkError("this engine runs already: stop it with editflow daemon stop")
        place.socket.unlink(missing_ok=True)
        return listen(place.socket)


async def _dial_or_start(choice: EngineChoice, place: Place) -> Link:
    if link := await Link.dial(place.socket):
        return link
    async with starting(place):
        return await Link.dial(place.socket) or await _start(choice, place)


async def _start(choice: EngineChoice, place: Place) -> Link:
    """Start a daemon and connect to it; called while nobody listens and nobody else starts one."""
    place.socket.unlink(missing_ok=True)
    process = _detached([*host_command(choice), "--socket", str(place.socket)], place)
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if link := await Link.dial(place.socket):
            return link
        if process.poll() is not None:
            raise LinkError(f"the engine ended as it started: see {place.log}")
        await asyncio.sleep(_POLL)
    process.kill()
    raise LinkError(f"the engine did not start within {START_TIMEOUT:g} s: see {place.log}")


def _detached(command: list[str], place: Place) -> subprocess.Popen[bytes]:
    """A process that outlives this one, in the folder of its socket, with its messages in the log."""
    log = _open_log(place.log)
    try:
        process = subprocess.Popen(
            command,
            cwd=place.socket.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    finally:
        os.close(log)
    Thread(target=process.wait, daemon=True).start()  # or it stays behind as a zombie when it leaves
    return process


def _open_log(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    no_link = getattr(os, "O_NOFOLLOW", 0)  # not on Windows
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | no_link, 0o600)
    if os.fstat(log).st_size > LONGEST_LOG:
        os.ftruncate(log, 0)
    return log

"""The terminal reviewer in a pseudo-terminal, with a clock on what it paints. Linux only."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

COLUMNS, ROWS = 120, 40
QUIET_S = 0.08
"""Nothing was painted for so long: the screen is complete."""
_PATIENCE_S = 60.0
_OWN = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none"}


class Terminal:
    """A reviewer that was just started."""

    def __init__(self, *arguments: str, folder: Path) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._begun = perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "editflow_tui", *arguments],
            cwd=folder,
            env=_environment(folder),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def painted(self, words: str) -> float:
        """Seconds from the start until `words` were written."""
        seen = b""
        while words.encode() not in seen:
            if perf_counter() - self._begun > _PATIENCE_S:
                raise TimeoutError(f"{words!r} was never painted; the last output: {seen[-500:]!r}")
            seen += self._read(_PATIENCE_S)
        return perf_counter() - self._begun

    def press(self, key: str) -> float | None:
        """Seconds from a key to the last byte of what it painted; None where it painted nothing."""
        begun = perf_counter()
        os.write(self._master, key.encode())
        last = None
        while self._read(QUIET_S):
            last = perf_counter() - begun
        return last

    def settle(self) -> None:
        """Wait until nothing is painted."""
        while self._read(0.5):
            pass

    @property
    def has_torch(self) -> bool:
        """Whether the reviewer's own process has loaded torch's libraries."""
        return "libtorch" in Path(f"/proc/{self._process.pid}/maps").read_text("utf-8")

    def close(self) -> None:
        """End the reviewer."""
        self._process.terminate()
        while self._process.poll() is None:
            self._read(0.05)
        os.close(self._master)

    def _read(self, seconds: float) -> bytes:
        """What is written within `seconds`; nothing where nothing is."""
        if not select.select([self._master], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self._master, 65536)
        except OSError:  # the other side is closed
            return b""


def _environment(folder: Path) -> dict[str, str]:
    """As after an installation and a first start: everything is compiled, in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | _OWN | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}


@contextmanager
def terminal(*arguments: str, folder: Path) -> Iterator[Terminal]:
    """A reviewer that was started in `folder`, for as long as it is measured."""
    opened = Terminal(*arguments, folder=folder)
    try:
        yield opened
    finally:
        opened.close()

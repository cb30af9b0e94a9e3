"""A terminal to test in: runs the reviewer in a pseudo-terminal and takes what it writes."""

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
from time import monotonic

from tests.tui.screen import Screen

PATIENCE = 30.0  # seconds, for machines that are busy
SIZE = (80, 24)  # columns and rows


class Terminal:
    """A reviewer in a terminal of its own."""

    def __init__(self, *arguments: str, folder: Path, size: tuple[int, int], stdin: bytes | None) -> None:
        self.output = b""
        """All that was written."""
        self.screen = Screen(*size)
        self._master, self._slave = os.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(self._slave)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "editflow_tui", *arguments],
            cwd=folder,
            env=_environment(folder),
            stdin=self._slave if stdin is None else subprocess.PIPE,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        if self.process.stdin is not None:
            with self.process.stdin as pipe:
                pipe.write(stdin or b"")

    @property
    def is_restored(self) -> bool:
        """Whether the line is as it was, the first screen is back, and no mode is left on but the cursor's."""
        modes = self.screen.modes - {"?25", "?7"}  # cursor shown, lines wrap: on in every new terminal
        line = termios.tcgetattr(self._slave) == self.before
        return line and not modes and "?25" in self.screen.modes and not self.screen.keyboard_levels

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size, with nothing on it; who runs in it gets SIGWINCH."""
        self.screen.resize(columns, rows)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def wait_for(self, words: str) -> None:
        """Until `words` stand in a row."""
        end = monotonic() + PATIENCE
        while words not in self.screen.text:
            assert monotonic() < end and self.process.poll() is None, (words, self.screen.rows)
            self.read(0.02)

    def finish(self) -> int:
        """Until the reviewer has ended; its exit code, negative for a signal."""
        end = monotonic() + PATIENCE
        while self.process.poll() is None:
            assert monotonic() < end, self.screen.rows
            self.read(0.02)
        self.read(0)
        return self.process.returncode

    def read(self, seconds: float) -> None:
        """Take what is written until nothing comes for `seconds`."""
        while select.select([self._master], [], [], seconds)[0]:
            data = os.read(self._master, 65536)
            self.output += data
            self.screen.feed(data)

    def close(self) -> None:
        """End what is left."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)


@contextmanager
def terminal(
    *arguments: str, folder: Path, size: tuple[int, int] = SIZE, stdin: bytes | None = None
) -> Iterator[Terminal]:
    """A terminal in which the reviewer was started in `folder`; `stdin` comes from a pipe."""
    opened = Terminal(*arguments, folder=folder, size=size, stdin=stdin)
    try:
        yield opened
    finally:
        opened.close()


def _environment(folder: Path) -> dict[str, str]:
    """Of a modern terminal; nobody's own configuration."""
    own = {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "XDG_CONFIG_HOME": str(folder / "config"),
        "TEXTUAL_ANIMATIONS": "none",
    }
    return {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | own


def _take_terminal() -> None:
    """Make standard output the terminal that `/dev/tty` means."""
    fcntl.ioctl(1, termios.TIOCSCTTY, 0)

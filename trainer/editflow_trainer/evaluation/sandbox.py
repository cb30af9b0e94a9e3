"""Runs a program that nobody vouches for, in a process of its own with limits on time, memory and files.

The limits hold off accidents, such as an endless loop or a list without end. They are no jail: the network,
the user's files and processes that leave their group stay within reach, so only programs that a person
asked for are run.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import IO

from editflow_trainer.evaluation.limits import NO_LIMITS

TIMEOUT_S = 5
MEMORY_MB = 1024
WALL_S = 60  # for a program that waits; long enough that a busy machine does not decide
_PROGRAM = "program.py"
_PYTHON = (sys.executable, "-P", "-s", "-B")
_ENVIRONMENT = {"PYTHONHASHSEED": "0"}  # all there is; hashes are fixed so that a run can be repeated
_LAUNCHER = Path(__file__).with_name("limits.py")


class Outcome(StrEnum):
    """How a program ended."""

    PASSED = "passed"  # it ran to its last line
    FAILED = "failed"  # it raised, exited early or was killed for what it did
    TIMEOUT = "timeout"
    ERROR = "error"  # the limits could not be set, so it was not run


def run_program(
    source: str,
    timeout_s: int = TIMEOUT_S,
    memory_mb: int = MEMORY_MB,
    files: Mapping[str, str] | None = None,
    output: IO[bytes] | None = None,
) -> Outcome:
    """Run Python source in an empty folder that holds `files` (text by relative path), and nothing else.

    What it prints goes to `output`, a file of the system; without one nowhere.

    `timeout_s` counts CPU seconds, so that a busy machine gives the same verdict; a program that waits is
    stopped after WALL_S seconds. `memory_mb` is address space in MiB.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        for path, text in (files or {}).items():
            _write(folder / path, text)
        # Exit status 0 proves nothing: a program may leave by itself before its tests have run.
        reached = folder / secrets.token_hex(16)
        _write(folder / _PROGRAM, f"{source}\n__import__('pathlib').Path({str(reached)!r}).touch()\n")
        status = _run(folder, timeout_s, memory_mb, output)
        return _outcome(status, finished=reached.exists())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def _run(folder: Path, timeout_s: int, memory_mb: int, output: IO[bytes] | None) -> int | None:
    """The exit status, None where it took too long; whatever is left of its process group is killed."""
    command = [*_PYTHON, str(_LAUNCHER), str(timeout_s), str(memory_mb), *_PYTHON, _PROGRAM]
    null = subprocess.DEVNULL
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_ENVIRONMENT,
        stdin=null,
        stdout=output or null,
        stderr=output or null,
        start_new_session=True,
    )
    try:
        return process.wait(WALL_S)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError, PermissionError):  # all gone; macOS refuses a group of the dead
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _outcome(status: int | None, *, finished: bool) -> Outcome:
    if status is None or status == -signal.SIGXCPU:
        return Outcome.TIMEOUT
    if status == NO_LIMITS and not finished:
        return Outcome.ERROR
    return Outcome.PASSED if finished and status == 0 else Outcome.FAILED

"""One training as a process of its own: the same command, apart from its launcher, which can be ended in order."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import FrameType
from typing import IO, Any

from editflow.document import shown
from editflow.errors import EditFlowError

COMPLETED = (0, 1)
"""Exit codes: an adapter was installed; it was not, since it is no better."""
COMMAND = (sys.executable, "-m", "editflow", "train")
PATIENCE = 60.0
"""Seconds that a training may take to keep its state when it is interrupted."""
NICEST = 19
PRINTED, LOG = "train.out", "train.log"
_LAST = 4096  # bytes of a log in which its last line is looked for
_LAUNCHER = re.compile(
    "(LOCAL_|GROUP_|ROLE_)?(RANK|WORLD_SIZE)|ROLE_NAME|MASTER_(ADDR|PORT)"
    "|(ACCELERATE|MV2_COMM_WORLD|OMPI_COMM_WORLD|PMI|PMIX|TORCHELASTIC)_.*"
)
"""Variables by which a training would join the processes beside it."""


@dataclass(frozen=True, slots=True)
class Place:
    """How a training runs beside others."""

    threads: int | None
    """Of a CPU, unless its options say otherwise; None leaves them to the environment."""
    gpu: str | None = None
    """The only one that it sees, as CUDA_VISIBLE_DEVICES names it; None leaves them as they are."""
    low: bool = False
    """Whether everything else on this machine goes first."""

    def environment(self, around: Mapping[str, str]) -> dict[str, str]:
        """The variables of a process that is nobody's rank."""
        kept = {name: value for name, value in around.items() if not _LAUNCHER.fullmatch(name)}
        own = {"OMP_NUM_THREADS": self.threads, "CUDA_VISIBLE_DEVICES": self.gpu}
        return kept | {name: str(value) for name, value in own.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Child:
    """A training that runs, or has ended."""

    process: subprocess.Popen[bytes]
    printed: Path
    log: Path
    """What it says while it runs."""

    @classmethod
    def start(
        cls,
        folder: Path,
        arguments: Sequence[str],
        notes: Path,
        place: Place,
        command: Sequence[str] = COMMAND,
    ) -> Child:
        """Train on the repository of a folder; what it prints and says goes to files in `notes`.

        Raises:
            EditFlowError: the process or its files cannot be made.
        """
        line = [*command, "--repo", str(folder), "--json", *arguments]
        printed, log = notes / PRINTED, notes / LOG
        try:
            with _private(printed) as output, _private(log) as said:
                process = subprocess.Popen(
                    line,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=said,
                    env=place.environment(os.environ),
                    **_apart(place.low),
                )
        except OSError as error:
            raise EditFlowError(f"no training can be started in {shown(notes)}: {error.strerror}") from error
        if place.low:
            _yield_to_others(process.pid)
        return cls(process, printed, log)

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        return self.process.poll()

    def result(self) -> dict[str, Any] | None:
        """What it printed, as `editflow train --json` does; None where it was not completed."""
        if self.poll() not in COMPLETED:
            return None
        try:
            found = json.loads(self.printed.read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def problem(self) -> str:
        """The last line that it said, for people."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LAST))
            lines = log.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1].removeprefix("editflow: ") if said else f"it ended with code {self.poll()}"

    def end(self) -> None:
        """Interrupt it, wait until it has kept its state, and insist where it takes too long."""
        for urge in (signal.SIGINT, signal.SIGTERM):
            if self.poll() is None:
                _signal(self.process, urge)
                try:
                    self.process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    continue
        if self.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def ended_by_signals() -> Iterator[Event]:
    """Set by Ctrl-C, by a request to end, and by the end of the terminal; the handlers of before come back."""
    asked = Event()
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    kept = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in names)}

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    for number in kept:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def threads_of(parts: int, variables: Mapping[str, str]) -> int | None:
    """Threads of one of so many trainings at a time; None where OMP_NUM_THREADS says it, unless torchrun set that."""
    if "OMP_NUM_THREADS" in variables and "TORCHELASTIC_RUN_ID" not in variables:
        return None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores // parts)


def _apart(low: bool) -> dict[str, Any]:
    """A process group of its own, so that Ctrl-C reaches it once, from here."""
    if sys.platform == "win32":
        priority = subprocess.BELOW_NORMAL_PRIORITY_CLASS if low else 0
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | priority}
    return {"process_group": 0}


def _yield_to_others(pid: int) -> None:
    """The lowest priority for computing and, where the system knows it, for reading and writing."""
    if sys.platform != "win32":
        os.setpriority(os.PRIO_PROCESS, pid, NICEST)
        if ionice := shutil.which("ionice"):
            subprocess.run([ionice, "-c", "3", "-p", str(pid)], capture_output=True)


def _private(path: Path) -> IO[bytes]:
    """The file, emptied, for its owner alone."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """To all processes of its group."""
    if sys.platform == "win32":
        process.terminate()
    else:
        os.killpg(process.pid, number)

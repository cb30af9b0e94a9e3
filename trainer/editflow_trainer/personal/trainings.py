"""Trainings of several repositories, some at a time, each in a process of its own, and what came of each."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import Any

from editflow.errors import EditFlowError
from editflow_trainer.personal.child import Child
from editflow_trainer.personal.options import Target

FAILED, INTERRUPTED = 2, 130
POLL = 0.2  # seconds
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one repository."""

    name: str
    said: str
    """The decision with its reason, or why there is none."""
    code: int = 0
    """0 if a training was completed, whatever was decided, else FAILED or INTERRUPTED."""
    seconds: float = 0.0
    result: Mapping[str, Any] | None = None
    """As `editflow train --json` prints it; None where no training was completed."""


@dataclass(slots=True)
class _Running:
    """A training and when it began."""

    target: Target
    child: Child
    began: float

    def row(self) -> Row:
        """What came of it, now that it has ended."""
        seconds, result = time.monotonic() - self.began, self.child.result()
        if result is None:
            return Row(self.target.name, self.child.problem(), FAILED, seconds)
        decided = f"{result['adapter']} is installed" if result["installed"] else "nothing is installed"
        return Row(self.target.name, f"{decided}: {result['reason']}", 0, seconds, result)


class Trainings:
    """Trainings that wait for one of `jobs` slots; one that fails does not end the others."""

    def __init__(self, start: Callable[[Target, int], Child], jobs: int, say: Say) -> None:
        self._start, self._jobs, self._say = start, jobs, say
        self._running: dict[int, _Running] = {}
        self._rows: dict[str, Row] = {}

    def run(self, targets: Sequence[Target], stop: Event) -> dict[str, Row]:
        """The rows by root commit, once all have ended or `stop` is set and those that run are interrupted."""
        waiting = deque(targets)
        try:
            while (waiting or self._running) and not stop.is_set():
                for slot in range(self._jobs):
                    if waiting and slot not in self._running:
                        self._begin(waiting.popleft(), slot)
                time.sleep(POLL)
                self._collect()
        finally:
            self._interrupt()
        for target in waiting:
            self._rows[target.root] = Row(target.name, "interrupted before it began", INTERRUPTED)
        return self._rows

    def _begin(self, target: Target, slot: int) -> None:
        self._say(f"{target.name}: training")
        try:
            self._running[slot] = _Running(target, self._start(target, slot), time.monotonic())
        except EditFlowError as error:
            self._end(target, Row(target.name, str(error), FAILED))

    def _collect(self) -> None:
        for slot, one in list(self._running.items()):
            if one.child.poll() is not None:
                del self._running[slot]
                self._end(one.target, one.row())

    def _interrupt(self) -> None:
        """End all at once, each in order."""
        with ThreadPoolExecutor(self._jobs) as pool:
            list(pool.map(lambda one: one.child.end(), self._running.values()))
        for one in self._running.values():
            row = Row(
                one.target.name, "interrupted: --resume goes on", INTERRUPTED, time.monotonic() - one.began
            )
            self._end(one.target, row)
        self._running.clear()

    def _end(self, target: Target, row: Row) -> None:
        self._rows[target.root] = row
        self._say(f"{row.name}: {row.said}")

"""Runs fixes for the reviewer out of its process: what happens arrives as events on the loop of the screen.

At most one fix and one look at suspicion run for a key, such as a file's number: a newer one takes the place of the
older, which is heard of no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editflow.errors import EditFlowError

if TYPE_CHECKING:
    from editflow.adapters.choice import Chosen
    from editflow.document import Document
    from editflow.request import Request
    from editflow.resident.client import EngineChoice, EngineStatus
    from editflow.step import Step


@dataclass(frozen=True, slots=True)
class Stepped:
    """A fix has come further."""

    key: int
    step: Step
    model: str | None = None
    """Which model made the step, with its adapter."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A fix is over; without an error its last step was `done`."""

    key: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Suspected:
    """Where an edit seems due: (start, end, probability) in characters of the document, in order."""

    key: int
    spans: tuple[tuple[int, int, float], ...]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EngineChanged:
    """The engine is in another state."""

    status: EngineStatus


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that a person should know; it is told once."""

    words: str


RunnerEvent = Stepped | Ended | Suspected | EngineChanged | Noted

Find = Callable[[Path | None], "Chosen"]
"""The adapter for a file, or why there is none; may take its time, and raise EditFlowError."""


class Runner:
    """One resident engine, used from the thread of one asyncio loop."""

    def __init__(
        self,
        choice: EngineChoice,
        post: Callable[[RunnerEvent], None],
        *,
        daemon: bool = True,
        find: Find | None = None,
    ) -> None:
        """Nothing is started yet.

        `daemon`: share this user's engine, or else have a private one as a child. `find` is called in threads, for
        every job anew; None uses no adapter.
        """
        # A tenth of a second, spent after the first screen.
        from platformdirs import user_log_path

        from editflow.resident.client import ResidentEngine

        self._post, self._find = post, find
        self._noted: set[str] = set()
        self._engine = ResidentEngine(
            choice,
            daemon=daemon,
            log=user_log_path("editflow") / "reviewer.log",  # standard error is the screen
            on_status=lambda status: post(EngineChanged(status)),
        )
        self._fixes: dict[int, asyncio.Task[None]] = {}
        self._looks: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def fix(self, key: int, request: Request) -> None:
        """Start a fix in place of the key's earlier one."""
        _stop(self._fixes, key)
        self._fixes[key] = self._spawn(self._fix(key, request))

    def suspect(self, key: int, document: Document) -> None:
        """Ask where an edit seems due in place of the key's earlier question."""
        _stop(self._looks, key)
        self._looks[key] = self._spawn(self._look(key, document))

    def cancel(self, key: int) -> None:
        """Stop what runs for a key; nothing more is posted about it."""
        _stop(self._fixes, key)
        _stop(self._looks, key)

    async def close(self) -> None:
        """Stop everything and hang up; a private engine ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._engine.close()

    async def _fix(self, key: int, request: Request) -> None:
        job = error = None
        try:
            job = self._engine.start(request, await self._adapter(request.document))
            async for step in job:
                self._post(Stepped(key, step, job.model))
        except EditFlowError as failure:
            error = str(failure)
        finally:
            if job is not None:
                job.cancel()
        self._post(Ended(key, error))

    async def _look(self, key: int, document: Document) -> None:
        try:
            adapter = await self._adapter(document)
            event = Suspected(key, tuple(await self._engine.suspicion(document, adapter=adapter)))
        except EditFlowError as failure:
            event = Suspected(key, (), str(failure))
        self._post(event)

    async def _adapter(self, document: Document) -> Path | None:
        """The folder of the adapter for a document."""
        if self._find is None:
            return None
        chosen = await asyncio.to_thread(self._find, document.path)
        if chosen.problem and chosen.problem not in self._noted:
            self._noted.add(chosen.problem)
            self._post(Noted(chosen.problem))
        return None if chosen.adapter is None else chosen.adapter.folder

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _stop(tasks: dict[int, asyncio.Task[None]], key: int) -> None:
    if task := tasks.pop(key, None):
        task.cancel()

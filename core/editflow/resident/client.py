"""The resident engine as a surface sees it: jobs go in, steps come out, and a host is started when one is needed.

Nothing here imports torch. Everything runs on one asyncio loop, in whose thread the methods are called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path
from typing import Any

from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.request import Request
from editflow.resident.crashes import MANY, PAUSE, Crashes
from editflow.resident.launch import STANDARD_ERROR, reach_daemon, spawn_private
from editflow.resident.link import Link, LinkError
from editflow.resident.payloads import (
    adapter_to_json,
    document_to_json,
    request_to_json,
    status_from_json,
)
from editflow.resident.place import EngineChoice, daemon_possible, place_of
from editflow.resident.remote import RemoteJob, RemoteSpans, Span
from editflow.resident.status import EngineStatus, StatusKind
from editflow.resident.wire import Message, WireError, pack

__all__ = ["EngineChoice", "EngineStatus", "RemoteJob", "ResidentEngine", "StatusKind"]

STOPPED = "the engine stopped while fixing; it is started again for the next fix"
RESTARTS = "the engine stopped; it is started again for the next fix"


def _ignore(_status: EngineStatus) -> None:
    """For a surface that shows no status."""


class ResidentEngine:
    """One warm engine, shared with this user's other windows (`daemon`) or a private child process."""

    def __init__(
        self,
        choice: EngineChoice,
        *,
        daemon: bool = True,
        log: Path | None = None,
        on_status: Callable[[EngineStatus], None] = _ignore,
    ) -> None:
        """Nothing is started yet; `on_status` is called on the loop's thread. No daemon without unix sockets.

        A private engine's messages go into `log`, or to standard error; the daemon has a log of its own.
        """
        self._choice, self._daemon = choice, daemon and daemon_possible()
        self._on_status = on_status
        self._opening = asyncio.Lock()
        self._link: Link | None = None
        self._said_goodbye = self._closed = False
        self._crashes, self._private_log = Crashes(), log
        self._told_log = str(log or STANDARD_ERROR)
        self._numbers = count(1)
        self._pending: dict[int, RemoteJob | RemoteSpans] = {}
        self._sent: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def warm(self) -> None:
        """Connect, starting a host if need be, and ask it to load the model; it is not waited for.

        What fails becomes a status.
        """
        try:
            link = await self._connected()
        except EditFlowError:
            return  # told as a status
        link.send(pack({"type": "warm"}))

    def start(self, request: Request, adapter: Path | None = None) -> RemoteJob:
        """Start a fix, with the adapter in a folder if one is given, and return at once.

        A host is started if need be. An adapter that cannot be used fails the fix.
        """
        number = next(self._numbers)
        job = RemoteJob(request, lambda: self._cancel(number))
        self._submit(number, job, adapter, lambda: {"type": "fix", "request": request_to_json(request)})
        return job

    async def suspicion(
        self, document: Document, lines: tuple[int, int] | None = None, adapter: Path | None = None
    ) -> list[Span]:
        """(start, end, probability that an edit is due) of every token; EditFlowError if it fails."""
        number, answer = next(self._numbers), RemoteSpans()
        body = {"type": "suspicion", "document": document_to_json(document), "lines": lines}
        self._submit(number, answer, adapter, lambda: body)
        try:
            return await answer.spans
        finally:
            self._cancel(number)

    async def close(self) -> None:
        """End all jobs and hang up; a private host ends too."""
        self._closed = True
        for number in list(self._pending):
            self._finish(number, None)
        link, self._link = self._link, None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if link is not None:
            await link.close()

    def _submit(
        self,
        number: int,
        job: RemoteJob | RemoteSpans,
        adapter: Path | None,
        message: Callable[[], Message],
    ) -> None:
        self._pending[number] = job
        envelope = {"job": number, "adapter": adapter_to_json(adapter)}
        self._spawn(self._send(number, lambda: message() | envelope))

    async def _send(self, number: int, message: Callable[[], Message]) -> None:
        try:
            data = pack(message())
            link = await self._connected()
        except EditFlowError as error:
            self._finish(number, error)
            return
        if number in self._pending:  # and not cancelled meanwhile
            self._sent.add(number)
            link.send(data)

    def _cancel(self, number: int) -> None:
        if number in self._sent and self._link is not None:
            self._link.send(pack({"type": "cancel", "job": number}))
        else:
            self._finish(number, None)

    def _finish(self, number: int, error: EditFlowError | None) -> None:
        self._sent.discard(number)
        if job := self._pending.pop(number, None):
            job.finish(error)

    async def _connected(self) -> Link:
        """The link to the host, made if there is none; what fails becomes a status and is raised."""
        async with self._opening:
            if self._link is None:
                try:
                    self._link = await self._open()
                except EditFlowError as error:
                    self._on_status(EngineStatus(StatusKind.error, message=str(error)))
                    raise
                self._spawn(self._listen(self._link))
            return self._link

    async def _open(self) -> Link:
        if self._closed:
            raise LinkError("the engine was closed")
        if self._crashes.too_many:
            raise LinkError(self._complaint())
        self._on_status(EngineStatus(StatusKind.loading, message="starting the engine"))
        try:
            if self._daemon:
                self._told_log = str(place_of(self._choice).log)
                return await reach_daemon(self._choice)
            return await spawn_private(self._choice, self._private_log)
        except LinkError:
            self._crashes.record()
            raise
        except OSError as error:
            raise LinkError(f"the engine cannot be started: {error.strerror}") from error

    async def _listen(self, link: Link) -> None:
        """Receive until the connection ends."""
        self._said_goodbye = False
        try:
            while (message := await link.read()) is not None:
                self._receive(message)
        except WireError:
            self._said_goodbye = False  # not understood: as good as gone
        finally:
            if not self._closed:
                self._lost()
                await link.close()

    def _receive(self, message: Message) -> None:
        match message["type"]:
            case "status":
                self._on_status(status_from_json(message["status"]))
            case "bye":
                self._said_goodbye = True
            case "end":
                error = message["error"]
                self._finish(message["job"], None if error is None else EditFlowError(error))
            case "step" | "spans":
                if job := self._pending.get(message["job"]):
                    job.receive(message)
                if message["done"]:
                    self._sent.discard(message["job"])
                    self._pending.pop(message["job"], None)

    def _lost(self) -> None:
        """The host is gone: what it worked on has failed, and the next job starts it again."""
        self._link = None
        for number in list(self._sent):
            self._finish(number, EditFlowError(STOPPED))
        if self._said_goodbye:
            self._on_status(EngineStatus(StatusKind.inactive, message=RESTARTS))
            return
        self._crashes.record()
        if self._crashes.too_many:
            self._on_status(EngineStatus(StatusKind.error, message=self._complaint()))
        else:
            self._on_status(EngineStatus(StatusKind.warning, message=RESTARTS))

    def _complaint(self) -> str:
        often = f"the engine stopped {MANY} times in a minute"
        return f"{often}: see {self._told_log}; it is tried again after {PAUSE:g} s"

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

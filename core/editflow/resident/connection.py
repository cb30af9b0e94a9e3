"""The host's end of one connection: hello, then jobs in and their messages out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol

from editflow.errors import EditFlowError
from editflow.resident import job as jobs
from editflow.resident.job import Job, Work
from editflow.resident.log import log, log_failure, readable
from editflow.resident.payloads import (
    adapter_from_json,
    document_from_json,
    lines_from_json,
    request_from_json,
)
from editflow.resident.report import Report
from editflow.resident.runner import Runner
from editflow.resident.status import EngineStatus
from editflow.resident.wire import (
    HELLO_TIMEOUT,
    Message,
    WireError,
    check_hello,
    hello,
    pack,
    read_message,
)

CROWDED = 1024 * 1024
"""Bytes that wait for a slow reader; beyond them, steps are left out."""
OVERFULL = 64 * 1024 * 1024
"""Bytes that wait for a reader that does not read; beyond them it is hung up on."""


class Host(Protocol):
    """The part of the host that a connection needs."""

    runner: Runner

    def report(self) -> Report: ...

    def stop(self) -> None: ...


class Connection:
    """One client and its jobs. All but `post` runs on the loop's thread."""

    def __init__(self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host, self._reader, self._writer = host, reader, writer
        self._loop = asyncio.get_running_loop()
        self._jobs: dict[int, Job] = {}

    async def shake_hands(self) -> bool:
        """Exchange hellos; False, after saying why, where the other side is of another kind."""
        self.write(hello())
        try:
            message = await asyncio.wait_for(read_message(self._reader), HELLO_TIMEOUT)
            if message is not None:
                check_hello(message)
        except (WireError, TimeoutError) as error:
            log_failure("a hello", error)
            return False
        return message is not None

    async def attend(self) -> None:
        """Do what the client asks until it leaves or is not understood; then its jobs are cancelled."""
        try:
            while (message := await read_message(self._reader)) is not None:
                self._obey(message)
        except WireError as error:
            log_failure("a message", error)
        finally:
            for job in list(self._jobs.values()):
                self._host.runner.cancel(self, job)

    def tell(self, status: EngineStatus) -> None:
        """Send a status."""
        self.write({"type": "status", "status": asdict(status)})

    def write(self, message: Message) -> None:
        """Send a message."""
        self._write(pack(message), droppable=False)

    def close(self) -> None:
        """Send what is written already, as far as the client reads it, and hang up."""
        self._writer.close()

    def _obey(self, message: Message) -> None:
        match message["type"]:
            case "fix":
                self._accept(message, lambda: jobs.fix(request_from_json(message["request"])))
            case "suspicion":
                self._accept(message, lambda: _suspicion(message))
            case "cancel":
                self._cancel(message)
            case "warm":
                self._host.runner.submit(self, Job(None, jobs.warm, self._post))
            case "report":
                self.write({"type": "report", "report": asdict(self._host.report())})
            case "stop":
                self._host.stop()
            case other:
                raise WireError(f"a message of an unknown type: {other}")

    def _accept(self, message: Message, make: Callable[[], Work]) -> None:
        """Start a job; WireError if the message is not what a client of this version sends."""
        number = message.get("job")
        if not isinstance(number, int) or number in self._jobs:
            raise WireError("a job without a number of its own")
        try:
            job = Job(number, make(), self._post, adapter_from_json(message["adapter"]))
        except EditFlowError as error:
            self.write({"type": "end", "job": number, "error": readable(error)})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WireError("a job that cannot be read") from error
        else:
            self._jobs[number] = job
            self._host.runner.submit(self, job)

    def _cancel(self, message: Message) -> None:
        job = self._jobs.get(message["job"]) if isinstance(message.get("job"), int) else None
        if job is not None:
            self._host.runner.cancel(self, job)

    def _post(self, message: Message) -> None:
        """Send a job's message, from any thread; it is made into bytes on the engine's."""
        last = message["type"] == "end" or message["done"]
        self._loop.call_soon_threadsafe(self._deliver, message["job"], pack(message), last)

    def _deliver(self, number: int, data: bytes, last: bool) -> None:
        if last:
            self._jobs.pop(number, None)
        self._write(data, droppable=not last)

    def _write(self, data: bytes, *, droppable: bool) -> None:
        waiting = self._writer.transport.get_write_buffer_size()
        if self._writer.is_closing() or (droppable and waiting > CROWDED):
            return
        self._writer.write(data)
        if waiting + len(data) > OVERFULL:
            log.warning("a client does not read: its connection is closed")
            self._writer.transport.abort()


def _suspicion(message: Message) -> Work:
    return jobs.suspicion(document_from_json(message["document"]), lines_from_json(message["lines"]))

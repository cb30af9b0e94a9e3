"""The host: accepts the connections of one user, runs their jobs in turn, and leaves when it is no longer needed."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from editflow.resident.connection import Connection
from editflow.resident.job import Load
from editflow.resident.log import log, log_failure, log_loop_failure
from editflow.resident.peer import PeerError, check_peer
from editflow.resident.report import Report, memory_in_use
from editflow.resident.runner import Runner
from editflow.resident.status import EngineStatus, StatusKind

IDLE_EXIT = 300.0
"""Seconds without a connection after which the host leaves."""
UNLOAD_AFTER = 1800.0
"""Seconds without a job after which the model is dropped."""
_GOODBYE = 1.0
"""Seconds that leaving waits for clients to read, and then for the pass at work."""


class Host:
    """One engine and its connections, for the time of one `serve`."""

    def __init__(
        self,
        load: Load,
        device: str = "auto",
        *,
        idle_exit: float = IDLE_EXIT,
        unload_after: float = UNLOAD_AFTER,
    ) -> None:
        """`load` is called with `device`, on the engine's thread, when the first job comes."""
        self.runner = Runner(load, device, self._hear, unload_after=unload_after)
        self._idle_exit = idle_exit
        self._status = EngineStatus(StatusKind.inactive)
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._started = time.monotonic()
        self._stopped = asyncio.Event()
        self._leaving: asyncio.TimerHandle | None = None

    async def serve(self, listener: socket.socket) -> None:
        """Serve a listening unix socket until stopped, or idle for long enough; its path is removed then."""
        path = Path(listener.getsockname())
        inode = path.stat().st_ino
        async with self._running():
            server = await asyncio.start_unix_server(self._welcome, sock=listener)
            self._rest()
            await self._stopped.wait()
            # While it listens nobody takes the socket for dead, so that what lies at the path is ours to remove.
            if path.exists() and path.stat().st_ino == inode:
                path.unlink()
            server.close()

    async def serve_one(self, connection: socket.socket) -> None:
        """Serve one client, until it leaves."""
        async with self._running():
            reader, writer = await asyncio.open_connection(sock=connection)
            talk = asyncio.create_task(self._talk(Connection(self, reader, writer)))
            talk.add_done_callback(lambda _: self.stop())
            await self._stopped.wait()

    def stop(self) -> None:
        """Leave, after saying so to every client. On the loop's thread."""
        self._stopped.set()

    def report(self) -> Report:
        """What this host is now, as seen by one of its connections."""
        known, others = self._status, len(self._connections) - 1
        uptime = time.monotonic() - self._started
        kind, model, device = known.kind, known.model, known.device
        return Report(os.getpid(), kind, model, device, others, known.queue, uptime, memory_in_use())

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        """The engine's thread runs; on the way out clients are told, and a pass at work may end."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(log_loop_failure)
        self.runner.start()
        log.info("started")
        try:
            yield
        finally:
            self.runner.stop()
            for connection in self._connections:
                connection.write({"type": "bye"})
                connection.close()
            if self._connections:
                await asyncio.wait(self._connections.values(), timeout=_GOODBYE)
            await asyncio.to_thread(self.runner.join, _GOODBYE)
            log.info("stopped")

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            check_peer(writer.get_extra_info("socket"))
        except PeerError as error:
            log_failure("a connection", error)
            writer.transport.abort()
            return
        if self._stopped.is_set():  # before any hello, so that the client knows to try again
            writer.transport.abort()
            return
        await self._talk(Connection(self, reader, writer))

    async def _talk(self, connection: Connection) -> None:
        """One connection from hello to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._connections[connection] = task
        self._rest()
        try:
            if await connection.shake_hands():
                connection.tell(self._status)
                await connection.attend()
        finally:
            del self._connections[connection]
            connection.close()
            self._rest()

    def _rest(self) -> None:
        """Leave when nobody was here for a while."""
        if self._leaving is not None:
            self._leaving.cancel()
        if not self._connections:
            self._leaving = self._loop.call_later(self._idle_exit, self.stop)

    def _hear(self, status: EngineStatus) -> None:
        """A status from the runner, on any thread."""
        self._loop.call_soon_threadsafe(self._tell, status)

    def _tell(self, status: EngineStatus) -> None:
        if status != self._status:
            self._status = status
            for connection in self._connections:
                connection.tell(status)

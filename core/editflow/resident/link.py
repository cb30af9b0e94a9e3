"""A surface's end of a connection to the host, with hellos exchanged."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from pathlib import Path

from editflow.errors import EditFlowError
from editflow.resident.peer import check_peer
from editflow.resident.wire import HELLO_TIMEOUT, Message, check_hello, hello, pack, read_message

_PARTING = 3.0
"""Seconds that a private host has to end by itself."""


class LinkError(EditFlowError):
    """The engine cannot be reached."""


class LeavingError(LinkError):
    """The host hung up before its hello: it was about to leave."""


class Link:
    """Messages to and from one host, and its process where it is a private child."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, process: Process | None = None
    ) -> None:
        self._reader, self._writer, self._process = reader, writer, process

    @classmethod
    async def dial(cls, path: Path) -> Link | None:
        """Connect to a host's socket; None where nobody listens, LinkError or PeerError where it is no use."""
        try:
            reader, writer = await asyncio.open_unix_connection(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise LinkError(f"{path}: {error.strerror}") from error
        link = cls(reader, writer)
        try:
            check_peer(writer.get_extra_info("socket"))
            await link.shake_hands()
        except EditFlowError:
            await link.close()
            raise
        return link

    async def shake_hands(self) -> None:
        """Exchange hellos."""
        self.send(pack(hello()))
        try:
            message = await asyncio.wait_for(read_message(self._reader), HELLO_TIMEOUT)
        except TimeoutError as error:
            raise LinkError("the engine does not answer: run editflow daemon stop, or end it") from error
        if message is None:
            raise LeavingError("the engine hung up: try again")
        check_hello(message)

    def send(self, data: bytes) -> None:
        """Send a packed message; to nobody where the connection is lost, which `read` tells."""
        if not self._writer.is_closing():
            self._writer.write(data)

    async def read(self) -> Message | None:
        """The next message, or None at the end of the connection."""
        return await read_message(self._reader)

    async def close(self) -> None:
        """Hang up; a private host ends with that, or is ended."""
        self._writer.close()
        if self._process is None:
            try:
                await self._writer.wait_closed()
            except ConnectionError:
                return  # closed from the other side
        else:
            try:
                await asyncio.wait_for(self._process.wait(), _PARTING)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

"""Carries messages between a client and the server over two byte streams, until either side ends it.

A thread of its own reads, so that no handler can keep a cancellation from being read; the outbox's thread writes; one
asyncio loop does everything between. A message is handed over when the one before it was taken: what waits stays in
the pipe.
"""

import asyncio
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, BinaryIO

from pygls.lsp.server import LanguageServer

from editflow.errors import EditFlowError
from editflow.failure import describe
from editflow_lsp.log import log_failure, logger
from editflow_lsp.outbox import Outbox
from editflow_lsp.protocol import EditFlowProtocol

MESSAGE_LIMIT = 64 * 1024 * 1024  # bytes of one message's body
LINE_LIMIT = 8 * 1024  # bytes kept of a header line that does not end
CHUNK = 64 * 1024
# Searched for anywhere in a line: after a broken message the next header follows on the same line.
CONTENT_LENGTH = re.compile(rb"(?<![\w-])content-length[ \t]*:[ \t]*(\d+)$", re.IGNORECASE)


class MessageTooLarge(EditFlowError):
    """A message above the limit was announced; nothing sensible can follow on that stream."""


class Frames:
    """Cuts a stream of bytes into message bodies; lines that are no `Content-Length` header are skipped.

    Raises MessageTooLarge when a body above `MESSAGE_LIMIT` is announced.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._announced: int | None = None  # by a header; counts from the empty line on
        self._expected: int | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are complete with `data`, in order."""
        self._buffer += data
        while (body := self._next_body()) is not None:
            yield body

    def _next_body(self) -> bytes | None:
        while self._expected is None:
            if (line := self._next_line()) is None:
                return None
            self._read_header(line.strip())
        if len(self._buffer) < self._expected:
            return None
        body = self._take(self._expected)
        self._expected = None
        return body

    def _next_line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            del self._buffer[:-LINE_LIMIT]
            return None
        return self._take(end + 1)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _read_header(self, line: bytes) -> None:
        if not line:
            self._expected, self._announced = self._announced, None
        elif (match := CONTENT_LENGTH.search(line)) is not None:
            digits = match[1].lstrip(b"0") or b"0"
            if len(digits) > len(str(MESSAGE_LIMIT)) or int(digits) > MESSAGE_LIMIT:
                raise MessageTooLarge(
                    "a message of more than 64 MiB was announced; end the client and start again"
                )
            self._announced = int(digits)


def serve(server: LanguageServer, stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Runs the server on two streams until `exit`, the end of input, a lost client or a signal.

    Returns the process's exit code: 0 after `shutdown`, 1 without, 128 and the signal's number after a signal. The
    server's `protocol_cls` must be EditFlowProtocol, else TypeError.
    """
    protocol = server.protocol
    if not isinstance(protocol, EditFlowProtocol):
        raise TypeError("the server's protocol_cls must be EditFlowProtocol")
    return asyncio.run(_serve(protocol, stdin, stdout))


def claim_stdout() -> BinaryIO:
    """Standard output for the protocol alone: what else is printed from now on goes to standard error."""
    sys.stdout.flush()
    claimed = os.dup(1)
    os.dup2(2, 1)
    return _unbuffered(claimed, "wb")


def claim_stdin() -> BinaryIO:
    """Standard input for the protocol alone: who else reads it, a child process say, finds it empty."""
    claimed = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return _unbuffered(claimed, "rb")


def _unbuffered(descriptor: int, mode: str) -> BinaryIO:
    # A buffered stream has a lock; a thread blocked in it makes the interpreter abort when it ends.
    if os.name == "posix":
        os.set_blocking(descriptor, True)
    stream: Any = open(descriptor, mode, buffering=0)  # noqa: SIM115 (lives as long as the process)
    return stream  # type: ignore[no-any-return]


async def _serve(protocol: EditFlowProtocol, stdin: BinaryIO, stdout: BinaryIO) -> int:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_loop_error)
    ended: asyncio.Future[int] = loop.create_future()

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    def lost(reason: str) -> None:
        logger.warning("%s", reason)
        _call_soon(loop, lambda: end(protocol.exit_code))

    outbox = Outbox(stdout, on_broken=lost)
    protocol.set_writer(outbox)
    protocol.on_exit = end
    _end_on_signals(loop, end)
    _Reader(stdin, loop, protocol.receive, lambda: end(protocol.exit_code)).start()
    try:
        return await ended
    finally:
        _finish(protocol)
        await _cancel_tasks()
        outbox.close()


def _finish(protocol: EditFlowProtocol) -> None:
    try:
        protocol.end()
    except Exception as error:
        log_failure(error)


async def _cancel_tasks() -> None:
    """Cancels every task and waits a moment, so that each can still say how it ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=1)
    await asyncio.sleep(0)  # for the callbacks that answer, also of what ended just now


class _Reader(threading.Thread):
    """Reads messages and has the loop take them, one after the other, then calls `on_end` there."""

    def __init__(
        self,
        stream: BinaryIO,
        loop: asyncio.AbstractEventLoop,
        receive: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(name="reader", daemon=True)
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._loop = loop
        self._receive = receive
        self._on_end = on_end
        self._taken = threading.Semaphore(0)

    def run(self) -> None:
        try:
            self._read_all()
        except (OSError, ValueError):  # ValueError: the stream was closed here
            logger.warning("the input cannot be read")
        except MessageTooLarge as error:
            logger.error("%s", error)
        _call_soon(self._loop, self._on_end)

    def _read_all(self) -> None:
        frames = Frames()
        while chunk := self._read(CHUNK):
            for body in frames.feed(chunk):
                if not (_call_soon(self._loop, partial(self._take, body)) and self._wait()):
                    return

    def _wait(self) -> bool:
        while not self._taken.acquire(timeout=1):
            if self._loop.is_closed():
                return False
        return True

    def _take(self, body: bytes) -> None:
        try:
            self._receive(body)
        finally:
            self._taken.release()


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> bool:
    """Calls back on the loop's thread; False when the loop is closed."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback)
        return True
    return False


def _end_on_signals(loop: asyncio.AbstractEventLoop, end: Callable[[int], None]) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may handle signals
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: a signal ends the process as it is
            loop.add_signal_handler(number, end, 128 + number)


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    logger.error(
        "a callback failed: %s", describe(error) if isinstance(error, BaseException) else "no exception"
    )

"""Everything that goes to the client, written by one thread, so that a client that stops reading blocks nobody.

Answers are never dropped and keep their order. A replaceable message (a step of the stream) gives way: a newer one
of the same key takes its place, and it is dropped while much is waiting.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

REPLACEABLE_LIMIT = 256 * 1024  # bytes waiting above which no further replaceable message is taken
WAITING_LIMIT = 64 * 1024 * 1024  # bytes waiting above which the client counts as gone


@dataclass(slots=True, eq=False)
class _Message:
    data: bytes
    key: str | None = None


class Outbox:
    """A queue of bytes before a stream, safe to use from any thread.

    `on_broken(reason)` is called once, from any thread, when the client is gone: its end is closed, or more than
    64 MiB wait for it. What is written from then on is ignored. The stream stays the caller's to close.
    """

    def __init__(self, stream: BinaryIO, *, on_broken: Callable[[str], None]) -> None:
        self._stream = stream
        self._on_broken = on_broken
        self._queue: deque[_Message] = deque()
        self._replaceable: dict[str, _Message] = {}
        self._waiting = 0  # bytes, with those of the message that is being written
        self._open = True
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Queues a message that is never dropped."""
        with self._changed:
            fits = self._waiting + len(data) <= WAITING_LIMIT
            if self._open and fits:
                self._append(_Message(data))
        if not fits:
            self._break("the client does not read: too much is waiting for it")

    def replace(self, key: str, data: bytes) -> None:
        """Queues a message in the place of the unwritten one of the same key, or drops it while 256 KiB wait."""
        with self._changed:
            if (unwritten := self._replaceable.get(key)) is not None:
                self._waiting += len(data) - len(unwritten.data)
                unwritten.data = data
            elif self._open and self._waiting <= REPLACEABLE_LIMIT:
                self._replaceable[key] = self._append(_Message(data, key))

    def discard(self, key: str) -> None:
        """Takes the unwritten replaceable message of this key back, if there is one."""
        with self._changed:
            if (unwritten := self._replaceable.pop(key, None)) is not None:
                self._queue.remove(unwritten)
                self._waiting -= len(unwritten.data)

    def close(self, timeout: float = 2.0) -> None:
        """Takes no more, and waits up to `timeout` seconds for the client to read what there is."""
        with self._changed:
            self._open = False
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    def _append(self, message: _Message) -> _Message:
        self._queue.append(message)
        self._waiting += len(message.data)
        self._changed.notify()
        return message

    def _run(self) -> None:
        while (message := self._take()) is not None:
            try:
                self._send(message.data)
            except (OSError, ValueError):  # ValueError: the stream was closed here
                self._break("the client closed its end of the connection")
                return
            with self._changed:
                self._waiting -= len(message.data)

    def _take(self) -> _Message | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or not self._open)
            if not self._queue:
                return None
            message = self._queue.popleft()
            if message.key is not None:
                del self._replaceable[message.key]
            return message

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:  # an unbuffered stream may take a part only
            view = view[self._stream.write(view) :]
        self._stream.flush()

    def _break(self, reason: str) -> None:
        with self._changed:
            was_open, self._open = self._open, False
            self._queue.clear()
            self._replaceable.clear()
            self._changed.notify()
        if was_open:
            self._on_broken(reason)

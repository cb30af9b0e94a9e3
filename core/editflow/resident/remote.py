"""What is under way in the resident engine, seen from a surface: a fix as an iterator of its steps, and spans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from editflow.errors import EditFlowError
from editflow.request import Request
from editflow.resident.payloads import step_from_json
from editflow.resident.wire import Message
from editflow.step import Step

Span = tuple[int, int, float]


class RemoteJob:
    """One fix: iterate it once for its steps, in the thread of the loop that it was started on."""

    def __init__(self, request: Request, ask_to_cancel: Callable[[], None]) -> None:
        """`ResidentEngine.start` makes these."""
        self.request = request
        self.model: str | None = None
        """Which model answers, with its adapter; None before the first step."""
        self._ask_to_cancel = ask_to_cancel
        self._changed = asyncio.Event()
        self._latest: Message | None = None
        self._cancelled = self._over = False
        self._error: EditFlowError | None = None

    async def __aiter__(self) -> AsyncIterator[Step]:
        """Yield the newest step whenever there is one that was not yielded, the one that is done last.

        A cancelled job yields no more, and ends when the host has stopped working on it. EditFlowError if it fails.
        """
        while not self._over or self._latest is not None:
            await self._changed.wait()
            self._changed.clear()
            message, self._latest = self._latest, None
            if message is not None and not self._cancelled:
                yield self._step(message)
        if self._error is not None and not self._cancelled:
            raise self._error

    def cancel(self) -> None:
        """Stop it; nothing happens if it is over or was cancelled."""
        if not self._cancelled and not self._over:
            self._ask_to_cancel()
        self._cancelled = True

    def receive(self, message: Message) -> None:
        """A step from the host."""
        self._latest, self._over = message, message["done"]
        self._changed.set()

    def finish(self, error: EditFlowError | None) -> None:
        """There is nothing more to come."""
        self._over, self._error = True, error
        self._changed.set()

    def _step(self, message: Message) -> Step:
        try:
            self.model = message["model"]
            return step_from_json(message, self.request.document)
        except (KeyError, TypeError, ValueError) as error:
            raise EditFlowError("the engine sent a step that does not fit its document") from error


class RemoteSpans:
    """The answer to where an edit seems due."""

    def __init__(self) -> None:
        self.spans: asyncio.Future[list[Span]] = asyncio.get_running_loop().create_future()

    def receive(self, message: Message) -> None:
        """The spans from the host."""
        if not self.spans.done():
            self.spans.set_result([(start, end, rate) for start, end, rate in message["spans"]])

    def finish(self, error: EditFlowError | None) -> None:
        """There is nothing more to come."""
        if not self.spans.done():
            self.spans.set_exception(error or EditFlowError("the engine was closed"))

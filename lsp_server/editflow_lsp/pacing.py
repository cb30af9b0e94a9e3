"""Holds a stream of values to a rate: the first goes out at once, then the latest one whenever the interval is over."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Pacer(Generic[T]):
    """Sends at most `hz` values a second, latest wins; to be used on one running asyncio loop.

    Raises ValueError when `hz` is not positive.
    """

    def __init__(self, hz: float, send: Callable[[T], None]) -> None:
        if not hz > 0:
            raise ValueError("hz must be positive")
        self._interval = 1 / hz
        self._send = send
        self._next_time = float("-inf")  # of the loop's clock, in seconds
        self._timer: asyncio.TimerHandle | None = None
        self._latest: T

    def offer(self, value: T) -> None:
        """Sends the value at once when the interval is over, else keeps it as the one to send then."""
        self._latest = value
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        if loop.time() >= self._next_time:
            self._send_latest()
        else:
            self._timer = loop.call_at(self._next_time, self._send_latest)

    def flush(self) -> None:
        """Sends the kept value now, if there is one."""
        if self._timer is not None:
            self._send_latest()

    def drop(self) -> None:
        """Forgets the kept value, if there is one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            del self._latest

    def _send_latest(self) -> None:
        value = self._latest
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        del self._latest
        self._next_time = asyncio.get_running_loop().time() + self._interval
        self._send(value)

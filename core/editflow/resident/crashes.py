"""When an engine that keeps crashing may be started again."""

from collections import deque
from collections.abc import Callable
from time import monotonic

MANY = 3
WITHIN = 60.0
"""Seconds."""
PAUSE = 30.0
"""Seconds."""


class Crashes:
    """Three crashes in a minute make a pause of half a minute, and so does each one more."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._times: deque[float] = deque(maxlen=MANY)

    def record(self) -> None:
        """The engine crashed now."""
        self._times.append(self._clock())

    @property
    def too_many(self) -> bool:
        """Whether it must not be started now."""
        if len(self._times) < MANY:
            return False
        first, last = self._times[0], self._times[-1]
        return last - first <= WITHIN and self._clock() < last + PAUSE

"""The pacer sends at once, then no oftener than its rate, and always the latest value; on a clock of the test's own."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_lsp.pacing import Pacer

HZ = 20.0
INTERVAL = 1 / HZ


class Clock(selectors.DefaultSelector):
    """A selector in which waiting takes no time but moves the clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.now += timeout or 0
        return super().select(0)


def run(scenario: Callable[["Sent"], Coroutine[Any, Any, None]]) -> "Sent":
    """Runs the scenario on a loop whose time is the clock's and whose callbacks do not fail."""
    clock = Clock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now  # type: ignore[method-assign]
    failures: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda loop, context: failures.append(context))
    sent = Sent(loop.time)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(scenario(sent))
    assert failures == []
    return sent


class Sent:
    """What was sent, and when."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.values: list[int] = []
        self.times: list[float] = []
        self.pacer: Pacer[int] = Pacer(HZ, self)
        self._now = now

    def __call__(self, value: int) -> None:
        self.values.append(value)
        self.times.append(self._now())


def test_the_first_value_goes_out_at_once_and_then_the_latest() -> None:
    async def scenario(sent: Sent) -> None:
        for value in range(5):
            sent.pacer.offer(value)
        assert sent.values == [0]
        await asyncio.sleep(1)

    sent = run(scenario)
    assert sent.values == [0, 4]
    assert sent.times == pytest.approx([0, INTERVAL])


@given(st.lists(st.floats(0, 3 * INTERVAL), max_size=30))
def test_the_rate_is_kept_and_the_last_value_arrives(pauses: list[float]) -> None:
    async def scenario(sent: Sent) -> None:
        for value, pause in enumerate(pauses):
            sent.pacer.offer(value)
            await asyncio.sleep(pause)
        await asyncio.sleep(1)

    sent = run(scenario)
    assert sent.values == sorted(set(sent.values))
    assert sent.values[-1:] == [len(pauses) - 1][: len(pauses)]
    gaps = [after - before for before, after in zip(sent.times, sent.times[1:], strict=False)]
    assert all(gap >= INTERVAL - 1e-6 for gap in gaps)


def test_after_a_pause_a_value_goes_out_at_once() -> None:
    async def scenario(sent: Sent) -> None:
        sent.pacer.offer(1)
        await asyncio.sleep(1.5 * INTERVAL)
        sent.pacer.offer(2)

    assert run(scenario).times == pytest.approx([0, 1.5 * INTERVAL])


def test_flush_sends_what_waits_once() -> None:
    async def scenario(sent: Sent) -> None:
        sent.pacer.flush()
        sent.pacer.offer(1)
        sent.pacer.flush()
        sent.pacer.offer(2)
        sent.pacer.flush()
        assert sent.values == [1, 2]
        await asyncio.sleep(1)

    assert run(scenario).values == [1, 2]


def test_drop_forgets_what_waits() -> None:
    async def scenario(sent: Sent) -> None:
        sent.pacer.drop()
        sent.pacer.offer(1)
        sent.pacer.offer(2)
        sent.pacer.drop()
        await asyncio.sleep(1)
        assert sent.values == [1]
        sent.pacer.offer(3)

    assert run(scenario).values == [1, 3]


def test_a_failing_send_reaches_who_offers_and_the_pacer_goes_on() -> None:
    class Unsent(Exception):
        pass

    def send(value: int) -> None:
        if value == 1:
            raise Unsent
        sent.append(value)

    sent: list[int] = []
    pacer: Pacer[int] = Pacer(HZ, send)

    async def scenario(_: Sent) -> None:
        with pytest.raises(Unsent):
            pacer.offer(1)
        await asyncio.sleep(1)
        pacer.offer(2)

    run(scenario)
    assert sent == [2]


@pytest.mark.parametrize("hz", [0, -1, float("nan")])
def test_the_rate_must_be_positive(hz: float) -> None:
    with pytest.raises(ValueError, match="hz"):
        Pacer[int](hz, lambda value: None)

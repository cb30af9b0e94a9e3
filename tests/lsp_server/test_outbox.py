"""The outbox keeps answers and their order, lets steps give way, and never makes its writer wait."""

import io
import os
import threading
from collections.abc import Iterator
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_lsp.outbox import REPLACEABLE_LIMIT, WAITING_LIMIT, Outbox


class Gate(io.BytesIO):
    """A stream whose writes wait until it is opened, and take half of what they are given."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.reached = threading.Event()

    def write(self, data: object) -> int:
        self.reached.set()
        assert self.open.wait(30)
        view = memoryview(data)  # type: ignore[arg-type]
        return super().write(view[: (len(view) + 1) // 2])


def fail(reason: str) -> None:
    raise AssertionError(reason)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def outbox(gate: Gate) -> Outbox:
    """An outbox whose thread is stuck writing `<>`."""
    outbox = Outbox(gate, on_broken=fail)
    outbox.write(b"<>")
    assert gate.reached.wait(10)
    return outbox


def written(gate: Gate, outbox: Outbox) -> bytes:
    gate.open.set()
    outbox.close(timeout=30)
    return gate.getvalue()


def test_messages_are_written_whole_and_in_order(gate: Gate, outbox: Outbox) -> None:
    for message in (b"one,", b"two,", b"", b"three"):
        outbox.write(message)
    assert written(gate, outbox) == b"<>one,two,three"


def test_a_replaceable_message_takes_the_place_of_the_one_before(gate: Gate, outbox: Outbox) -> None:
    outbox.replace("a", b"a1")
    outbox.write(b"answer")
    outbox.replace("b", b"b1")
    outbox.replace("a", b"a2!")
    assert written(gate, outbox) == b"<>a2!answerb1"


def test_a_message_that_is_being_written_is_not_replaced(gate: Gate) -> None:
    outbox = Outbox(gate, on_broken=fail)
    outbox.replace("a", b"first,")
    assert gate.reached.wait(10)
    outbox.replace("a", b"second")
    assert written(gate, outbox) == b"first,second"


def test_a_replaceable_message_is_taken_back(gate: Gate, outbox: Outbox) -> None:
    outbox.replace("a", b"a1")
    outbox.replace("b", b"a1")
    outbox.discard("b")
    outbox.discard("unknown")
    outbox.write(b".")
    assert written(gate, outbox) == b"<>a1."


def test_replaceable_messages_are_dropped_while_much_is_waiting(gate: Gate, outbox: Outbox) -> None:
    outbox.replace("early", b"early")
    answer = b"x" * REPLACEABLE_LIMIT
    outbox.write(answer)
    outbox.replace("late", b"late")
    outbox.replace("early", b"EARLY")
    outbox.write(b".")
    assert written(gate, outbox) == b"<>EARLY" + answer + b"."


def test_what_was_taken_back_no_longer_counts_as_waiting(gate: Gate, outbox: Outbox) -> None:
    outbox.replace("a", b"x" * (REPLACEABLE_LIMIT + 1))
    outbox.replace("b", b"dropped")
    outbox.discard("a")
    outbox.replace("b", b"kept")
    assert written(gate, outbox) == b"<>kept"


def test_a_message_that_grew_counts_as_it_is_now(gate: Gate, outbox: Outbox) -> None:
    outbox.replace("a", b"small")
    large = b"x" * (REPLACEABLE_LIMIT + 1)
    outbox.replace("a", large)
    outbox.replace("b", b"dropped")
    assert written(gate, outbox) == b"<>" + large


def test_what_was_written_no_longer_counts_as_waiting() -> None:
    reading, writing = os.pipe()
    with open(reading, "rb") as received, open(writing, "wb", buffering=0) as stream:
        outbox = Outbox(stream, on_broken=fail)
        answer = b"x" * REPLACEABLE_LIMIT
        outbox.write(answer)
        outbox.write(b".")
        assert received.read(len(answer) + 1) == answer + b"."
        outbox.replace("a", b"kept")
        assert received.read(4) == b"kept"
        outbox.close(timeout=30)


def test_a_client_that_never_reads_counts_as_gone(gate: Gate) -> None:
    reasons: list[str] = []
    outbox = Outbox(gate, on_broken=reasons.append)
    outbox.write(b"x" * WAITING_LIMIT)
    assert not reasons
    outbox.write(b"y")
    outbox.write(b"z")
    outbox.replace("a", b"a")
    assert reasons == ["the client does not read: too much is waiting for it"]


def test_a_closed_pipe_is_told_once() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    reasons: list[str] = []
    told = threading.Event()

    def broken(reason: str) -> None:
        reasons.append(reason)
        told.set()

    with open(writing, "wb", buffering=0) as stream:
        outbox = Outbox(stream, on_broken=broken)
        outbox.write(b"x")
        assert told.wait(10)
        outbox.write(b"y")
        outbox.close()
    assert reasons == ["the client closed its end of the connection"]


def test_close_does_not_wait_for_a_client_that_does_not_read(gate: Gate, outbox: Outbox) -> None:
    outbox.write(b"never read")
    outbox.close(timeout=0.05)
    assert gate.getvalue() == b""


def test_what_is_written_after_close_is_ignored() -> None:
    stream = io.BytesIO()
    outbox = Outbox(stream, on_broken=fail)
    outbox.write(b"in time")
    outbox.close()
    outbox.write(b", late")
    outbox.replace("a", b", late")
    outbox.close()
    assert stream.getvalue() == b"in time"


operations = st.lists(
    st.tuples(
        st.sampled_from(["write", "replace", "discard"]), st.sampled_from("abc"), st.binary(max_size=3)
    ),
    max_size=30,
)


@given(operations)
def test_a_blocked_outbox_equals_a_list_in_which_keys_are_replaced(
    steps: list[tuple[str, str, bytes]],
) -> None:
    gate = Gate()
    outbox = Outbox(gate, on_broken=fail)
    outbox.write(b"<>")
    assert gate.reached.wait(10)
    expected: list[tuple[str | None, bytes]] = []
    for operation, key, data in steps:
        keys = [waiting for waiting, _ in expected]
        if operation == "write":
            outbox.write(data)
            expected.append((None, data))
        elif operation == "replace":
            outbox.replace(key, data)
            if key in keys:
                expected[keys.index(key)] = (key, data)
            else:
                expected.append((key, data))
        else:
            outbox.discard(key)
            expected = [entry for entry in expected if entry[0] != key]
    assert written(gate, outbox) == b"<>" + b"".join(data for _, data in expected)


def test_writers_of_many_threads_lose_nothing() -> None:
    stream: BinaryIO = io.BytesIO()
    outbox = Outbox(stream, on_broken=fail)

    def write(name: int) -> None:
        for count in range(200):
            outbox.write(b"%d:%d;" % (name, count))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox.close(timeout=30)
    stream.seek(0)
    seen = [tuple(map(int, entry.split(b":"))) for entry in stream.read().split(b";")[:-1]]
    for name in range(4):
        assert [count for other, count in seen if other == name] == list(range(200))

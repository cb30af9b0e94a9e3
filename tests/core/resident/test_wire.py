"""Framing: what is packed is read back, and whatever bytes arrive, nothing but WireError is raised."""

import asyncio
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editflow import __version__
from editflow.resident import wire
from editflow.resident.wire import Message, WireError, check_hello, hello, pack, read_message

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def read_all(data: bytes) -> list[Message]:
    """The messages of a stream that ends after `data`."""

    async def read() -> list[Message]:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        messages = []
        while (message := await read_message(reader)) is not None:
            messages.append(message)
        return messages

    return asyncio.run(read())


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


@settings(max_examples=30)
@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=4), max_size=4))
def test_what_is_packed_is_read_back(messages: list[dict[str, object]]) -> None:
    typed = [message | {"type": "x"} for message in messages]
    assert read_all(b"".join(map(pack, typed))) == typed


def test_a_lone_surrogate_survives() -> None:
    assert read_all(pack({"type": "\udcff"})) == [{"type": "\udcff"}]


@given(st.binary(max_size=64))
def test_any_bytes_end_or_are_refused(data: bytes) -> None:
    try:
        assert all(isinstance(message["type"], str) for message in read_all(data))
    except WireError as error:
        assert "\n" not in str(error)


@given(st.binary(max_size=64))
def test_any_body_is_an_object_or_refused(body: bytes) -> None:
    try:
        (message,) = read_all(framed(body))
    except WireError:
        return
    assert message == json.loads(body)


def test_a_message_cut_short_is_the_end() -> None:
    data = pack({"type": "x"})
    assert read_all(data + data[:-1]) == [{"type": "x"}]


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"type":1}', b"\xff", b"[" * 100_000, b'"type"'])
def test_a_body_that_is_no_message(body: bytes) -> None:
    with pytest.raises(WireError):
        read_all(framed(body))


def test_a_length_over_the_limit_is_refused_before_its_body() -> None:
    with pytest.raises(WireError, match="too large"):
        read_all(struct.pack(">I", wire.MAX_MESSAGE + 1))


def test_too_large_a_message_is_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_MESSAGE", 32)
    assert pack({"type": "x"})
    with pytest.raises(WireError, match="fix fewer lines"):
        pack({"type": "x" * 32})


def test_hello_is_understood_by_the_same_version_alone() -> None:
    check_hello(hello())
    for other in ({"protocol": 0}, {"version": "0.0.1"}, {"type": "fix"}):
        with pytest.raises(WireError, match=rf"cannot talk to EditFlow {__version__} .*restart"):
            check_hello(hello() | other)

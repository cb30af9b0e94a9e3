"""The wire between a surface and the host: a 4-byte big-endian length, then one JSON object, in either direction.

The first message each way is `hello`, with the number of this protocol and the version of EditFlow.
"""

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import Any

from editflow import __version__
from editflow.errors import EditFlowError

PROTOCOL = 2
MAX_MESSAGE = 32 * 1024 * 1024
"""Most bytes of one message."""
HELLO_TIMEOUT = 10.0
"""Seconds that either side waits for the other's hello."""

_LENGTH = struct.Struct(">I")

Message = dict[str, Any]


class WireError(EditFlowError):
    """A message that is too large, not JSON, or not of this protocol."""


def pack(message: Mapping[str, object]) -> bytes:
    """The bytes of a message; WireError if it is too large."""
    # ASCII with escapes is UTF-8 too, and carries the lone surrogates that a path may have.
    body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")
    if len(body) > MAX_MESSAGE:
        raise WireError(f"more than {MAX_MESSAGE >> 20} MiB for one message: fix fewer lines at a time")
    return _LENGTH.pack(len(body)) + body


async def read_message(reader: asyncio.StreamReader) -> Message | None:
    """The next message, or None where the other side is gone; WireError if it is malformed."""
    try:
        (size,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if size > MAX_MESSAGE:
            raise WireError(f"a message of {size} bytes is too large")
        return _unpack(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _unpack(body: bytes) -> Message:
    try:
        message = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError("a message is not JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise WireError("a message is not an object with a type")
    return message


def hello() -> Message:
    """The first message of either side."""
    return {"type": "hello", "protocol": PROTOCOL, "version": __version__}


def check_hello(message: Message) -> None:
    """WireError unless it is a hello of this protocol and version."""
    spoken = message.get("protocol"), message.get("version")
    if message["type"] != "hello" or spoken != (PROTOCOL, __version__):
        theirs = f"EditFlow {spoken[1]} (protocol {spoken[0]})"
        ours = f"EditFlow {__version__} (protocol {PROTOCOL})"
        raise WireError(f"{theirs} cannot talk to {ours}: restart the editor and the engine")

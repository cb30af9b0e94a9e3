"""Who is at the other end of a unix socket: the kernel tells, and only this user's own processes are accepted."""

import os
import socket
import struct
import sys
from typing import Protocol

from editflow.errors import EditFlowError

_LOCAL_LEVEL, _LOCAL_PEERCRED = 0, 1  # macOS: SOL_LOCAL and LOCAL_PEERCRED, which Python does not name
_XUCRED = 76  # bytes of macOS's struct xucred: version, uid, groups


class PeerError(EditFlowError):
    """The other end is another user's process, or cannot be told."""


class Socket(Protocol):
    """The part of a socket that is needed here; asyncio's wrapper has it too."""

    def getsockopt(self, level: int, name: int, size: int, /) -> bytes: ...


def check_peer(connection: Socket) -> None:
    """PeerError unless the process at the other end runs as this user."""
    uid = peer_uid(connection)
    if uid != os.getuid():
        raise PeerError(f"the engine's socket leads to a process of user {uid}: it is not used")


def peer_uid(connection: Socket) -> int:
    """The user id of the process at the other end, as it was when it connected or listened."""
    if sys.platform == "linux":
        _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(uid)
    if sys.platform == "darwin":
        credentials = connection.getsockopt(_LOCAL_LEVEL, _LOCAL_PEERCRED, _XUCRED)
        return int(struct.unpack_from("=II", credentials)[1])
    raise PeerError("this system does not tell who is at the other end of a socket: use --no-daemon")

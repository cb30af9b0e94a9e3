"""Standard input and output as one socket, so that the host serves a parent process as it serves any client."""

import os
import socket
import sys
from threading import Thread

_CHUNK = 65536


def claim_pipes() -> socket.socket:
    """The socket; whatever else is printed goes to standard error from now on, and nothing else reads the input."""
    stdin, stdout = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    near, far = socket.socketpair()
    Thread(target=_read, args=(stdin, near), daemon=True).start()
    Thread(target=_write, args=(near, stdout), daemon=True).start()
    return far


def _read(source: int, sink: socket.socket) -> None:
    """From the parent, until it closes its end or the host is gone."""
    try:
        while data := os.read(source, _CHUNK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError as error:
        print(f"the pipe from the parent: {error.strerror}", file=sys.stderr)


def _write(source: socket.socket, sink: int) -> None:
    """To the parent, until it or the host is gone."""
    try:
        with open(sink, "wb", buffering=0) as pipe:
            while data := source.recv(_CHUNK):
                while data:
                    data = data[pipe.write(data) :]
    except OSError as error:
        print(f"the pipe to the parent: {error.strerror}", file=sys.stderr)
        source.close()

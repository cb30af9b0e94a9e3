"""A bare JSON-RPC client over a process's standard streams, synchronous and with a time limit on every wait."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

Message = dict[str, Any]


def frame(body: bytes) -> bytes:
    """The body under its header."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class RawClient:
    """Starts a server process and speaks with it; to be used as a context manager, which ends the process.

    Everything the server sent is in `messages`, in order; what it printed to standard error is in `stderr()`.
    Waits raise TimeoutError, with what did arrive, after `timeout` seconds.
    """

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 30.0
    ) -> None:
        self.messages: list[Message] = []
        self.timeout = timeout
        self._next_id = 1
        self._printed: list[bytes] = []
        self._changed = threading.Condition()
        self._may_read = threading.Event()
        self._may_read.set()
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=env, bufsize=0)
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._read, self._read_stderr)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def send_bytes(self, data: bytes) -> None:
        """Writes these bytes as they are."""
        assert self.process.stdin is not None
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view) :]

    def send(self, message: Any) -> None:
        """Sends any JSON value as one message."""
        self.send_bytes(frame(json.dumps(message).encode()))

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: Any = None) -> int:
        """Sends a request and gives its id, for `response`."""
        msg_id, self._next_id = self._next_id, self._next_id + 1
        self.send({"jsonrpc": "2.0", "id": msg_id, "method": method, "params": params})
        return msg_id

    def response(self, msg_id: int | str | None, timeout: float | None = None) -> Message:
        """The whole answer with this id, its `result` or `error` inside."""
        return self.wait_for(lambda m: "method" not in m and m.get("id") == msg_id, timeout)

    def call(self, method: str, params: Any = None, timeout: float | None = None) -> Message:
        """Sends a request and waits for its answer."""
        return self.response(self.request(method, params), timeout)

    def answer(self, request: Message, result: Any = None) -> None:
        """Answers a request of the server."""
        self.send({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def received(self, method: str, timeout: float | None = None) -> Message:
        """The first notification or request of the server with this method."""
        return self.wait_for(lambda m: m.get("method") == method, timeout)

    def all_received(self, method: str) -> list[Message]:
        """Every notification and request of this method that arrived so far."""
        with self._changed:
            return [message for message in self.messages if message.get("method") == method]

    def wait_for(self, wanted: Callable[[Message], bool], timeout: float | None = None) -> Message:
        """The first message, of those that arrived and will arrive, that is wanted."""
        found: list[Message] = []

        def arrived() -> bool:
            found.extend(filter(wanted, self.messages))
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(arrived, self.timeout if timeout is None else timeout):
                raise TimeoutError(f"not among {self.messages}; printed: {self.stderr()}")
        return found[0]

    def initialize(self, capabilities: Any = None, **params: Any) -> Message:
        """The handshake; gives the result of `initialize`."""
        answer = self.call(
            "initialize", {"processId": None, "rootUri": None, "capabilities": capabilities or {}, **params}
        )
        self.notify("initialized", {})
        result: Message = answer["result"]
        return result

    def shut_down(self) -> int:
        """An orderly end; gives the exit code."""
        assert "error" not in self.call("shutdown")
        self.notify("exit")
        return self.wait()

    def stop_reading(self) -> None:
        """Reads no more from the server, apart from one chunk that is being waited for."""
        self._may_read.clear()

    def read_again(self) -> None:
        self._may_read.set()

    def close_input(self) -> None:
        """The end of input, as the server sees it."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def close_output(self) -> None:
        """Closes this end of the server's output; only after `stop_reading` took effect."""
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.read_again()

    def wait(self, timeout: float | None = None) -> int:
        """Waits for the process to end and gives its exit code."""
        code = self.process.wait(self.timeout if timeout is None else timeout)
        for thread in self._threads:
            thread.join(self.timeout)
        return code

    def kill(self) -> None:
        self.process.kill()
        self.read_again()
        self.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def stderr(self) -> str:
        """What the server printed to standard error so far."""
        return b"".join(self._printed).decode(errors="replace")

    def wait_for_stderr(self, text: str) -> None:
        """Waits until the server printed this to standard error."""
        deadline = time.monotonic() + self.timeout
        while text not in self.stderr():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} is not in {self.stderr()!r}")
            time.sleep(0.01)

    def _read(self) -> None:
        assert self.process.stdout is not None
        buffer = b""
        while chunk := self._read_chunk():
            buffer = self._take_messages(buffer + chunk)

    def _read_chunk(self) -> bytes:
        self._may_read.wait()
        assert self.process.stdout is not None
        return b"" if self.process.stdout.closed else self.process.stdout.read(64 * 1024)

    def _take_messages(self, buffer: bytes) -> bytes:
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            headers = dict(line.split(b": ", 1) for line in buffer[:end].split(b"\r\n"))
            start, size = end + 4, int(headers[b"Content-Length"])
            if len(buffer) < start + size:
                break
            message = json.loads(buffer[start : start + size])
            buffer = buffer[start + size :]
            with self._changed:
                self.messages.append(message)
                self._changed.notify_all()
        return buffer

    def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        while chunk := self.process.stderr.read(64 * 1024):
            self._printed.append(chunk)

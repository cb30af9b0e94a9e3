"""A server on our protocol in memory, for tests: bytes go in, messages come out."""

import io
import json
from typing import Any

from lsprotocol.converters import get_converter
from pygls.lsp.server import LanguageServer

from editflow_lsp.outbox import Outbox
from editflow_lsp.protocol import EditFlowProtocol

CONVERTER = get_converter()
INITIALIZE: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}


class Connection:
    """A server whose handlers do not wait, in memory."""

    def __init__(self, *, initialized: bool = True) -> None:
        self.server = LanguageServer(
            "t", "1", protocol_cls=EditFlowProtocol, converter_factory=lambda: CONVERTER
        )
        protocol = self.server.protocol
        assert isinstance(protocol, EditFlowProtocol)
        self.protocol = protocol
        self.lost: list[str] = []
        self._connect()
        self.handled: list[Any] = []

        def handle(params: Any) -> Any:
            self.handled.append(params)
            return params if isinstance(params, dict | list) else None

        for method in ("test/echo", "$/test/note", "textDocument/hover", "textDocument/didOpen"):
            self.server.feature(method)(handle)
        self.server.command("test.command")(handle)
        if initialized:
            self.ask("initialize", INITIALIZE)

    def _connect(self) -> None:
        self._stream = io.BytesIO()
        self._outbox = Outbox(self._stream, on_broken=self.lost.append)
        self.protocol.set_writer(self._outbox)

    def receive(self, message: Any) -> list[Any]:
        """What the server sends when this arrives: bytes as they are, everything else as JSON."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.protocol.receive(body)
        self._outbox.close(timeout=30)
        sent = self._stream.getvalue()
        self._connect()
        return messages(sent)

    def ask(self, method: str, params: Any = None) -> Any:
        """The one answer to a request."""
        [answer] = self.receive({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
        assert answer["jsonrpc"] == "2.0" and answer["id"] == 7
        return answer

    def tell(self, method: str, params: Any = None) -> list[Any]:
        return self.receive({"jsonrpc": "2.0", "method": method, "params": params})

    def lives(self) -> bool:
        return bool(self.ask("test/echo", {"a": 1})["result"] == {"a": 1})


def messages(sent: bytes) -> list[Any]:
    found = []
    while sent:
        header, _, rest = sent.partition(b"\r\n\r\n")
        size = int(header.removeprefix(b"Content-Length: "))
        found.append(json.loads(rest[:size]))
        sent = rest[size:]
    return found

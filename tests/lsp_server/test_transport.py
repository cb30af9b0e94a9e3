"""The transport cuts any stream into messages, ends in every way there is, and reads while nobody reads from it."""

import io
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol.converters import get_converter
from pygls.lsp.server import LanguageServer

from editflow_lsp.protocol import EditFlowProtocol
from editflow_lsp.transport import LINE_LIMIT, MESSAGE_LIMIT, Frames, MessageTooLarge, serve
from tests.lsp_server.raw_client import RawClient, frame

CONVERTER = get_converter()
SERVER = [sys.executable, str(Path(__file__).with_name("transport_server.py"))]
HOVER = {"textDocument": {"uri": "u"}, "position": {"line": 0, "character": 0}}
SLOW = {"command": "test.slow", "arguments": [30]}


def bodies(*chunks: bytes) -> list[bytes]:
    frames = Frames()
    return [body for chunk in chunks for body in frames.feed(chunk)]


def one_by_one(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2\r\n\r\n",
        b"content-length:2\r\n\r\n",
        b"CONTENT-LENGTH \t: \t2\r\n\r\n",
        b"Content-Length: 0002\r\n\r\n",
        b"Content-Length: 2\n\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 2\r\nContent-Type: x\r\n\r\n",
        b"Content-Length: 9\r\nContent-Length: 2\r\n\r\n",
        b"\r\n\r\nContent-Length: 2\r\n\r\n",
        b"garbage\r\n: :\r\n\xff\xfe\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: -1\r\nContent-Length: two\r\nX-Content-Length: 9\r\nContent-Length: 2\r\n\r\n",
        b'{"left": "over"}Content-Length: 2\r\n\r\n',
        b"x" * (3 * LINE_LIMIT) + b"}Content-Length: 2\r\n\r\n",
    ],
)
def test_headers_in_any_form_and_order(head: bytes) -> None:
    assert bodies(head + b"{}" + frame(b"next")) == [b"{}", b"next"]
    assert bodies(*one_by_one(head + b"{}" + frame(b"next"))) == [b"{}", b"next"]


def test_a_body_may_be_empty_or_hold_a_header() -> None:
    inner = b"Content-Length: 5\r\n\r\nhello"
    assert bodies(frame(b"") + frame(inner) + frame(b"{}")) == [b"", inner, b"{}"]


@pytest.mark.parametrize("size", [str(MESSAGE_LIMIT + 1), "9" * 20, "9" * 5000])
def test_a_message_above_the_limit_is_refused_as_soon_as_it_is_announced(size: str) -> None:
    with pytest.raises(MessageTooLarge):
        bodies(f"Content-Length: {size}\r\n".encode())


def test_a_message_at_the_limit_is_taken() -> None:
    assert bodies(b"Content-Length: %d\r\n\r\n" % MESSAGE_LIMIT) == []


@given(st.lists(st.binary(max_size=40), max_size=6), st.data())
def test_messages_survive_any_cutting(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(frame, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert bodies(*chunks) == sent


@given(st.lists(st.binary(max_size=200) | st.just(b"Content-Length: 7\r\n") | st.just(b"\r\n"), max_size=20))
def test_no_bytes_upset_the_frames_and_none_are_hoarded(chunks: list[bytes]) -> None:
    frames = Frames()
    try:
        for chunk in chunks:
            for body in frames.feed(chunk):
                assert len(body) <= MESSAGE_LIMIT
    except MessageTooLarge:
        return
    assert len(frames._buffer) <= max(LINE_LIMIT, sum(map(len, chunks)))


def test_a_line_without_an_end_is_not_hoarded() -> None:
    frames = Frames()
    for _ in range(64):
        assert list(frames.feed(b"x" * 65536)) == []
    assert len(frames._buffer) <= LINE_LIMIT


def make_server() -> LanguageServer:
    server = LanguageServer("t", "1", protocol_cls=EditFlowProtocol, converter_factory=lambda: CONVERTER)
    server.feature("test/echo")(lambda params: params)
    return server


fragments = st.binary(max_size=60) | st.sampled_from(
    [
        b"Content-Length: 3\r\n\r\n",
        b"Content-Length: 99999999999\r\n",
        b"\r\n",
        frame(b"[1, 2"),
        frame(b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}'),
        frame(b'{"jsonrpc":"2.0","id":2,"method":"test/echo","params":[1]}'),
        frame(b'{"jsonrpc":"2.0","method":"exit"}'),
        frame(b'{"jsonrpc":"2.0","id":3,"method":"shutdown"}'),
    ]
)


@settings(max_examples=50)
@given(st.lists(fragments, max_size=8))
def test_whatever_arrives_serving_ends_with_a_code(arriving: list[bytes]) -> None:
    assert serve(make_server(), io.BytesIO(b"".join(arriving)), io.BytesIO()) in (0, 1)


def test_serving_needs_our_protocol() -> None:
    with pytest.raises(TypeError, match="EditFlowProtocol"):
        serve(LanguageServer("t", "1"), io.BytesIO(), io.BytesIO())


def started(*arguments: str) -> RawClient:
    return RawClient([*SERVER, *(arguments or ["INFO"])])


@pytest.fixture
def client() -> Iterator[RawClient]:
    with started() as client:
        client.initialize()
        yield client


@pytest.fixture(scope="module")
def shared() -> Iterator[RawClient]:
    """One server for the tests that leave it as it was; it still ends in order afterwards."""
    with started() as client:
        client.initialize()
        yield client
        assert client.shut_down() == 0


def code(answer: dict[str, Any]) -> int:
    return int(answer["error"]["code"])


def test_shutdown_and_exit_end_it_in_order(client: RawClient) -> None:
    pending = client.request("workspace/executeCommand", SLOW)
    hovering = client.request("textDocument/hover", HOVER)
    assert client.shut_down() == 0
    assert code(client.response(pending)) == code(client.response(hovering)) == -32800
    assert client.stderr().count("the connection ended") == 1


@pytest.mark.slow
def test_exit_without_shutdown_is_a_failure(client: RawClient) -> None:
    client.notify("exit")
    assert client.wait() == 1
    assert "the connection ended" in client.stderr()


@pytest.mark.slow
def test_exit_before_initialize_is_a_failure() -> None:
    with started() as client:
        client.notify("exit")
        assert client.wait() == 1


@pytest.mark.slow
@pytest.mark.parametrize("orderly", [True, False])
def test_the_end_of_input_ends_it(client: RawClient, orderly: bool) -> None:
    pending = client.request("workspace/executeCommand", SLOW)
    hovering = client.request("textDocument/hover", HOVER)
    if orderly:
        assert client.call("shutdown")["result"] is None
    client.close_input()
    assert client.wait() == (0 if orderly else 1)
    assert code(client.response(pending)) == code(client.response(hovering)) == -32800
    assert client.received("$/test/hovered")
    assert "the connection ended" in client.stderr()


@pytest.mark.slow
def test_a_message_above_the_limit_ends_it(client: RawClient) -> None:
    client.send_bytes(b"Content-Length: %d\r\n\r\n" % (MESSAGE_LIMIT + 1))
    assert client.wait() == 1
    assert "64 MiB" in client.stderr()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(client: RawClient, number: signal.Signals) -> None:
    pending = client.request("workspace/executeCommand", SLOW)
    client.call("test/echo")
    client.process.send_signal(number)
    assert client.wait() == 128 + number
    assert code(client.response(pending)) == -32800
    assert "the connection ended" in client.stderr()


@pytest.mark.slow
def test_a_client_that_closes_its_end_ends_it(client: RawClient) -> None:
    client.stop_reading()
    client.call("test/echo")  # taken by the read that was waiting
    client.close_output()
    client.request("test/echo")
    assert client.wait() == 1
    assert "the client closed its end" in client.stderr()
    assert "the connection ended" in client.stderr()


def test_garbage_between_messages_is_skipped(shared: RawClient) -> None:
    shared.send_bytes(b"\xff\x00garbage\r\n\r\nno header: at all\r\n")
    assert shared.call("test/echo", 1)["result"] == 1


def test_an_unreadable_message_is_answered_and_survived(shared: RawClient) -> None:
    shared.send_bytes(frame(b"{") + frame(b"\xff") + frame(b"[" * 100_000))
    assert shared.call("test/echo", 2)["result"] == 2
    assert [code(m) for m in shared.messages if m.get("id", 0) is None] == [-32700] * 3


def test_failures_are_answered_in_one_line(shared: RawClient) -> None:
    assert shared.call("test/fail")["error"] == {
        "code": -32603,
        "message": "internal error in test/fail (ValueError)",
    }
    assert shared.call("test/refuse")["error"] == {"code": -32803, "message": "choose another file"}
    assert code(shared.call("test/unserialisable")) == code(shared.call("test/not-a-number")) == -32603
    assert code(shared.call("test/cancelled")) == -32800
    assert code(shared.call("workspace/executeCommand", {"command": "test.cancelled"})) == -32800
    assert shared.all_received("window/showMessage") == []


def test_only_the_protocol_reaches_the_client(shared: RawClient) -> None:
    assert shared.call("test/print")["result"] is None
    for text in ("printed\n", "written\n", "printed by a child\n"):
        shared.wait_for_stderr(text)
    assert shared.call("test/read")["result"] == ""


def test_a_cancelled_command_is_answered_and_told(shared: RawClient) -> None:
    slow = shared.request("workspace/executeCommand", {"command": "test.slow", "arguments": [0.1]})
    shared.notify("$/cancelRequest", {"id": slow})
    assert code(shared.response(slow)) == -32800
    assert shared.call("test/ran")["result"] == ["slow began", f"cancel {slow}"]
    shared.wait_for_stderr("slow ended")  # pygls lets it run on: who is told has to stop it


@pytest.mark.slow
def test_busy_handlers_do_not_keep_anything_from_being_read(client: RawClient) -> None:
    for _ in range(40):  # more than the pool has threads
        client.request("workspace/executeCommand", {"command": "test.busy", "arguments": [20]})
    begin = time.monotonic()
    assert client.call("test/echo", 1)["result"] == 1
    assert time.monotonic() - begin < 15


def test_a_question_to_the_client_is_answered(shared: RawClient) -> None:
    asking = shared.request("test/ask")
    shared.answer(shared.received("workspace/applyEdit"), {"applied": False, "failureReason": "no"})
    assert shared.response(asking)["result"] == [False, "no"]


def test_a_client_that_stops_reading_stops_nobody_else(client: RawClient) -> None:
    client.stop_reading()
    client.notify("test/flood", {"steps": 1})  # what the read that was waiting may take
    for _ in range(5):
        client.request("test/answers", {"size": 100_000})
    client.notify("test/flood", {"steps": 200})
    slow = client.request("workspace/executeCommand", SLOW)
    client.notify("$/cancelRequest", {"id": slow})
    client.notify("test/mark")
    client.wait_for_stderr("marked: 1 cancelled")
    client.read_again()
    assert code(client.response(slow)) == -32800
    assert len([m for m in client.messages if len(m.get("result", "")) == 100_000]) == 5
    assert len(client.all_received("$/test/step")) <= 2
    assert client.call("test/echo", 1)["result"] == 1


def test_a_client_that_reads_gets_the_last_step(shared: RawClient) -> None:
    shared.notify("test/flood", {"steps": 50})
    shared.wait_for(lambda m: m.get("params", {}).get("seq") == 49)
    seqs = [m["params"]["seq"] for m in shared.all_received("$/test/step")]
    assert seqs == sorted(set(seqs))


def test_the_transport_needs_no_model() -> None:
    code = "import sys, editflow_lsp.transport; print('torch' in sys.modules, 'numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False False\n"

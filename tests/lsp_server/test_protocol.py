"""Every request has its answer, every failure its line, and nothing that arrives stops the server."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidRequest, JsonRpcParseError
from pygls.lsp.server import LanguageServer

from editflow.errors import EditFlowError
from editflow_lsp.protocol import EditFlowProtocol, as_response_error, client_error, decode, in_words
from tests.lsp_server.connection import CONVERTER, INITIALIZE, Connection

OPENED = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "a = 1\n"}
PARSE, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL, NOT_INITIALIZED, FAILED = -32603, -32002, -32803


@pytest.fixture
def connection() -> Connection:
    return Connection()


def test_initialize_answers_with_what_is_experimental() -> None:
    connection = Connection(initialized=False)
    experimental = {"editflow": {"version": 1, "stepStream": True}}
    connection.server.feature(types.INITIALIZE)(
        lambda params: setattr(connection.protocol, "experimental", experimental)
    )
    answer = connection.ask("initialize", INITIALIZE)
    assert answer["result"]["capabilities"]["experimental"] == experimental


def test_initialize_has_nothing_experimental_to_say_by_itself() -> None:
    answer = Connection(initialized=False).ask("initialize", INITIALIZE)
    assert "experimental" not in answer["result"]["capabilities"]


@pytest.mark.parametrize(
    ("message", "code", "msg_id"),
    [
        (b"", PARSE, None),
        (b"{", PARSE, None),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "\xff"}', PARSE, None),
        ('{"jsonrpc": "2.0"}'.encode("utf-16"), PARSE, None),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "test/echo", "params": NaN}', PARSE, None),
        (b"9" * 10_000, PARSE, None),
        (b"[" * 100_000, PARSE, None),
        (b'{"a":' * 100_000, PARSE, None),
        ([], INVALID_REQUEST, None),
        ([{"jsonrpc": "2.0", "id": 1, "method": "test/echo"}], INVALID_REQUEST, None),
        (1, INVALID_REQUEST, None),
        (None, INVALID_REQUEST, None),
        ({}, INVALID_REQUEST, None),
        ({"jsonrpc": "2.0"}, INVALID_REQUEST, None),
        ({"jsonrpc": "2.0", "id": 3}, INVALID_REQUEST, 3),
        ({"jsonrpc": "2.0", "id": 3, "method": 5}, INVALID_REQUEST, 3),
        ({"jsonrpc": "2.0", "id": 3, "method": ["a"]}, INVALID_REQUEST, 3),
        ({"jsonrpc": "1.0", "id": "x", "method": "test/echo"}, INVALID_REQUEST, "x"),
        ({"id": 3, "method": "test/echo"}, INVALID_REQUEST, 3),
        ({"jsonrpc": "2.0", "id": None, "method": "test/echo"}, INVALID_REQUEST, None),
        ({"jsonrpc": "2.0", "id": True, "method": "test/echo"}, INVALID_REQUEST, None),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "test/echo"}, INVALID_REQUEST, None),
        ({"jsonrpc": "2.0", "id": [1], "method": "test/echo"}, INVALID_REQUEST, None),
        ({"jsonrpc": "2.0", "id": 4, "method": "no/such"}, NO_METHOD, 4),
        ({"jsonrpc": "2.0", "id": 4, "method": "$/cancelRequest", "params": {"id": 1}}, NO_METHOD, 4),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_request_is_refused(connection: Connection, message: Any, code: int, msg_id: Any) -> None:
    [answer] = connection.receive(message)
    assert (answer["error"]["code"], answer["id"]) == (code, msg_id)
    assert "\n" not in answer["error"]["message"]
    assert connection.lives()


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        (None, "message.params"),
        ({}, "required field missing @ message.params.text_document"),
        ([], "message.params"),
        ("text", "message.params"),
        (
            {"textDocument": {"uri": "u"}, "position": {"line": "s3cret", "character": 0}},
            "params.position.line",
        ),
        ({"textDocument": {"uri": "u"}, "position": {"line": -1, "character": 0}}, "message.params.position"),
        ({"textDocument": 5, "position": {"line": 0, "character": 0}}, "message.params.text_document"),
    ],
)
def test_params_that_cannot_be_read_are_answered_with_their_place(
    connection: Connection, params: Any, fault: str
) -> None:
    error = connection.ask("textDocument/hover", params)["error"]
    assert error["code"] == INVALID_PARAMS
    assert fault in error["message"]
    assert "s3cret" not in error["message"]
    assert connection.handled == []


def test_what_is_nested_too_deep_to_be_handled_is_answered(connection: Connection) -> None:
    data = b"[" * 900 + b"]" * 900
    body = b'{"jsonrpc":"2.0","id":1,"method":"codeAction/resolve","params":{"title":"t","data":%s}}' % data
    connection.server.feature(types.CODE_ACTION_RESOLVE)(lambda params: params)
    [answer] = connection.receive(body)
    assert answer["id"] == 1
    assert connection.lives()


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/didOpen", {"textDocument": {"uri": 1}}),
        ("textDocument/didOpen", None),
        ("textDocument/didChange", {}),
        ("initialize", {}),
        ("initialized", None),
        ("$/setTrace", {"value": "loud"}),
        ("$/setTrace", {"value": "verbose"}),
        ("$/setTrace", None),
        ("$/cancelRequest", {"id": 99}),
        ("$/cancelRequest", {"id": [1]}),
        ("$/cancelRequest", {"id": True}),
        ("$/cancelRequest", {}),
        ("$/cancelRequest", None),
        ("$/no/such", {"a": 1}),
        ("no/such", None),
        ("window/workDoneProgress/cancel", {"token": "unknown"}),
    ],
)
def test_notifications_that_mean_nothing_are_dropped(
    connection: Connection, method: str, params: Any
) -> None:
    assert connection.tell(method, params) == []
    assert connection.handled == []
    assert connection.lives()


@pytest.mark.parametrize("method", ["shutdown", "test/echo", "no/such", "textDocument/hover"])
def test_requests_wait_for_initialize(method: str) -> None:
    connection = Connection(initialized=False)
    assert connection.tell("$/test/note", {"a": 1}) == []
    assert connection.ask(method)["error"]["code"] == NOT_INITIALIZED
    assert connection.handled == []
    assert "result" in connection.ask("initialize", INITIALIZE)


def test_a_second_initialize_is_refused(connection: Connection) -> None:
    assert connection.ask("initialize", INITIALIZE)["error"]["code"] == INVALID_REQUEST
    assert connection.lives()


def test_an_initialize_that_failed_may_be_tried_again() -> None:
    connection = Connection(initialized=False)
    assert connection.ask("initialize", {"capabilities": 5})["error"]["code"] == INVALID_PARAMS
    assert connection.ask("test/echo")["error"]["code"] == NOT_INITIALIZED
    assert "result" in connection.ask("initialize", INITIALIZE)
    assert connection.lives()


def test_after_shutdown_requests_are_refused_and_notifications_dropped(connection: Connection) -> None:
    assert connection.ask("shutdown")["result"] is None
    for method in ("test/echo", "shutdown", "initialize"):
        assert connection.ask(method)["error"]["code"] == INVALID_REQUEST
    assert connection.tell("$/test/note") == []
    assert connection.handled == []


@pytest.mark.parametrize("orderly", [True, False])
def test_exit_tells_its_code(connection: Connection, orderly: bool) -> None:
    codes: list[int] = []
    connection.protocol.on_exit = codes.append
    if orderly:
        connection.ask("shutdown")
    connection.tell("exit")
    assert codes == [0 if orderly else 1]


def test_a_cancellation_is_told_before_it_is_handled(connection: Connection) -> None:
    told: list[str | int] = []
    connection.protocol.on_cancel = told.append
    connection.tell("$/cancelRequest", {"id": "abc"})
    connection.tell("$/cancelRequest", {"id": 0})
    assert told == ["abc", 0]


def test_a_cancellation_whose_hearer_fails_is_survived(connection: Connection) -> None:
    def fail(msg_id: str | int) -> None:
        raise KeyError(msg_id)

    connection.protocol.on_cancel = fail
    assert connection.tell("$/cancelRequest", {"id": 1}) == []
    assert connection.lives()


def test_params_of_methods_that_lsp_does_not_know_are_plain_json(connection: Connection) -> None:
    params = {"jobId": "1", "accepted": ["h1"], "type_name": "x", "jsonrpc": {"method": 1}, "class": None}
    connection.tell("$/test/note", params)
    assert connection.ask("test/echo", params)["result"] == params
    assert connection.handled == [params, params]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (ValueError("s3cret"), INTERNAL, "internal error in test/fail (ValueError)"),
        (RecursionError("s3cret"), INTERNAL, "internal error in test/fail (RecursionError)"),
        (EditFlowError("choose another file"), FAILED, "choose another file"),
        (JsonRpcInvalidRequest("not so"), INVALID_REQUEST, "not so"),
    ],
)
def test_a_failing_handler_is_answered_in_one_line(
    connection: Connection, error: Exception, code: int, message: str
) -> None:
    def fail(params: Any) -> None:
        raise error

    connection.server.feature("test/fail")(fail)
    assert connection.ask("test/fail")["error"] == {"code": code, "message": message}
    assert connection.lives()


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), {"deep": float("inf")}])
def test_a_result_that_is_no_json_is_answered_as_a_failure(connection: Connection, value: object) -> None:
    connection.server.feature("test/bad")(lambda params: value)
    assert connection.ask("test/bad")["error"]["code"] == INTERNAL


@pytest.mark.parametrize("method", ["$/test/fail", "textDocument/didClose"])
def test_a_failing_notification_is_silent(connection: Connection, method: str) -> None:
    def fail(params: Any) -> None:
        raise ValueError("s3cret")

    connection.server.feature(method)(fail)
    assert connection.tell(method, {"textDocument": {"uri": "file:///a.py"}}) == []
    assert connection.lives()


def test_commands_take_their_arguments_or_say_what_is_wrong(connection: Connection) -> None:
    def command(arguments: Any) -> Any:
        return connection.ask("workspace/executeCommand", {"command": "test.command", "arguments": arguments})

    assert command([{"a": 1}])["result"] == {"a": 1}
    assert command([1, 2, 3])["error"]["code"] == INVALID_PARAMS
    unknown = connection.ask("workspace/executeCommand", {"command": "no.such", "arguments": []})
    assert unknown["error"]["code"] == INVALID_PARAMS


@pytest.mark.parametrize(
    "answer",
    [
        {"result": {"applied": "s3cret", "failedChange": {}}},
        {"result": None},
        {"error": {"code": "x"}},
        {"error": "no"},
        {"error": {"code": -32603, "message": "did not work"}},
    ],
)
def test_an_answer_that_cannot_be_read_fails_who_asked(connection: Connection, answer: Any) -> None:
    params = types.ApplyWorkspaceEditParams(edit=types.WorkspaceEdit())
    future = connection.protocol.send_request("workspace/applyEdit", params, msg_id="ours")
    assert connection.receive({"jsonrpc": "2.0", "id": "ours", **answer})[1:] == []
    with pytest.raises(JsonRpcException) as raised:
        future.result(timeout=0)
    assert "s3cret" not in str(raised.value)


def test_an_answer_reaches_who_asked(connection: Connection) -> None:
    params = types.ApplyWorkspaceEditParams(edit=types.WorkspaceEdit())
    future = connection.protocol.send_request("workspace/applyEdit", params, msg_id="ours")
    answer = {"jsonrpc": "2.0", "id": "ours", "error": None, "result": {"applied": True}}
    connection.receive(answer)
    assert future.result(timeout=0).applied is True
    assert connection.receive(answer) == []


def test_answers_to_nothing_are_ignored(connection: Connection) -> None:
    for msg_id in (7, "x", None):
        assert (
            connection.receive({"jsonrpc": "2.0", "id": msg_id, "error": {"code": 1, "message": "m"}}) == []
        )
    assert connection.receive({"jsonrpc": "2.0", "id": 7, "result": None}) == []
    assert connection.lives()


def test_nothing_is_kept_of_what_was_handled(connection: Connection) -> None:
    for _ in range(3):
        connection.tell("textDocument/didOpen", {"textDocument": OPENED})
        connection.ask("workspace/executeCommand", {"command": "test.command", "arguments": [1]})
    assert len(connection.handled) == 6
    assert connection.protocol._request_futures == {}


def test_the_end_is_told(connection: Connection) -> None:
    ends: list[bool] = []
    connection.protocol.on_end = lambda: ends.append(True)
    connection.protocol.end()
    assert ends == [True]
    assert connection.ask("test/echo")["error"]["code"] == INVALID_REQUEST


def test_nothing_is_sent_without_a_client() -> None:
    server = LanguageServer("t", "1", protocol_cls=EditFlowProtocol, converter_factory=lambda: CONVERTER)
    with pytest.raises(RuntimeError, match="no client"):
        server.protocol.notify("$/test/note", {})


def test_a_replaceable_message_is_an_ordinary_notification(connection: Connection) -> None:
    connection.protocol.send_replaceable("job", "$/test/step", {"text": "é\ud800", "seq": 1})
    assert connection.receive({"jsonrpc": "2.0", "method": "no/such"}) == [
        {"jsonrpc": "2.0", "method": "$/test/step", "params": {"text": "é\ud800", "seq": 1}}
    ]


def test_decode_tells_what_is_wrong() -> None:
    assert decode(b'{"a": "\\u00e9"}') == {"a": "é"}
    with pytest.raises(JsonRpcParseError, match="UTF-8"):
        decode(b"\xff")
    with pytest.raises(JsonRpcInvalidRequest, match="batches"):
        decode(b"[1]")


def test_errors_in_words() -> None:
    assert in_words(KeyError("s3cret")) == "required field missing @ message"
    assert client_error({"code": -32001, "message": "busy"}).code == -32001
    assert str(client_error(None)) == "the client failed"
    assert str(as_response_error(OSError("s3cret"), "m")) == "internal error in m (OSError)"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
methods = st.sampled_from(sorted(types.METHOD_TO_TYPES)).filter(lambda method: method != "shutdown")
members = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | json_values,
        "id": st.integers() | json_values,
        "method": methods | st.sampled_from(["test/echo", "$/test/note"]) | json_values,
        "params": json_values,
        "result": json_values,
        "error": json_values,
    },
)


@given(st.lists(members | json_values | st.binary(max_size=20), max_size=5))
def test_whatever_arrives_the_server_lives(arriving: list[Any]) -> None:
    connection = Connection()
    for message in arriving:
        answers = connection.receive(message)
        assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    assert connection.lives()
    assert connection.lost == []


@given(st.integers() | st.text(), methods | st.text(), json_values)
def test_every_request_is_answered_once(msg_id: int | str, method: str, params: Any) -> None:
    connection = Connection()
    message = {"jsonrpc": "2.0", "id": msg_id, "method": method, "params": params}
    [answer] = [sent for sent in connection.receive(message) if "method" not in sent]
    assert answer["id"] == msg_id
    assert ("result" in answer) != ("error" in answer)

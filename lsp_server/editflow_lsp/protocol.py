"""The language server protocol as EditFlow speaks it: pygls, strict about what arrives and careful about what it says.

Every request is answered, whatever is wrong with it; every failure has one readable line and none of the user's text;
`$/cancelRequest` reaches whoever runs the job; steps of the stream are replaceable messages.
"""

import contextvars
import json
import uuid
from collections.abc import Callable, Generator
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeGuard

from cattrs import transform_error
from lsprotocol import types
from pygls.exceptions import (
    JsonRpcException,
    JsonRpcInternalError,
    JsonRpcInvalidParams,
    JsonRpcInvalidRequest,
    JsonRpcMethodNotFound,
    JsonRpcParseError,
    JsonRpcRequestCancelled,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import LanguageServerProtocol, lsp_method

from editflow.errors import EditFlowError
from editflow_lsp.log import log_failure, logger
from editflow_lsp.outbox import Outbox

MessageId = str | int
_work_done_token: contextvars.ContextVar[types.ProgressToken | None] = contextvars.ContextVar(
    "token", default=None
)


class EditFlowProtocol(LanguageServerProtocol):
    """What `serve` reads messages into and a server's handlers answer through.

    - `on_cancel(id)` is told of every `$/cancelRequest`; true if the request's handler stops and answers by itself,
      else pygls answers, at once, and lets a command run on.
    - `on_exit(code)` is told of `exit`; the code is 1 without a `shutdown` before it. `serve` sets it.
    - `on_end()` is told that the connection is over, in whatever way it ended.
    - `experimental` becomes `capabilities.experimental` of the answer to `initialize`.

    Parameters of methods that LSP does not define reach their handlers as plain JSON values.
    """

    writer: Outbox | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on_cancel: Callable[[MessageId], object] | None = None
        self.on_exit: Callable[[int], None] | None = None
        self.on_end: Callable[[], None] | None = None
        self.experimental: dict[str, object] = {}
        self._initialized = False

    @property
    def work_done_token(self) -> types.ProgressToken | None:
        """Where the client wants to see the progress of the command that is being run."""
        return _work_done_token.get()

    @property
    def exit_code(self) -> int:
        """0 when the client asked for a shutdown, else 1."""
        return 0 if self._shutdown else 1

    def receive(self, body: bytes) -> None:
        """Handles the body of one message; never raises, whatever it holds."""
        try:
            self._handle(decode(body))
        except JsonRpcException as error:
            self._send_error(None, error)
        except Exception as error:
            log_failure(error)

    def send_replaceable(self, key: str, method: str, params: dict[str, object]) -> None:
        """Sends a notification that gives way to a later one of the same key while it is unwritten."""
        self._outbox().replace(
            key, self._framed({"jsonrpc": self.VERSION, "method": method, "params": params})
        )

    def _handle(self, message: dict[str, Any]) -> None:
        msg_id, method = message.get("id"), message.get("method")
        if message.get("jsonrpc") != self.VERSION:
            self._refuse(msg_id, JsonRpcInvalidRequest('"jsonrpc" must be "2.0"'))
        elif method is None and is_id(msg_id) and ("result" in message or "error" in message):
            self._receive_response(msg_id, message)
        elif method is None and "error" in message:
            logger.warning("the client could not read a message")
        elif not isinstance(method, str):
            self._refuse(msg_id, JsonRpcInvalidRequest('"method" must be a string'))
        elif "id" not in message:
            self._receive_notification(method, message)
        elif is_id(msg_id):
            self._receive_request(msg_id, method, message)
        else:
            self._refuse(None, JsonRpcInvalidRequest('"id" must be a string or an integer'))

    def _receive_request(self, msg_id: MessageId, method: str, message: dict[str, Any]) -> None:
        try:
            self._check_stage(method)
            handler = self._get_handler(method)
            params = self._structured_params(method, message)
        except JsonRpcException as error:
            self._send_error(msg_id, error)
            return
        contextvars.copy_context().run(self._run_request, msg_id, method, handler, params)

    def _run_request(self, msg_id: MessageId, method: str, handler: Callable[..., Any], params: Any) -> None:
        self._ctx_msg_id.set(msg_id)
        answer = partial(self._answer, msg_id=msg_id, method=method)
        try:
            self._execute_handler(msg_id, handler, answer, args=(params,))
        except Exception as error:
            self._send_error(msg_id, as_response_error(error, method))

    def _receive_notification(self, method: str, message: dict[str, Any]) -> None:
        if method != types.EXIT and (self._shutdown or not self._initialized):
            return
        if method == types.CANCEL_REQUEST:
            self._receive_cancel(message.get("params"))
            return
        try:
            handler = self._get_handler(method)
            params = self._structured_params(method, message)
        except JsonRpcMethodNotFound:
            return  # the protocol lets a server ignore what it does not know
        except JsonRpcInvalidParams:
            logger.warning("a notification %s was dropped: its parameters cannot be read", method)
            return
        run = partial(self._execute_handler, args=(params,))
        contextvars.copy_context().run(run, str(uuid.uuid4()), handler, self._check_handler_result)

    def _receive_cancel(self, params: Any) -> None:
        msg_id = params.get("id") if isinstance(params, dict) else None
        if not is_id(msg_id):
            logger.warning("a cancellation was dropped: it names no request")
            return
        try:
            ends_by_itself = self.on_cancel is not None and self.on_cancel(msg_id)
        except Exception as error:
            log_failure(error)
            ends_by_itself = False
        if not ends_by_itself:
            self._handle_cancel_notification(msg_id)

    def _receive_response(self, msg_id: MessageId, message: dict[str, Any]) -> None:
        if msg_id not in self._result_types:  # those of our own requests; futures also hold the client's
            logger.warning("the client answered a request that was not made")
            return
        result_type = self._result_types.pop(msg_id)
        future = self._request_futures.pop(msg_id, None)
        if future is None or future.done():
            return  # whoever waited was cancelled meanwhile
        try:
            future.set_result(self._structured_result(result_type, message))
        except JsonRpcException as error:
            future.set_exception(error)

    def _structured_params(self, method: str, message: dict[str, Any]) -> Any:
        if (kind := types.METHOD_TO_TYPES.get(method, (None,))[0]) is None:
            return message.get("params")
        try:
            return self._converter.structure(message, kind).params
        except Exception as error:
            raise JsonRpcInvalidParams(f"invalid params: {in_words(error)}") from error

    def _structured_result(self, result_type: Any, message: dict[str, Any]) -> Any:
        if message.get("error") is not None:
            raise client_error(message["error"])
        if result_type is None:
            return message.get("result")
        try:
            return self._converter.structure(message, result_type).result
        except Exception as error:
            raise JsonRpcInternalError("the client's answer cannot be read") from error

    def _check_stage(self, method: str) -> None:
        if self._shutdown:
            raise JsonRpcInvalidRequest("the server was shut down")
        if method == types.INITIALIZE and self._initialized:
            raise JsonRpcInvalidRequest("the server is already initialized")
        if method != types.INITIALIZE and not self._initialized:
            raise JsonRpcServerNotInitialized("the server is not initialized")

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        result = yield from super().lsp_initialize(params)
        if self.experimental:
            result.capabilities.experimental = dict(self.experimental)
        self._initialized = True
        return result

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    def lsp_workspace__execute_command(self, params: types.ExecuteCommandParams) -> Generator[Any, Any, Any]:
        _work_done_token.set(params.work_done_token)  # pygls hands a command its arguments only
        return (yield from super().lsp_workspace__execute_command(params))

    @lsp_method(types.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        self._shutdown = True
        if (handler := self.fm.features.get(types.SHUTDOWN)) is not None:
            yield handler, args, None
        self._cancel_all(but=self.msg_id)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> None:  # type: ignore[override]
        if self.on_exit is not None:
            self.on_exit(self.exit_code)

    def end(self) -> None:
        """Tells `on_end` that the connection is over, and cancels what is still being answered."""
        self._shutdown = True
        if self.on_end is not None:
            self.on_end()
        self._cancel_all()

    def _cancel_all(self, but: MessageId | None = None) -> None:
        for msg_id, future in list(self._request_futures.items()):  # a cancelled one removes itself
            if msg_id != but:
                future.cancel()

    def _execute_handler(
        self,
        msg_id: MessageId,
        handler: Callable[..., Any],
        callback: Callable[[Future[Any]], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        super()._execute_handler(msg_id, handler, partial(self._done, msg_id, callback), args, kwargs)

    def _done(self, msg_id: MessageId, callback: Callable[[Future[Any]], None], future: Future[Any]) -> None:
        if self._request_futures.get(msg_id) is future:  # pygls keeps those of notifications for ever
            del self._request_futures[msg_id]
        callback(future)

    def _run_generator(
        self, future: Future[Any] | None, *, gen: Generator[Any, Any, Any], result_future: Future[Any]
    ) -> None:
        if future is not None and future.cancelled():  # pygls would leave the request without an answer
            result_future.cancel()
        else:
            super()._run_generator(future, gen=gen, result_future=result_future)

    def _answer(self, future: Future[Any], *, msg_id: MessageId, method: str) -> None:
        try:
            if future.cancelled():
                raise JsonRpcRequestCancelled("the request was cancelled")
            self._send_response(msg_id, future.result())
        except Exception as error:
            self._send_error(msg_id, as_response_error(error, method))

    def _check_handler_result(self, future: Future[Any]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            log_failure(error)

    def _refuse(self, msg_id: Any, error: JsonRpcException) -> None:
        self._send_error(msg_id if is_id(msg_id) else None, error)

    def _send_error(self, msg_id: MessageId | None, error: JsonRpcException) -> None:
        answer = {"code": error.code, "message": error.message}
        self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "error": answer})

    def _send_data(self, data: Any) -> None:
        self._outbox().write(self._framed(data))

    def _framed(self, data: Any) -> bytes:
        text = json.dumps(data, default=self._serialize_message, allow_nan=False, separators=(",", ":"))
        return f"Content-Length: {len(text)}\r\n\r\n{text}".encode("ascii")

    def _outbox(self) -> Outbox:
        if self.writer is None:
            raise RuntimeError("no client is connected")
        return self.writer


def decode(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; raises ParseError when there is no JSON in it, InvalidRequest when it is no object."""
    try:
        message = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise JsonRpcParseError("the message is not JSON in UTF-8") from error
    if isinstance(message, list):
        raise JsonRpcInvalidRequest("batches are not part of LSP")
    if not isinstance(message, dict):
        raise JsonRpcInvalidRequest("the message must be an object")
    return message


def is_id(value: Any) -> TypeGuard[MessageId]:
    """Whether LSP allows the value as a message's id."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def as_response_error(error: Exception, method: str) -> JsonRpcException:
    """What the client is told of an exception from the handler of `method`; what nobody expected is logged."""
    if isinstance(error, JsonRpcException):
        return error
    if isinstance(error, EditFlowError):
        return JsonRpcException(str(error), types.LSPErrorCodes.RequestFailed.value)
    log_failure(error)
    return JsonRpcInternalError(f"internal error in {method} ({type(error).__name__})")


def client_error(error: Any) -> JsonRpcException:
    """The exception for the client's error answer, also for one that is not well formed."""
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
    return JsonRpcException(
        message if isinstance(message, str) else "the client failed",
        code if isinstance(code, int) else JsonRpcInternalError.CODE,
    )


def in_words(error: Exception) -> str:
    """Which members of a message are wrong, by path and without their values."""
    return "; ".join(transform_error(error, "message", lambda cause, _: _fault(cause))[:3])


def _fault(cause: BaseException) -> str:
    return "required field missing" if isinstance(cause, KeyError) else "unexpected value"


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")

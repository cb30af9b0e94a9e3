"""The host's log, on standard error: what happened, never a user's code, so no exception's message either."""

import asyncio
import logging
import sys
import threading
from typing import Any

from editflow.errors import EditFlowError
from editflow.failure import describe

log = logging.getLogger("editflow.resident")


def log_to_stderr() -> None:
    """Send the host's log to standard error, with times, and what Python would print of errors to the log."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    threading.excepthook = lambda failed: log_failure("a thread", failed.exc_value or RuntimeError())
    sys.unraisablehook = lambda failed: log_failure("a clean-up", failed.exc_value or RuntimeError())


def log_failure(doing: str, error: BaseException) -> None:
    """The type of an error and where it came from."""
    log.error("%s: %s", doing, describe(error))


def log_loop_failure(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The exception handler of the host's event loop: asyncio's own prints messages."""
    log_failure("the event loop", context.get("exception") or RuntimeError())


def readable(error: Exception) -> str:
    """One line for a user: the text of an EditFlowError, of any other error its type alone."""
    return str(error) if isinstance(error, EditFlowError) else f"internal error ({type(error).__name__})"

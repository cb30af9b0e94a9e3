"""The server's log: what happened, never what anybody's code says.

An exception's message may quote a document, so it is logged as the names of its type and of the functions it came
through. Loggers of libraries, which log whole messages, are silenced.
"""

import logging
import os
import sys
import threading
from pathlib import Path
from typing import TextIO

from editflow.errors import EditFlowError
from editflow.failure import describe, describe_type

logger = logging.getLogger("editflow")

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def setup(level: int | str, file: Path | None = None) -> None:
    """Sends the logger "editflow" to standard error, or to a file that only its owner may read.

    Also takes over what Python itself prints about exceptions nobody caught, and silences every other logger.
    Raises EditFlowError when the file cannot be written.
    """
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    handler = logging.StreamHandler() if file is None else _PrivateFileHandler(file)
    handler.setFormatter(_Formatter(FORMAT))
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    _silence_others()
    _take_over_hooks()


def log_failure(error: BaseException) -> None:
    """Logs the exception's type and the functions it came through, without its message."""
    logger.error("%s", describe(error))


class _Formatter(logging.Formatter):
    def formatException(self, ei: object) -> str:
        error = ei[1] if isinstance(ei, tuple) else None
        return "" if error is None else describe(error)


class _PrivateFileHandler(logging.StreamHandler[TextIO]):
    """Appends to a file of mode 0600; a file that was readable by others no longer is."""

    def __init__(self, file: Path) -> None:
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            if os.name == "posix":
                os.fchmod(descriptor, 0o600)
        except OSError as error:
            raise EditFlowError(f"{file}: cannot be written as a log file ({error.strerror})") from error
        self._file = os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")
        super().__init__(self._file)

    def close(self) -> None:
        self._file.close()
        super().close()


def _silence_others() -> None:
    logging.captureWarnings(True)  # a SyntaxWarning quotes the code it is about
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.NullHandler())  # else what nobody handles goes to standard error
    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)


def _take_over_hooks() -> None:
    sys.excepthook = lambda kind, error, trace: log_failure(error)
    threading.excepthook = lambda args: logger.error("%s", describe_type(args.exc_type, args.exc_traceback))
    sys.unraisablehook = lambda args: logger.error("%s", describe_type(args.exc_type, args.exc_traceback))

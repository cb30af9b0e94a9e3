"""What a log may say of an exception: its message may quote a person's code, so that it is left out."""

from __future__ import annotations

import traceback
from pathlib import PurePath
from types import TracebackType

MAX_FRAMES = 16  # the innermost ones
MAX_CAUSES = 8


def describe(error: BaseException) -> str:
    """The exception and its causes as type names and frames (file:line function), one line each cause."""
    described: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(described) < MAX_CAUSES:
        described.append(describe_type(type(cause), cause.__traceback__))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n  from ".join(described)


def describe_type(kind: type[BaseException] | None, trace: TracebackType | None) -> str:
    """One exception of which only the type is known, innermost frame first."""
    frames = [
        f"{'/'.join(PurePath(frame.f_code.co_filename).parts[-2:])}:{line} {frame.f_code.co_name}"
        for frame, line in traceback.walk_tb(trace)
    ]
    name = "exception" if kind is None else kind.__qualname__
    return " < ".join([name, *reversed(frames[-MAX_FRAMES:])])

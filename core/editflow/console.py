"""How every command of ours ends: an error that a person sees is one line, and a reader that left is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from editflow.errors import EditFlowError

USER_ERROR = 2


def guarded(run: Callable[[], object]) -> None:
    """Run a command; an EditFlowError is printed and exits with 2."""
    try:
        run()
    except EditFlowError as error:
        print(f"editflow: {error}", file=sys.stderr)
        sys.exit(USER_ERROR)
    finally:
        _flush_quietly()


def _flush_quietly() -> None:
    # A reader that left (`| head`) is no error of ours; without this, the interpreter reports it at exit.
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

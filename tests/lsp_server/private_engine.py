"""An engine for tests alone: the programs that run in its environment share it, and no other process does."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory


@contextmanager
def private_engine() -> Iterator[dict[str, str]]:
    """The environment for `editflow-lsp` and editors that start it; the engine is stopped at the end."""
    with TemporaryDirectory(prefix="ef") as folder:  # short, for a socket's path has 107 bytes at most
        environment = os.environ | {"XDG_RUNTIME_DIR": folder, "XDG_STATE_HOME": folder}
        try:
            yield environment
        finally:
            stop = [sys.executable, "-m", "editflow", "daemon", "stop"]
            subprocess.run(stop, env=environment, check=True, capture_output=True, timeout=30)

"""A person's own editor: on a hunk in a temporary file, or on the file itself at a line."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from editflow.errors import EditFlowError

_JUMPS = re.compile(r"(?:n?vim?|nano|emacs(?:client)?|micro|kak|hx|helix|joe|ne)$")
"""Editors that take +LINE before a file; others are given the file only."""


class EditorError(EditFlowError):
    """No editor, or one that failed."""


def edit_text(text: str, suffix: str) -> str:
    """The text as the person's editor left it; EditorError if that failed. `suffix` is that of the file."""
    try:
        with tempfile.TemporaryDirectory(prefix="editflow-", ignore_cleanup_errors=True) as folder:
            path = Path(folder, f"hunk{suffix}")
            path.touch(mode=0o600)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            _run([*_command(), str(path)])
            edited = path.read_bytes().decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise EditorError("the editor left text that is not UTF-8; nothing was taken") from error
    except OSError as error:
        raise EditorError(f"the text cannot be exchanged with the editor: {error.strerror}") from error
    return edited if text.endswith("\n") else edited.removesuffix("\n")  # most editors end the last line


def open_at(path: Path, line: int) -> None:
    """Open a file at a 1-based line, as far as the editor can; EditorError if that failed."""
    command = _command()
    jump = [f"+{line}"] if _JUMPS.fullmatch(Path(command[0]).name) else []
    _run([*command, *jump, str(path.absolute())])


def _command() -> list[str]:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    if not chosen.strip():
        raise EditorError("no editor is known: set EDITOR")
    try:
        return shlex.split(chosen)
    except ValueError as error:
        raise EditorError("EDITOR is not a command: check its quotes") from error


def _run(command: list[str]) -> None:
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        raise EditorError(f"the editor cannot be started: {error.strerror}") from error
    if code:
        raise EditorError(f"the editor ended with code {code}; nothing was taken")

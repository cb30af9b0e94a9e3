"""Which repository a file belongs to: the working tree around it, and the root commit that all clones share.

A repository is not trusted: git only reads, runs nothing that a configuration names, fetches nothing, and does not
go on for ever.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from editflow.document import shown
from editflow.errors import EditFlowError

PATIENCE = 60.0  # seconds
_ELSEWHERE = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_WORK_TREE",
)
"""Set where git calls us from a hook: they would name another repository than the one asked for."""
_MOST_BYTES = 4096  # of a file that names a folder


class GitTimeoutError(EditFlowError):
    """A git that did not answer in time."""


def working_tree_of(path: Path) -> Path | None:
    """The nearest folder at or above a path that has `.git`, a folder or a file; None outside of any."""
    here = Path(os.path.abspath(path))
    return next((folder for folder in (here, *here.parents) if os.path.lexists(folder / ".git")), None)


def git_folder_of(working_tree: Path) -> Path | None:
    """The folder that holds a working tree's history, shared by its linked worktrees; None where it cannot be told."""
    folder = working_tree / ".git"
    if folder.is_file():
        named = _named_in(folder, "gitdir: ")
        if named is None:
            return None
        folder = named
    return (_named_in(folder / "commondir") or folder) if folder.is_dir() else None


def root_commit(folder: Path, timeout: float = PATIENCE) -> str:
    """The first commit of HEAD's history, in a working tree's top folder or a bare repository.

    Of several, such as a merge of two projects leaves, it is the oldest by date, then by name.

    Raises:
        GitTimeoutError: git took longer than `timeout` seconds.
        EditFlowError: there is no git, no repository, no commit, or a shallow clone, whose first commit is unknown.
    """
    if _ask(folder, timeout, "rev-parse", "--is-shallow-repository") == "true":
        raise EditFlowError(
            f"{shown(folder)} is a clone without its full history: run git fetch --unshallow there"
        )
    lines = _ask(folder, timeout, "rev-list", "--max-parents=0", "--timestamp", "HEAD", "--").splitlines()
    return min((int(time), name) for time, name in (line.split() for line in lines))[1]


def has_commit(folder: Path, commit: str, timeout: float = PATIENCE) -> bool:
    """Whether a repository holds a commit, as far as git can tell; GitTimeoutError as for `root_commit`."""
    try:
        kind = _ask(folder, timeout, "cat-file", "--batch-check=%(objecttype)", text=f"{commit}\n")
    except GitTimeoutError:
        raise
    except EditFlowError:  # such as a partial clone's that may not fetch
        return False
    return kind == "commit"


def _named_in(file: Path, prefix: str = "") -> Path | None:
    """The folder that a file of git's names, relative to the file; None where there is no such file or name."""
    try:
        with file.open("rb") as stream:
            name = os.fsdecode(stream.read(_MOST_BYTES)).rstrip("\r\n")
    except OSError:
        return None
    named = name.startswith(prefix) and "\0" not in name
    return Path(os.path.abspath(file.parent / name.removeprefix(prefix))) if named else None


def _ask(folder: Path, timeout: float, *arguments: str, text: str = "") -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, input=text.encode(), env=_environment(folder), capture_output=True, timeout=timeout
        )
    except subprocess.TimeoutExpired as error:
        raise GitTimeoutError(f"git did not answer within {timeout:g} seconds in {shown(folder)}") from error
    except OSError as error:
        raise EditFlowError(f"git cannot be run ({error.strerror}): install it") from error
    if done.returncode:
        raise EditFlowError(f"git finds no history in {shown(folder)} ({_reason(done.stderr)})")
    return done.stdout.decode("ascii", "replace").strip()


def _reason(complaint: bytes) -> str:
    """The line that git ended with, printable."""
    lines = complaint.decode("utf-8", "replace").splitlines() or [""]
    reason = next((line for line in lines if line.startswith("fatal: ")), lines[0])
    return ascii(reason.removeprefix("fatal: "))[1:-1]


def _environment(folder: Path) -> dict[str, str]:
    """No other repository, none of the folders above, no network, and no commit under another's name."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return kept | {
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent),
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }

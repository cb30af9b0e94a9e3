"""How git is called: read only, in exactly the given folder, and never fetching what a partial clone lacks."""

import os
from pathlib import Path
from subprocess import run

from editflow.errors import EditFlowError

_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY")


def command(repository: Path, *arguments: str) -> list[str]:
    """The command line of git in a bare folder or working tree."""
    return ["git", "-C", str(repository), *arguments]


def environment(repository: Path) -> dict[str, str]:
    """Without another repository's variables, without a search in the folders above, and without a network."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    above = str(repository.resolve().parent)
    return kept | {
        "GIT_CEILING_DIRECTORIES": above,
        "GIT_NO_LAZY_FETCH": "1",  # since git 2.45; older ones are held back by the next
        "GIT_ALLOW_PROTOCOL": "none",
        "LC_ALL": "C",
    }


def ask(repository: Path, *arguments: str) -> bytes:
    """What git answers.

    Raises:
        EditFlowError: git is not installed, or refuses; the message holds its reason.
    """
    try:
        done = run(command(repository, *arguments), env=environment(repository), capture_output=True)
    except FileNotFoundError as error:
        raise EditFlowError("git is not installed; mining needs it") from error
    if done.returncode:
        raise refusal(repository, done.stderr)
    return done.stdout


def refusal(repository: Path, complaint: bytes) -> EditFlowError:
    """The error for what git wrote on its standard error."""
    first = complaint.decode("utf-8", "replace").strip().partition("\n")[0].removeprefix("fatal: ")
    return EditFlowError(
        f"git finds no history in {repository} ({first}); give the folder of a git repository"
    )


def head_commit(repository: Path) -> str:
    """The name of the newest commit.

    Raises:
        EditFlowError: no repository, one without a commit, or a clone of a single commit.
    """
    head = ask(repository, "rev-parse", "--verify", "HEAD^{commit}").decode().strip()
    if is_shallow(repository) and ask(repository, "rev-list", "--max-count=2", "HEAD").count(b"\n") < 2:
        raise EditFlowError(f"{repository} is a clone of one commit; run git fetch --unshallow there first")
    return head


def is_shallow(repository: Path) -> bool:
    """Whether the clone was cut off at some depth."""
    return ask(repository, "rev-parse", "--is-shallow-repository").strip() == b"true"

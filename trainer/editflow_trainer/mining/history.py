"""The commits of a repository, newest first, streamed from one `git log --raw -z`: no text is compared by git."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from subprocess import PIPE, Popen
from typing import IO

from editflow_trainer.mining.git import command, environment, head_commit, refusal

_MARK = b"\x01"
_FORMAT = "%x01%H%x00%P%x00%ct%x00%an <%ae>%x00%B"
_FIELDS = 5
_LOG = (
    "-c",
    "i18n.logOutputEncoding=UTF-8",
    "log",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "--no-mailmap",
)
_FORM = ("--no-show-signature", f"--format={_FORMAT}")
_BLOCK = 1 << 18  # bytes
_REGULAR = b"100"  # the mode of a file; links are 120000, submodules 160000


@dataclass(frozen=True, slots=True)
class FileChange:
    """A regular file that a commit modified; added, deleted and renamed ones are none."""

    old: str  # name of the blob before
    new: str
    path: str  # with forward slashes; bytes that are not UTF-8 replaced


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit with what it modified; a merge has no changes of its own."""

    name: str
    parents: int
    date: int  # seconds since 1970, of the committer
    author: str  # name <address>
    message: str
    changes: tuple[FileChange, ...]

    @property
    def subject(self) -> str:
        """The message's first line."""
        return self.message.partition("\n")[0]


def read_history(
    repository: Path,
    *,
    since: str = "",
    limit: int | None = None,
    paths: Sequence[str] = (),
    author: str = "",
) -> Iterator[Commit]:
    """Yields at most `limit` commits, newest first, merges included; `since` is a date as git reads them.

    With `paths` (pathspecs from the top of the working tree), only commits that touch them, and only their changes
    there; with `author`, a pattern, only those commits.

    Raises:
        EditFlowError: git finds no history there.
    """
    head = head_commit(repository)
    wanted = [f"--since={since}"] if since else []
    wanted += [f"--max-count={limit}"] if limit is not None else []
    wanted += [f"--author={author}"] if author else []
    places = [f":(top){path}" if not path.startswith(":") else path for path in paths]
    arguments = command(repository, *_LOG, *_FORM, *wanted, head, "--", *places)
    with tempfile.TemporaryFile() as complaints:
        with Popen(arguments, env=environment(repository), stdout=PIPE, stderr=complaints) as git:
            assert git.stdout is not None
            yield from _commits(_fields(git.stdout))
        if git.returncode:
            complaints.seek(0)
            raise refusal(repository, complaints.read())


def _fields(stream: IO[bytes]) -> Iterator[bytes]:
    """What zero bytes end."""
    rest = b""
    while block := stream.read(_BLOCK):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole


def _commits(fields: Iterator[bytes]) -> Iterator[Commit]:
    """A commit is its fields, then a header and a path for each file."""
    head: list[bytes] = []
    changes: list[FileChange] = []
    for field in chain(fields, [_MARK]):
        if field.startswith(_MARK):
            if head:
                yield _commit(head, changes)
            head = [field[1:], *(next(fields, b"") for _ in range(_FIELDS - 1))]
            changes = []
        elif header := field.lstrip(b"\n"):
            old_mode, new_mode, old, new, status = header[1:].split(b" ")
            path = next(fields).decode("utf-8", "replace")
            regular = old_mode.startswith(_REGULAR) and new_mode.startswith(_REGULAR)
            if regular and status == b"M":
                changes.append(FileChange(old.decode(), new.decode(), path))


def _commit(head: list[bytes], changes: list[FileChange]) -> Commit:
    name, parents, date, author, message = (field.decode("utf-8", "replace") for field in head)
    return Commit(name, len(parents.split()), int(date), author, message.strip(), tuple(changes))

"""Which project a folder of git holds, by name, and the projects that are never mined."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from editflow.errors import EditFlowError
from editflow_trainer.mining.git import ask

_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_INNER = {"repo", ".git"}  # folders whose parent carries the name


@dataclass(frozen=True, slots=True)
class Repository:
    """A project's name, owner/name, and where its history lies."""

    name: str
    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Repository:
        """A bare folder or working tree, named for its remote `origin`, or else for its folder.

        Raises:
            EditFlowError: git finds no repository there.
        """
        folder = folder.resolve()
        remotes = ask(folder, "config", "--local", "--default", "", "--get", "remote.origin.url")
        address = re.sub(r"^\w+://[^/]*", "", remotes.decode("utf-8", "replace").strip())
        parts = [part for part in re.split(r"[/:\\]", address) if part] or list(folder.parts)
        if len(parts) > 1 and parts[-1] in _INNER:
            parts.pop()
        last = parts[-1].removesuffix(".git")
        owner, joined, name = last.partition("+")
        full = f"{owner}/{name}" if joined else "/".join([*parts[-2:-1], last])
        return cls(re.sub(r"[^\w./-]", "_", full).strip("/"), folder)

    @property
    def file_stem(self) -> str:
        """The name as that of a file."""
        return self.name.replace("/", "+")


def read_reserved(file: Path) -> frozenset[str]:
    """The owner/name lines of a file; "#" starts a comment.

    Raises:
        EditFlowError: the file cannot be read, or a line is no name.
    """
    try:
        lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
        names = [line for line in lines if line]
    except (OSError, UnicodeDecodeError) as error:
        raise EditFlowError(f"{file} cannot be read ({error}); give a file of owner/name lines") from error
    for name in names:
        if not _NAME.fullmatch(name):
            raise EditFlowError(f"{file}: {name!r} is no repository; write owner/name")
    return frozenset(names)


def refuse_reserved(repository: Repository, reserved: Collection[str]) -> None:
    """Forks count as their project, so the name decides whoever the owner is.

    Raises:
        EditFlowError: the repository is reserved.
    """
    own = repository.name.rpartition("/")[2].lower()
    for name in reserved:
        if name.rpartition("/")[2].lower() == own:
            raise EditFlowError(
                f"{repository.name} is kept out of training as {name}; leave it out of the list"
            )

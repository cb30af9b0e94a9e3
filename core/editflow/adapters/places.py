"""Which checkout is of which repository, kept in a file so that git is asked once for each."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from editflow.adapters.adapter import ROOT, read_json
from editflow.adapters.identity import GitTimeoutError, git_folder_of, has_commit, root_commit
from editflow.adapters.private import write_json
from editflow.errors import EditFlowError

PATIENCE = 5.0  # seconds that git may take to tell which repository a file is of
MAX_PLACES = 1000
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Place:
    """What is known of a git folder."""

    root: str
    """The root commit; empty where git could not tell in time."""
    mark: tuple[int, ...]
    """What changes where another repository takes the folder's place; now and then it changes otherwise too."""


class Places:
    """The file; one that is damaged counts as empty, since git can be asked again."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def root_of(self, working_tree: Path) -> str | None:
        """The root commit of a checkout; None where git cannot tell, as for a clone without its full history.

        git is asked for a checkout that is new or seems another one. Where it is too slow, it is asked no more.

        Raises:
            GitTimeoutError: git took too long, now.
        """
        try:
            git_folder = git_folder_of(working_tree)
            if git_folder is None:
                return None
            mark, kept = _mark_of(git_folder), self._read().get(str(git_folder))
            if kept and kept.mark == mark:
                return kept.root or None
            still = kept and kept.root and has_commit(working_tree, kept.root, PATIENCE)
            root = kept.root if kept and still else root_commit(working_tree, PATIENCE)
        except GitTimeoutError:
            self._try_to_keep(working_tree, "")
            raise
        except (EditFlowError, OSError):
            return None
        self._try_to_keep(working_tree, root)
        return root

    def keep(self, working_tree: Path, root: str) -> None:
        """Keep it in place of what was kept before; the oldest make room. OSError where it cannot be written."""
        git_folder = git_folder_of(working_tree)
        if git_folder is not None:
            places = self._read()
            places.pop(str(git_folder), None)
            places[str(git_folder)] = _Place(root, _mark_of(git_folder))
            self._write(dict(list(places.items())[-MAX_PLACES:]))

    def forget(self, root: str) -> None:
        """Keep nothing of a repository's checkouts. OSError where it cannot be written."""
        places = self._read()
        if any(place.root == root for place in places.values()):
            self._write({name: place for name, place in places.items() if place.root != root})

    def _try_to_keep(self, working_tree: Path, root: str) -> None:
        with suppress(OSError):  # what is not kept is asked again
            self.keep(working_tree, root)

    def _read(self) -> dict[str, _Place]:
        try:
            content = read_json(self.file, MAX_BYTES)
        except (OSError, ValueError):
            return {}
        entries = content.items() if isinstance(content, dict) else ()
        return {name: place for name, entry in entries if (place := _place(entry))}

    def _write(self, places: dict[str, _Place]) -> None:
        write_json(self.file, {name: {"root": p.root, "mark": p.mark} for name, p in places.items()})


def _place(entry: object) -> _Place | None:
    """An entry of the file, if it has its form."""
    if not isinstance(entry, dict):
        return None
    root, mark = entry.get("root"), entry.get("mark")
    if not isinstance(root, str) or not (root == "" or ROOT.fullmatch(root)) or not isinstance(mark, list):
        return None
    return _Place(root, tuple(number for number in mark if isinstance(number, int)))


def _mark_of(git_folder: Path) -> tuple[int, ...]:
    """The folder's inode, and its configuration's time of change in nanoseconds; OSError where there is none."""
    return git_folder.stat().st_ino, (git_folder / "config").stat().st_mtime_ns

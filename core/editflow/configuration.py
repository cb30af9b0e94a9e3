"""What a repository says about how it is edited: `editflow.toml`, or `[tool.editflow]` in `pyproject.toml`.

A repository is not trusted. It may switch EditFlow off, exclude files, and ask for shorter files and more confidence;
what runs, and where, is for the person to choose.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from editflow import globs
from editflow.document import shown

MAX_BYTES = 64 * 1024
FILES = ("editflow.toml", "pyproject.toml")
_NOT_ITS_CHOICE = re.compile(
    "adapter|backend|binary|checkpoint|command|daemon|device|directory|environment|executable|folder|interpreter"
    "|model|path|program|python|script|server|socket|tokenizer|url|weights",
    re.IGNORECASE,
)
"""In names of keys that say what runs, and where."""
_SHOWN_KEYS = 5
_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the configuration nearest to a file asks for; None where it asks for nothing."""

    path: Path | None = None
    """The file that it was read from."""
    enabled: bool = True
    exclude: tuple[str, ...] = ()
    """Patterns of `editflow.globs`, relative to the folder of `path`."""
    max_lines: int | None = None
    """Most lines that a file may have."""
    threshold: float | None = None
    """Confidence below which nothing is to be proposed, however little the person asks for."""
    problems: tuple[str, ...] = ()
    """What was left out and why, one readable line each."""

    @classmethod
    def of(cls, path: Path, workspace: Path | None = None) -> Configuration:
        """The nearest configuration at or above a file, not above its workspace or repository, nor in the home folder.

        Never raises: a configuration that cannot be used is a problem.
        """
        folders, top = _folders(path, workspace)
        problems: tuple[str, ...] = ()
        for file in (folder / name for folder in folders for name in FILES):
            found = _read(file, top)
            problems += found.problems
            if found.path is not None:
                return replace(found, problems=problems)
        return cls(problems=problems)

    def excludes(self, path: Path) -> bool:
        """Whether a file is excluded by one of the patterns."""
        path = _absolute(path)
        if self.path is None or not path.is_relative_to(self.path.parent):
            return False
        return globs.matches(self.exclude, path.relative_to(self.path.parent))

    def refusal(self, path: Path | None, lines: int) -> str | None:
        """Why a document of so many lines is left alone, in words; None where it is not. No path: it is no file."""
        if not self.enabled:
            return f"switched off by {shown(self.path)}"
        if path is not None and self.excludes(path):
            return f"excluded by {shown(self.path)}"
        if self.max_lines is not None and lines > self.max_lines:
            return f"{lines} lines are more than the {self.max_lines} of {shown(self.path)}"
        return None


def is_flag(value: object) -> bool:
    """Whether it is true or false."""
    return isinstance(value, bool)


def is_list(value: object) -> bool:
    """Whether it is a list, of whatever."""
    return isinstance(value, list)


def is_count(value: object) -> bool:
    """Whether it is a whole number above 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def is_probability(value: object) -> bool:
    """Whether it is a number from 0 to 1."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


Checks = Mapping[str, tuple[Callable[[object], bool], str]]
"""For a name, whether a value will do, and in words which would."""

_CHECKS: Checks = {
    "enabled": (is_flag, "true or false"),
    "exclude": (is_list, "a list of patterns"),
    "max-lines": (is_count, "a whole number above 0"),
    "threshold": (is_probability, "a number from 0 to 1"),
}


def _folders(path: Path, workspace: Path | None) -> tuple[list[Path], Path]:
    """Folders to look in, nearest first, and the one that links must not lead out of."""
    home = Path(os.path.expanduser("~"))
    homes = home, home.resolve()
    outermost = None if workspace is None else _absolute(workspace)
    folders: list[Path] = []
    for folder in _absolute(path).parents:
        if folder in homes:
            break
        folders.append(folder)
        if folder == outermost or os.path.lexists(folder / ".git"):
            return folders, folder
    return folders, _absolute(path).parent


def _absolute(path: Path) -> Path:
    """Links are kept: a linked folder belongs to the workspace that links to it."""
    return Path(os.path.abspath(path))


def _read(file: Path, top: Path) -> Configuration:
    """The configuration in a file; no path in it where there is none."""
    try:
        status = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Configuration()
    except OSError as error:
        return _unusable(file, f"cannot be read: {error.strerror}")
    if not stat.S_ISREG(status.st_mode):
        return _unusable(file, "is not a regular file")
    if status.st_size > MAX_BYTES:
        return _unusable(file, f"is larger than {MAX_BYTES >> 10} KiB")
    if file.is_symlink() and not file.resolve().is_relative_to(top.resolve()):
        return _unusable(file, "is a link that leads out of the workspace")
    try:
        data = file.read_bytes()
    except OSError as error:
        return _unusable(file, f"cannot be read: {error.strerror}")
    return _parsed(file, data)


@lru_cache(maxsize=64)
def _parsed(file: Path, data: bytes) -> Configuration:
    try:
        content: object = tomllib.loads(data.decode())
    except UnicodeDecodeError:
        return _unusable(file, "is not valid UTF-8")
    except (ValueError, RecursionError) as error:
        return _unusable(file, f"is not valid TOML: {str(error)[:_LONGEST_REASON]}")
    for key in ("tool", "editflow") if _is_shared(file) else ():
        content = content.get(key) if isinstance(content, dict) else None
        if content is None:
            return Configuration()
    if not isinstance(content, dict):
        return _unusable(file, "has a [tool.editflow] that is not a table")
    return _configuration(file, content)


def _configuration(file: Path, content: dict[str, Any]) -> Configuration:
    good: dict[str, Any] = {}
    problems = _problems_of_keys(content)
    for key, (accepts, expected) in _CHECKS.items():
        if accepts(content.get(key)):
            good[key.replace("-", "_")] = content[key]
        elif key in content:
            problems.append(f"{key} must be {expected}")
    good["exclude"], wrong = globs.usable(good.get("exclude", []))
    problems += [f"exclude {reason}" for reason in wrong]
    return Configuration(file, **good, problems=tuple(f"{shown(file)}: {problem}" for problem in problems))


def _problems_of_keys(content: Iterable[str]) -> list[str]:
    others = [key for key in content if key not in _CHECKS]
    refused = [key for key in others if _NOT_ITS_CHOICE.search(key)]
    unknown = [key for key in others if key not in refused]
    problems = []
    if refused:
        problems.append(f"a repository cannot choose {_listed(refused)}; that is for your own settings")
    if unknown:
        problems.append(f"unknown {_listed(unknown)}; known are {', '.join(_CHECKS)}")
    return problems


def _listed(keys: list[str]) -> str:
    names = [key if key.isprintable() and len(key) <= 40 else ascii(key[:40]) for key in keys]
    more = [f"{len(keys) - _SHOWN_KEYS} more"] if len(keys) > _SHOWN_KEYS else []
    return ", ".join(names[:_SHOWN_KEYS] + more)


def _is_shared(file: Path) -> bool:
    """Whether the file belongs to other tools too."""
    return file.name == "pyproject.toml"


def _unusable(file: Path, reason: str) -> Configuration:
    """An empty configuration; a file that may well have nothing to do with us does not end the search."""
    problem = f"{shown(file)}: {reason}; it counts as empty"
    return Configuration(None if _is_shared(file) else file, problems=(problem,))

"""Small git repositories with histories that tests write down."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_COMMITTER_DATE": "2020-02-02T00:00:00Z",
}

SHOP = '''\
import math


class Shop:
    """Sells."""

    def total(self, prices, tax):
        """The sum."""
        amount = sum(prices)
        return amount + tax

    def name(self):
        return self.owner.name


def area(radius):
    return math.pi * radius * radius
'''


def git(folder: Path, *arguments: str, **variables: str) -> str:
    """What git prints."""
    command = ["git", "-c", "commit.gpgsign=false", "-C", str(folder), *arguments]
    done = subprocess.run(command, env=ENVIRONMENT | variables, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace").strip()


def make(folder: Path) -> Path:
    """An empty repository in a new folder."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit(folder: Path, message: str, files: Mapping[str, str | bytes], **variables: str) -> str:
    """Write files, commit all, and give the commit's name."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message, **variables)
    return git(folder, "rev-parse", "HEAD")


def replaced(old: str, new: str, text: str = SHOP) -> str:
    """The text with the only occurrence of `old` replaced."""
    assert text.count(old) == 1
    return text.replace(old, new)

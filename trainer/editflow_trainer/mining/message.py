"""What a commit's message and author say: whether it is a fix, a revert or a program's work."""

import re

MOST_CHARACTERS = 1000

_FIX = re.compile(r"\b((bug|hot)?fix(es|ed|ing)?|bugs?|errors?)\b", re.IGNORECASE)
_REVERT = re.compile(r"\Arevert\b|^this reverts commit\b", re.IGNORECASE | re.MULTILINE)
_BOT = re.compile(
    r"\[bot\]|\bbot\b|-bot\b|\b(dependabot|renovate|greenkeeper|pyup|pre-commit-ci|github[- ]actions?|jenkins|"
    r"travis|zuul|weblate|transifex|codecov|snyk|mergify)\b",
    re.IGNORECASE,
)
_TRAILER = re.compile(r"^(?:[A-Z][A-Za-z]*(?:-[A-Za-z]+)+|git-svn-id): .*(?:\n|\Z)", re.MULTILINE)
"""Lines such as Signed-off-by and Change-Id: names, addresses and keys of other systems."""


def says_fix(subject: str) -> bool:
    """Whether a commit's subject says that it fixes something."""
    return _FIX.search(subject) is not None


def is_revert(message: str) -> bool:
    """Whether a commit takes another one back."""
    return _REVERT.search(message) is not None


def is_bot(author: str) -> bool:
    """Whether the author's name or address is that of a program."""
    return _BOT.search(author) is not None


def clean_message(message: str) -> str:
    """The message without trailers, cut to MOST_CHARACTERS."""
    return _TRAILER.sub("", message).strip()[:MOST_CHARACTERS].strip()

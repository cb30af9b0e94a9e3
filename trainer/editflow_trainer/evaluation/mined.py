"""Real fixes for evaluation: commits of mined repositories that say so and change one Python function, tests aside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from editflow.errors import EditFlowError
from editflow_trainer.fix_kinds import FixKind
from editflow_trainer.mining.edits import Level, MinedEdit
from editflow_trainer.mining.store import MANIFEST, Store

_TEST = re.compile(r"(^|/)(tests?|testing|testsuite|test_[^/]*|[^/]*_tests?|conftest)(\.py$|/)")
_STRONG = re.compile(r"\b((bug|hot)?fix(es|ed|ing)?|bugs?|regressions?)\b", re.IGNORECASE)
_COSMETIC = re.compile(
    r"\b(typos?|spelling|lint(ing|er)?|flake8|pylint|pep ?8|mypy|typing|type hints?|doc(s|strings?|umentation)?|"
    r"comments?|format(ting)?|deprecat\w*|warnings?|tests?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Fix:
    """A function before and after its fix, and how sure it is that this is one."""

    edit: MinedEdit
    tier_a: bool
    """The subject names a fix and nothing cosmetic, and the commit modifies a test too."""

    @property
    def kind(self) -> FixKind:
        """What was wrong."""
        return FixKind(self.edit.kind)


def open_mined(folder: Path) -> Store:
    """A folder that `editflow mine` wrote; EditFlowError where it is none."""
    if not (folder / MANIFEST).is_file():
        raise EditFlowError(
            f"{folder} holds no mined edits; run editflow mine REPO... -o DIR, then --data DIR"
        )
    store = Store(folder, {})
    if not store.entries:
        raise EditFlowError(f"{folder} holds no repository yet; wait for editflow mine to end one")
    return store


def fixes_in(edits: Iterable[MinedEdit]) -> Iterator[Fix]:
    """The single-function fixes among edits that come commit by commit, in their order."""
    for _, group in groupby(edits, key=lambda edit: edit.commit):
        commit = list(group)
        code = [edit for edit in commit if edit.language == "python" and not is_test(edit.path)]
        if (
            len(code) == 1
            and code[0].level is Level.function
            and code[0].kind not in ("", FixKind.formatting)
        ):
            tested = any(is_test(edit.path) for edit in commit)
            yield Fix(code[0], tier_a=tested and says_strongly(code[0].message))


def is_test(path: str) -> bool:
    """Whether a file is a test or belongs to some."""
    return _TEST.search(path) is not None


def says_strongly(message: str) -> bool:
    """Whether the subject names a fix, and not one of text, types, style or tests."""
    subject = message.partition("\n")[0]
    return _STRONG.search(subject) is not None and _COSMETIC.search(subject) is None

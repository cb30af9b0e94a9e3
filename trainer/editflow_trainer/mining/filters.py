"""The filters, cheapest first. Each answers with its name, or with None for what stays."""

from __future__ import annotations

import re

from editflow_trainer.injection.source import parse
from editflow_trainer.mining.edits import Level, MinedEdit
from editflow_trainer.mining.history import Commit
from editflow_trainer.mining.languages import language_of
from editflow_trainer.mining.message import is_bot, is_revert
from editflow_trainer.mining.outline import outline
from editflow_trainer.mining.reasons import Reason
from editflow_trainer.mining.secrets import detect_secret
from editflow_trainer.mining.syntax import equal_trees

MOST_FILES = 20  # modified by one commit
MOST_CHARACTERS = 8000  # of either side of an edit
MOST_LINE = 500  # characters; longer lines are data
_HEAD = 500  # characters of a file in which a generator names itself

_VENDORED = re.compile(
    r"(^|/)(_?vendor(ed|ing|s)?|[^/]*_vendor|externs?|_?externals?|[^/]*third[_-]?party[^/]*|node_modules|"
    r"packages|site-packages|bower_components|dist|bundled(_libs)?)/",
    re.IGNORECASE,
)
_GENERATED_NAME = re.compile(
    r"(^|/)(versioneer|_version|ez_setup|get-pip)\.py$|_pb2(_grpc)?\.pyi?$|(^|/)migrations/|[.-]min\.|"
    r"\.(generated|designer)\.|_generated\.|(^|/)generated/|\.pb\.",
    re.IGNORECASE,
)
_GENERATED_HEAD = re.compile(
    r"@generated|(auto(matically)?[- ]?)?generated (by|from|file|code|with)|do not (edit|modify)",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"#[^\n]*")


def commit_reason(commit: Commit) -> Reason | None:
    """Why no edit of a commit is taken."""
    if commit.parents > 1:
        return Reason.merge
    if is_revert(commit.message):
        return Reason.revert
    if is_bot(commit.author):
        return Reason.bot
    return Reason.too_many_files if len(commit.changes) > MOST_FILES else None


def path_reason(path: str) -> Reason | None:
    """Why a file is not read."""
    if language_of(path) is None:
        return Reason.not_code
    if _VENDORED.search(path):
        return Reason.vendored
    return Reason.generated if _GENERATED_NAME.search(path) else None


def text_reason(old: str, new: str, language: str) -> Reason | None:
    """Why a file's change is not cut into edits."""
    if _GENERATED_HEAD.search(old[:_HEAD]):
        return Reason.generated
    if old.split() == new.split() and language != "python":
        return Reason.formatting_only
    outlines = outline(old, language), outline(new, language)
    return Reason.does_not_parse if any(side and not side.parses for side in outlines) else None


def edit_reason(edit: MinedEdit) -> Reason | None:
    """Why an edit is dropped, whatever other edits there are."""
    both = edit.before, edit.after
    if max(map(len, both)) > MOST_CHARACTERS or max(map(_longest_line, both)) > MOST_LINE:
        return Reason.too_large
    is_function = edit.language == "python" and edit.level is Level.function
    reason = _function_reason(edit) if is_function else _layout_reason(edit)
    if reason is None and detect_secret("\n".join((*both, edit.message))) is not None:
        return Reason.secret
    return reason


def dedented(text: str) -> str:
    """The lines without the first one's indentation, where they have it; a string's lines may have less."""
    margin = text[: len(text) - len(text.lstrip(" \t"))]
    return "".join(line.removeprefix(margin) for line in text.splitlines(keepends=True))


def _longest_line(text: str) -> int:
    return max(map(len, text.split("\n")))


def _function_reason(edit: MinedEdit) -> Reason | None:
    old, new = parse(dedented(edit.before)), parse(dedented(edit.after))
    if old is None or new is None:
        return Reason.does_not_parse
    try:
        if equal_trees(old, new):
            return Reason.formatting_only
        return Reason.docstring_only if equal_trees(old, new, docstrings=False) else None
    except RecursionError:
        return Reason.too_large


def _layout_reason(edit: MinedEdit) -> Reason | None:
    if edit.language != "python":
        equal = edit.before.split() == edit.after.split()
    else:
        equal = _python_layout(edit.before) == _python_layout(edit.after)
    return Reason.formatting_only if equal else None


def _python_layout(text: str) -> list[str]:
    """Lines without comments; indentation counts, blank lines and trailing space do not."""
    return [line.rstrip() for line in _COMMENT.sub("", text).split("\n") if line.strip()]

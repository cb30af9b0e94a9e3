"""The edits that a commit made to one file: each changed function whole, and all else as hunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import chain

from rapidfuzz.distance import LCSseq

from editflow_trainer.mining.history import Commit, FileChange
from editflow_trainer.mining.hunks import hunks, lines_of
from editflow_trainer.mining.message import clean_message
from editflow_trainer.mining.outline import Definition, Outline, outline


class Level(StrEnum):
    """What an edit's text is."""

    function = "function"
    """A whole function or method, with its decorators."""
    hunk = "hunk"
    """Changed lines and a few equal ones around."""


@dataclass(frozen=True, slots=True)
class MinedEdit:
    """One edit; applying all of a file's edits to the old file gives the new one."""

    before: str  # whole lines with their original indentation, "\n" line ends
    after: str
    repository: str  # owner/name
    commit: str
    date: int  # of the commit, seconds since 1970
    path: str
    language: str
    level: Level
    scope: str  # the function's qualified name; of a hunk, that of the definition around it, or ""
    line: int  # 1-based, of `before` in the old file
    message: str
    kind: str = ""  # a FixKind; "" where the edit is no fix of a Python function
    diagnostics: int | None = None  # complaints about `before` in its file; None if not computed


def extract(
    repository: str, commit: Commit, change: FileChange, old: str, new: str, language: str
) -> Iterator[MinedEdit]:
    """Yields a file's edits in its order, disjoint; functions only where a grammar is installed."""
    lines, new_lines = lines_of(old), lines_of(new)
    found, new_found = outline(old, language), outline(new, language)
    pairs = list(_changed(found, new_found, lines, new_lines)) if found and new_found else []
    make = partial(
        MinedEdit,
        repository=repository,
        commit=commit.name,
        date=commit.date,
        path=change.path,
        language=language,
        message=clean_message(commit.message),
    )
    end = Definition("", len(lines), len(lines)), Definition("", len(new_lines), len(new_lines))
    at = new_at = 0
    for was, now in chain(pairs, [end]):
        for hunk in hunks(lines[at : was.first], new_lines[new_at : now.first]):
            start = at + hunk.start
            scope = found.scope(start, start + len(hunk.before)) if found else ""
            texts = "".join(hunk.before), "".join(hunk.after)
            yield make(*texts, level=Level.hunk, scope=scope, line=start + 1)
        if was.name:
            texts = "".join(lines[was.first : was.last]), "".join(new_lines[now.first : now.last])
            yield make(*texts, level=Level.function, scope=was.name, line=was.first + 1)
        at, new_at = was.last, now.last


def _changed(
    old: Outline, new: Outline, lines: Sequence[str], new_lines: Sequence[str]
) -> Iterator[tuple[Definition, Definition]]:
    """Functions of one name, in the same order on both sides, whose lines differ."""
    names, new_names = ([function.name for function in side.functions] for side in (old, new))
    for op in LCSseq.opcodes(names, new_names):
        if op.tag == "equal":
            both = zip(
                old.functions[op.src_start : op.src_end],
                new.functions[op.dest_start : op.dest_end],
                strict=True,
            )
            for was, now in both:
                if lines[was.first : was.last] != new_lines[now.first : now.last]:
                    yield was, now

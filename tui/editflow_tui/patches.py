"""Patches as proposals: what any unified diff would change in the files of a folder, to be decided hunk by hunk."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from editflow.document import Document, shown, split_lines
from editflow.proposal import Proposal, TextEdit
from editflow_tui.unified import Block, FilePatch, PatchError, parse

_BOM = BOM_UTF8.decode("latin-1")


def _ignore(_note: str) -> None:
    """For a caller that shows no notes."""


def read_patch(data: bytes, folder: Path, say: Callable[[str], None] = _ignore) -> list[Proposal]:
    """A proposal for each changed file, with a hunk for each run of changed lines.

    `say` is told, one line at a time, what is left out (new, deleted, renamed and binary files) and which blocks fit
    elsewhere than they say. PatchError or DocumentError if the patch is malformed, leaves the folder, or is not of
    the files as they are.
    """
    files = parse(data)
    if data.strip() and not files:
        raise PatchError("this is no unified diff: make one with git diff")
    proposals: dict[Path, Proposal] = {}
    for file in files:
        if reason := _left_out(file):
            say(f"{_called(file)}: {reason}: left out")
            continue
        path = _found(file, folder)
        if (real := path.resolve()) in proposals:
            raise PatchError(
                f"line {file.number} of the patch: {shown(path)} a second time; review one patch a time"
            )
        document = Document.read(path)
        proposals[real] = Proposal.from_edits(document, _edits(file, document, say))
    return [proposal for proposal in proposals.values() if proposal.hunks]


def _left_out(file: FilePatch) -> str:
    """Why a file is not reviewed, or nothing."""
    if file.kind:
        return f"is {file.kind}"
    return "" if file.blocks else "no line of it changes"


def _called(file: FilePatch) -> str:
    return shown(Path(file.names[0])) if file.names else shown(Path(file.title))


def _found(file: FilePatch, folder: Path) -> Path:
    """The file in the folder."""
    where = f"line {file.number} of the patch: {_called(file)}"
    path = next((folder / name for name in file.names if os.path.isfile(folder / name)), None)
    if path is None:
        raise PatchError(f"{where}: is not in {shown(folder)}; go to the folder that the patch was made in")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PatchError(f"{where}: is outside {shown(folder)}; go to a folder that holds it")
    return path


def _edits(file: FilePatch, document: Document, say: Callable[[str], None]) -> Iterator[TextEdit]:
    """One edit for each run of changed lines."""
    lines = split_lines(document.data.decode("latin-1"))
    offsets = [*accumulate(map(len, split_lines(document.text)), initial=0)]
    done = drift = 0
    for block in _blocks(file, lines):
        name = f"{shown(document.path)}: the block at line {block.number} of the patch"
        at = _place(block.old, lines, done, block.start + drift)
        if at is None:
            raise PatchError(f"{name} is not of this file as it is now; make the patch again")
        if at != block.start + drift:
            drift = at - block.start
            say(f"{name} fits {abs(drift)} lines further {'down' if drift > 0 else 'up'}")
        done = at + len(block.old)
        for start, end, new in _runs(block, at):
            if _joins_lines(lines, start, end, new):
                raise PatchError(f"{name} has a line without an end that is not the last one of the file")
            text = _decoded(new, document, name, first=start == 0)
            yield offsets[start], offsets[end], text, 1.0


def _blocks(file: FilePatch, lines: Sequence[str]) -> list[Block]:
    """The blocks; without the "\\r" that all of the patch has where the file has none."""
    have = set(lines)
    if not file.crlf or all(line in have for block in file.blocks for line in block.old):
        return file.blocks
    return [replace(block, lines=tuple(map(_without_return, block.lines))) for block in file.blocks]


def _without_return(line: tuple[str, str]) -> tuple[str, str]:
    kind, text = line
    return kind, text.removesuffix("\n").removesuffix("\r") + "\n" * text.endswith("\n")


def _place(old: Sequence[str], lines: Sequence[str], first: int, expected: int) -> int | None:
    """The line nearest to the expected one, from `first` on, where the old lines are."""
    size = len(old)
    if not old:
        return expected if first <= expected <= len(lines) else None
    if first <= expected and lines[expected : expected + size] == old:
        return expected
    starts = (i for i in range(first, len(lines) - size + 1) if lines[i] == old[0])
    places = (i for i in starts if lines[i : i + size] == old)
    return min(places, key=lambda i: abs(i - expected), default=None)


def _runs(block: Block, at: int) -> Iterator[tuple[int, int, str]]:
    """First line and end of each run of changed lines, from line `at` of the file on, and what they become."""
    start, new = at, ""
    for kind, line in (*block.lines, (" ", "")):
        if kind == " ":
            if new or start < at:
                yield start, at, new
            start, new = at + 1, ""
        at += kind != "+"
        new += line if kind == "+" else ""


def _joins_lines(lines: Sequence[str], start: int, end: int, new: str) -> bool:
    """Whether a run would make one line out of two."""
    before = start > 0 and bool(new) and not lines[start - 1].endswith("\n")
    return before or (end < len(lines) and bool(new) and not new.endswith("\n"))


def _decoded(new: str, document: Document, name: str, *, first: bool) -> str:
    """New lines, one character a byte, as text of the document."""
    if first and document.bom:
        if not new.startswith(_BOM):
            raise PatchError(f"{name} takes away the byte order mark; leave that to an editor")
        new = new.removeprefix(_BOM)
    try:
        return new.encode("latin-1").decode(document.encoding)
    except UnicodeDecodeError as error:
        raise PatchError(f"{name} is not in the file's encoding, {document.encoding}") from error

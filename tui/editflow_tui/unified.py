"""Reads unified diffs, as git and diff write them, strictly: what does not add up is refused with its line.

Patches have no one encoding, for they hold parts of files that each have their own; here, text is one character a
byte (latin-1), and only names are decoded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from editflow.document import split_lines
from editflow.errors import EditFlowError

_RANGES = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_PREFIXES = re.compile(r"[abciow12]/")
_ESCAPE = re.compile(r"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_SIGNATURE = re.compile(r"--\s*$")  # ends a mail with a patch
_KINDS = {
    "new file mode": "new",
    "deleted file mode": "deleted",
    "rename from": "renamed",
    "copy from": "copied",
    "Binary files": "binary",
    "GIT binary patch": "binary",
}
_LINK_OR_MODULE = re.compile(r"index \S+ 1[26]0000$")


class PatchError(EditFlowError):
    """A patch that cannot be read, or that does not fit the files."""


@dataclass(frozen=True, slots=True)
class Block:
    """One "@@" block: lines with what is done with each of them, " ", "-" or "+"."""

    number: int
    """The 1-based line of the patch where it starts."""
    start: int
    """The 0-based line of the old file where it starts."""
    lines: tuple[tuple[str, str], ...]
    """Without "\\n" where the file ends without one."""

    @property
    def old(self) -> list[str]:
        """The lines that the file must have."""
        return [line for kind, line in self.lines if kind != "+"]


@dataclass(slots=True)
class FilePatch:
    """What a patch does to one file, filled as it is read."""

    number: int
    """The 1-based line of the patch where it starts."""
    title: str = ""
    """What git or diff call it where it has no names."""
    old: str | None = None
    """The name before; None where there was no file."""
    new: str | None = None
    """The name after."""
    kind: str = ""
    """`new`, `deleted`, `renamed`, `copied`, `binary` or `a link or a submodule`; empty: a file that is changed."""
    blocks: list[Block] = field(default_factory=list)
    crlf: bool = False
    """The patch's own lines end in "\\r\\n", so that those of its text may have got theirs with them."""

    @property
    def names(self) -> list[str]:
        """What the file may be called, likeliest first."""
        names = [name for name in (self.new, self.old) if name is not None]
        bare = {name[2:] for name in names}
        if len(bare) == 1 and self.old != self.new and all(map(_PREFIXES.match, names)):
            names.insert(0, bare.pop())
        return list(dict.fromkeys(names))


def parse(data: bytes) -> list[FilePatch]:
    """The files that a patch names, in order; PatchError where it is malformed."""
    return _Parser(data).files


class _Parser:
    """Goes through a patch once, line by line."""

    def __init__(self, data: bytes) -> None:
        self.files: list[FilePatch] = []
        text = data.decode("latin-1")
        self._lines = split_lines(text if text.endswith("\n") else text + "\n")
        self._at = 0
        self._after_block = self._named = False
        while self._at < len(self._lines):
            self._read(self._lines[self._at])

    def _read(self, line: str) -> None:
        """One line outside of blocks."""
        if line.startswith("diff --git "):
            self._begin(line.removeprefix("diff --git ").rstrip())
        elif line.startswith("--- ") and self._next().startswith("+++ "):
            self._read_names(line, self._next())
        elif line.startswith(("@@@", "diff --cc ", "diff --combined ")):
            raise self._error("a diff of a merge has no one old side; review it against one parent")
        elif line.startswith("@@ "):
            self._read_block(line)
        elif self._after_block and line[0] in " +-\\" and not _SIGNATURE.match(line):
            raise self._error('more lines than the "@@" line before says')
        elif line.startswith("Binary files ") and (self._named or not self.files):
            self._begin(line.removeprefix("Binary files ").rstrip().removesuffix(" differ")).kind = "binary"
        elif self.files and not self._named:
            self._read_header(line)
        self._at += 1

    def _begin(self, title: str = "") -> FilePatch:
        self._named = self._after_block = False
        self.files.append(FilePatch(self._at + 1, title=title))
        return self.files[-1]

    def _read_header(self, line: str) -> None:
        """Git's own lines between "diff --git" and the names."""
        file = self.files[-1]
        if _LINK_OR_MODULE.match(line.rstrip()):
            file.kind = "a link or a submodule"
        for words, kind in _KINDS.items():
            if line.startswith(words):
                file.kind = kind

    def _read_names(self, old: str, new: str) -> None:
        fresh = not self.files or self._named or self._after_block
        file = self._begin() if fresh else self.files[-1]
        file.old, file.new = self._name(old), self._name(new)
        if file.old is None and file.new is None:
            raise self._error("neither side has a name")
        file.kind = file.kind or ("new" if file.old is None else "deleted" if file.new is None else "")
        file.crlf = old.endswith("\r\n") and new.endswith("\r\n")
        self._named, self._after_block = True, False
        self._at += 1

    def _name(self, line: str) -> str | None:
        """The name in a "---" or "+++" line; None for /dev/null."""
        name = line[4:].split("\t")[0].rstrip("\r\n")
        if name.startswith('"'):
            if len(name) < 2 or not name.endswith('"'):
                raise self._error("a quoted name does not end")
            name = _ESCAPE.sub(self._unescaped, name[1:-1])
        if not name or "\0" in name:
            raise self._error("no file has such a name")
        return None if name == "/dev/null" else os.fsdecode(name.encode("latin-1"))

    def _unescaped(self, escape: re.Match[str]) -> str:
        code = escape[1]
        if len(code) == 3 and int(code, 8) < 256:
            return chr(int(code, 8))
        if code not in _ESCAPED:
            raise self._error("a quoted name has an unknown escape")
        return _ESCAPED[code]

    def _read_block(self, header: str) -> None:
        ranges = _RANGES.match(header)
        if ranges is None:
            raise self._error('an "@@" line without its two ranges')
        if not self._named:
            raise self._error('an "@@" line before the names of the file ("---" and "+++")')
        start, *counts = (1 if ranges[i] is None else int(ranges[i]) for i in (1, 2, 4))
        number, lines = self._at + 1, tuple(self._block_lines(*counts))
        if all(kind == " " for kind, _ in lines):
            raise PatchError(f"line {number} of the patch: a block that changes nothing")
        self.files[-1].blocks.append(Block(number, max(0, start - 1) if counts[0] else start, lines))
        self._after_block = True

    def _block_lines(self, old: int, new: int) -> Iterator[tuple[str, str]]:
        """The lines of a block, this many of either side."""
        while old or new:
            line = self._next()
            blank = line in ("\n", "\r\n")  # editors strip the space of an empty line
            kind = " " if blank else line[:1]
            old, new = old - (kind in (" ", "-")), new - (kind in (" ", "+"))
            if kind not in (" ", "-", "+") or old < 0 or new < 0:
                raise self._error('fewer or other lines than the "@@" line says', 1)
            self._at += 1
            ends = self._next().startswith("\\")
            if ends and ((kind != "+" and old) or (kind != "-" and new)):
                raise self._error("a line without an end before others", 1)
            self._at += ends
            text = line if blank else line[1:]
            yield kind, text.removesuffix("\n") if ends else text

    def _next(self) -> str:
        return self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""

    def _error(self, words: str, ahead: int = 0) -> PatchError:
        return PatchError(f"line {self._at + 1 + ahead} of the patch: {words}")

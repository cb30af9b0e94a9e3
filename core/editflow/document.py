"""A document: the bytes of a file exactly as read, the text they hold, and the way from text back to bytes.

Line endings, the byte order mark and the declared encoding survive a round trip. Lines end at "\\n" only, as
they do for git; `str.splitlines` would also split at form feeds and other characters.
"""

import codecs
import io
import re
import stat
import tokenize
from bisect import bisect_right
from codecs import BOM_UTF8
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import accumulate
from os import PathLike
from pathlib import Path
from typing import Self

from editflow.errors import EditFlowError

MAX_BYTES = 2 * 1024 * 1024
MAX_LINE = 10_000  # characters: a window holds whole lines, and its cost grows with their square
_PYTHON_SUFFIXES = frozenset({".py", ".pyi", ".pyw"})
_ASCII = bytes(range(128))
_REMEDY = "save the file as UTF-8 or declare its encoding"
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


class DocumentError(EditFlowError):
    """A file that cannot be read as a document, or a text that the document's encoding cannot hold."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a file looked like when it was read; the digest decides, the rest is for a quick look."""

    mtime_ns: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Document:
    """The bytes of a file and their text: no byte order mark in it, line endings untouched."""

    path: Path | None  # None: standard input or an unnamed buffer
    data: bytes
    text: str
    encoding: str
    bom: bool
    version: int = 0
    fingerprint: Fingerprint | None = None  # None: not read from a file

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Self:
        """Read a regular file; DocumentError says why it cannot be edited."""
        path = Path(path)
        try:
            status = path.stat()
            _check_kind(path, status.st_mode, status.st_size)
            data = path.read_bytes()
        except OSError as error:
            raise DocumentError(f"{shown(path)}: cannot be read: {error.strerror}") from error
        return cls.from_bytes(data, path, fingerprint=fingerprint_of(data, status.st_mtime_ns))

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        path: Path | None = None,
        *,
        version: int = 0,
        fingerprint: Fingerprint | None = None,
    ) -> Self:
        """Decode by PEP 263 if it is Python or has no path, else as UTF-8; DocumentError if that fails."""
        _check_content(path, data)
        bom = data.startswith(BOM_UTF8)
        encoding = _encoding_of(data, path)
        try:
            text = data.removeprefix(BOM_UTF8).decode(encoding)
        except UnicodeDecodeError as error:
            raise DocumentError(f"{shown(path)}: is not valid {encoding}; {_REMEDY}") from error
        document = cls(path, data, text, encoding, bom, version, fingerprint)
        if document.encode(text) != data:
            raise DocumentError(f"{shown(path)}: has {encoding} bytes that cannot be written back; {_REMEDY}")
        return document

    @classmethod
    def from_text(cls, text: str, path: Path | None = None, *, version: int = 0) -> Self:
        """An editor's buffer: UTF-8 bytes, whatever encoding the text itself declares."""
        unencoded = cls(path, b"", text, "utf-8", bom=False, version=version)
        document = replace(unencoded, data=unencoded.encode(text))
        _check_content(path, document.data)
        return document

    def encode(self, text: str) -> bytes:
        """Bytes of `text` in this document's encoding, after its byte order mark if it has one."""
        try:
            return (BOM_UTF8 if self.bom else b"") + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            reason = f"{text[error.start]!a} cannot be written in {self.encoding}"
            raise DocumentError(
                f"{shown(self.path)}: {reason}; leave it out or save the file as UTF-8"
            ) from error

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        """Character offset of every line start; a text that ends in a newline has a last, empty line."""
        return (0, *(match.end() for match in re.finditer("\n", self.text)))

    def line_of(self, offset: int) -> int:
        """0-based line that holds the character at `offset`; the end of the text is on the last line."""
        return bisect_right(self.line_starts, offset) - 1

    def byte_offset(self, offset: int) -> int:
        """Offset in `data` of the character at `offset` in `text`."""
        if not 0 <= offset <= len(self.text):
            raise ValueError(f"offset {offset} is outside a text of {len(self.text)} characters")
        line = self.line_of(offset)
        prefix = self.text[self.line_starts[line] : offset]
        return self._line_start_bytes[line] + len(prefix.encode(self.encoding))

    @cached_property
    def _line_start_bytes(self) -> tuple[int, ...]:
        sizes = (len(line.encode(self.encoding)) for line in split_lines(self.text))
        return tuple(accumulate(sizes, initial=len(BOM_UTF8) * self.bom))


def split_lines(text: str) -> list[str]:
    """Lines of `text` with their "\\n"; joined, they are the text."""
    return _LINE.findall(text)


def check_line_lengths(document: Document) -> None:
    """DocumentError where a line is too long for a model to read."""
    for number, line in enumerate(split_lines(document.text), 1):
        if len(line) > MAX_LINE:
            raise DocumentError(f"{shown(document.path)}: line {number} is longer than {MAX_LINE} characters")


def fingerprint_of(data: bytes, mtime_ns: int) -> Fingerprint:
    """The fingerprint of a file that holds `data`."""
    return Fingerprint(mtime_ns, len(data), sha256(data).hexdigest())


def shown(path: Path | None) -> str:
    """A path as one printable line, for messages."""
    name = "standard input" if path is None else str(path)
    return name if name.isprintable() else ascii(name)


def _check_kind(path: Path, mode: int, size: int) -> None:
    if stat.S_ISDIR(mode):
        raise DocumentError(f"{shown(path)}: is a directory; name a file in it")
    if not stat.S_ISREG(mode):
        raise DocumentError(f"{shown(path)}: not a regular file")
    _check_size(path, size)


def _check_size(path: Path | None, size: int) -> None:
    if size > MAX_BYTES:
        raise DocumentError(f"{shown(path)}: larger than {MAX_BYTES >> 20} MiB, the most that can be edited")


def _check_content(path: Path | None, data: bytes) -> None:
    _check_size(path, len(data))
    if b"\0" in data:
        raise DocumentError(f"{shown(path)}: looks binary (it has NUL bytes)")


def _encoding_of(data: bytes, path: Path | None) -> str:
    """The declared codec, less the "-sig" of a byte order mark; it must extend ASCII, as PEP 263 asks."""
    if path is not None and path.suffix.lower() not in _PYTHON_SUFFIXES:
        return "utf-8"
    try:
        declared, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        raise DocumentError(f"{shown(path)}: {error.msg}; {_REMEDY}") from error
    encoding = "utf-8" if declared == "utf-8-sig" else declared
    if not _extends_ascii(encoding):
        raise DocumentError(f"{shown(path)}: {encoding} is not supported; save the file as UTF-8")
    return encoding


def _extends_ascii(encoding: str) -> bool:
    """Whether the codec maps ASCII to itself and keeps no shift state, so that byte offsets are sound."""
    try:
        stateful = codecs.lookup(encoding).name.startswith("iso2022")
        return not stateful and _ASCII.decode(encoding) == _ASCII.decode("ascii")
    except (LookupError, ValueError):
        return False

"""Writing back: all or nothing, only over the bytes that were read, and nothing else of the file changes."""

import os
from codecs import BOM_UTF8
from dataclasses import replace
from pathlib import Path

import pytest

from editflow.document import Document, DocumentError
from editflow.writeback import FileChangedError, WriteError, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(b"a = 1\r\n")
    return path


def test_writes_and_returns_what_is_there_now(path: Path) -> None:
    first = write(Document.read(path), "a = 2\r\n")
    assert path.read_bytes() == b"a = 2\r\n"
    assert (first.version, replace(first, version=0)) == (1, Document.read(path))
    assert write(first, "é").version == 2
    assert path.read_text(encoding="utf-8") == "é"


@pytest.mark.parametrize("data", [BOM_UTF8 + b"a\n", b"# coding: latin-1\n# \xe9\r\n", b""])
def test_encoding_and_mark_are_kept(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    document = Document.read(path)
    write(document, document.text + "x = 1")
    assert path.read_bytes() == data + b"x = 1"


def test_mode_owner_and_link_are_kept(path: Path) -> None:
    path.chmod(0o751)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    before = path.stat()
    link = path.with_name("link.py")
    link.symlink_to(path.name)
    assert write(Document.read(link), "b\n").path == link
    after = path.stat()
    assert link.is_symlink() and path.read_bytes() == b"b\n"
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


@pytest.mark.parametrize("changed", [b"a = 3\r\n", b"", b"a = 1\r\n\r\n"])
def test_bytes_that_changed_are_not_overwritten(path: Path, changed: bytes) -> None:
    document = Document.read(path)
    path.write_bytes(changed)
    with pytest.raises(FileChangedError, match="has changed since it was read"):
        write(document, "b\n")
    assert path.read_bytes() == changed
    assert os.listdir(path.parent) == [path.name]


def test_change_while_writing_is_seen(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document.read(path)
    fsync = os.fsync

    def fsync_and_interfere(handle: int) -> None:
        fsync(handle)
        path.write_bytes(b"theirs\n")

    monkeypatch.setattr(os, "fsync", fsync_and_interfere)
    with pytest.raises(FileChangedError):
        write(document, "ours\n")
    assert path.read_bytes() == b"theirs\n"


def test_only_the_bytes_count(path: Path) -> None:
    document = Document.read(path)
    os.utime(path, (1, 1))
    write(document, "b\n")
    assert path.read_bytes() == b"b\n"


def test_deleted_file_does_not_come_back(path: Path) -> None:
    document = Document.read(path)
    path.unlink()
    with pytest.raises(FileChangedError, match="is gone"):
        write(document, "b\n")
    assert os.listdir(path.parent) == []


def test_failure_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WriteError, match="cannot be written: No space left"):
        write(Document.read(path), "b\n")
    assert os.listdir(path.parent) == [path.name]
    assert path.read_bytes() == b"a = 1\r\n"


def test_owner_that_cannot_be_given_is_left(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", denied)
    write(Document.read(path), "b\n")
    assert path.read_bytes() == b"b\n"


def test_read_only_file_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    with pytest.raises(WriteError, match="read-only"):
        write(Document.read(path), "b\n")


def test_document_without_a_file_is_refused(path: Path) -> None:
    for document in (Document.from_bytes(b"a"), Document.from_text("a", path)):
        with pytest.raises(WriteError, match="was not read from a file"):
            write(document, "b")


@pytest.mark.parametrize(
    "text", ["# coding: latin-1\nx = 'é'\n", "a\0b", "# coding: nonsense\n", "\ufeffa = 1\n"]
)
def test_text_that_would_read_back_differently_is_refused(path: Path, text: str) -> None:
    with pytest.raises((WriteError, DocumentError)):
        write(Document.read(path), text)
    assert path.read_bytes() == b"a = 1\r\n"

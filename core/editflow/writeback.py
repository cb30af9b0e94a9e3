"""Writing a document back: all of it or nothing, and only over the bytes that were read."""

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from editflow.document import Document, fingerprint_of, shown
from editflow.errors import EditFlowError


class WriteError(EditFlowError):
    """A document that was not written; the file is as it was."""


class FileChangedError(WriteError):
    """The file is no longer the one that was read, so a person must look again."""


def write(document: Document, new_text: str) -> Document:
    """Replace the document's file by `new_text` in the same encoding; return it, one version on.

    The file keeps its mode and, where permitted, its owner; a symbolic link keeps pointing at it, a hard link
    does not. Raises FileChangedError if its bytes are not those read, another EditFlowError if it cannot be
    written; in either case the file is untouched.
    """
    if document.path is None or document.fingerprint is None:
        raise WriteError(f"{shown(document.path)}: was not read from a file; write a patch instead")
    written = Document.from_bytes(document.encode(new_text), document.path, version=document.version + 1)
    if written.text != new_text:
        raise WriteError(
            f"{shown(document.path)}: would be decoded differently; save the file as UTF-8 first"
        )
    try:
        return _replace_file(document, written, Path(os.path.realpath(document.path, strict=True)))
    except FileNotFoundError as error:
        raise FileChangedError(f"{shown(document.path)}: is gone; read it again") from error
    except OSError as error:
        raise WriteError(f"{shown(document.path)}: cannot be written: {error.strerror}") from error


def _replace_file(document: Document, written: Document, target: Path) -> Document:
    if not os.access(target, os.W_OK):
        raise WriteError(f"{shown(document.path)}: is read-only; make it writable first")
    handle, name = tempfile.mkstemp(prefix=".editflow-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(written.data)
            stream.flush()
            os.fsync(stream.fileno())
        _copy_owner_and_mode(target, temporary)
        fingerprint = fingerprint_of(written.data, temporary.stat().st_mtime_ns)
        _check_unchanged(document, target)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return replace(written, fingerprint=fingerprint)


def _copy_owner_and_mode(source: Path, target: Path) -> None:
    status = source.stat()
    if hasattr(os, "chown"):
        with suppress(PermissionError):  # only root gives files away; the writer then owns the new one
            os.chown(target, status.st_uid, status.st_gid)
    shutil.copymode(source, target)  # after chown, which clears the set-user-id bit


def _check_unchanged(document: Document, target: Path) -> None:
    if target.stat().st_size != len(document.data) or target.read_bytes() != document.data:
        raise FileChangedError(f"{shown(document.path)}: has changed since it was read; read it again")

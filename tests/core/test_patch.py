"""Patches: what git itself makes of them, byte for byte, and text that cannot drive a terminal."""

import os
import subprocess
from codecs import BOM_UTF8
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editflow.document import Document, DocumentError
from editflow.patch import patch_bytes, unified_diff, visible


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, input=stdin, capture_output=True, check=True
    ).stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    git(folder, "init", "-q")
    return folder


def apply(folder: Path, name: str, old: bytes, patch: bytes) -> bytes:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(old)
    git(folder, "apply", stdin=patch)
    return (folder / name).read_bytes()


CASES = [
    (b"a\nb\nc\n", "a\nB\nc\n"),
    (b"a\r\nb\r\nc\n", "a\r\nB\r\nd\r\n"),
    (b"a\nb", "a\nc"),
    (b"a\nb", "a\nb\n"),
    (b"a\nb\n", "a\nb"),
    (b"a\n", ""),
    (b"", "a\n"),
    (b"", "a"),
    (b"# coding: latin-1\nx = '\xe9'\n", "# coding: latin-1\nx = 'ü'\n"),
    (BOM_UTF8 + b"a\nb\n", "a\nc\n"),
    (BOM_UTF8 + b"a\n", "b\n"),
    (b"a\x0cb\rc\n\xc2\x85\nd\n", "a\x0cb\rc\n\x85\nD\n"),
    ("".join(f"{n}\n" for n in range(50)).encode(), "".join(f"{n}\n" for n in range(50) if n not in (3, 40))),
]


@pytest.mark.parametrize(("old", "new"), CASES)
def test_git_applies_it(repository: Path, old: bytes, new: str) -> None:
    document = Document.from_bytes(old, Path("a.py"))
    assert apply(repository, "a.py", old, patch_bytes(document, new)) == document.encode(new)


NAMES = [
    "with space.py",
    "deep/er/a.py",
    "tab\there.py",
    'quo"te.py',
    "back\\slash.py",
    "größe.py",
    "é é.py",
    "\x7f.py",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_written_as_git_writes_them(repository: Path, name: str) -> None:
    old, new = b"a\nb\n", b"a\nc\n"
    patch = patch_bytes(Document.from_bytes(old, Path(name)), new.decode())
    assert apply(repository, name, old, patch) == new
    (repository / name).write_bytes(old)
    git(repository, "add", "--", name)
    (repository / name).write_bytes(new)
    from_git = git(repository, "diff", "--", name).split(b"\n")
    assert patch.split(b"\n") == [line for line in from_git if not line.startswith(b"index ")]


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "\f", "\x85", "é", "\r"]), max_size=30).map(
    "".join
)


@settings(max_examples=25, deadline=None)
@given(LINES, LINES)
def test_git_turns_any_text_into_any_other(repository: Path, old: str, new: str) -> None:
    document = Document.from_text(old, Path("any.py"))
    patch = patch_bytes(document, new)
    assert (patch == b"") == (old == new)
    if patch:
        assert apply(repository, "any.py", document.data, patch) == document.encode(new)


def test_layout() -> None:
    assert unified_diff("a\n", "b", "pkg/a.py") == (
        "diff --git a/pkg/a.py b/pkg/a.py\n--- a/pkg/a.py\n+++ b/pkg/a.py\n"
        "@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n"
    )


def test_name_of_the_patch() -> None:
    named = Document.from_bytes(b"a\n", Path("/srv/a.py"))
    assert b"--- a/srv/a.py\n" in patch_bytes(named, "b\n")
    assert b"--- a/b.py\n" in patch_bytes(named, "b\n", "b.py")
    assert b"--- a/stdin\n" in patch_bytes(Document.from_bytes(b"a\n"), "b\n")


def test_text_beyond_the_encoding_makes_no_patch() -> None:
    with pytest.raises(DocumentError, match="iso-8859-1"):
        patch_bytes(Document.from_bytes(b"# coding: latin-1\n"), "日")


@settings(deadline=None)
@given(st.text())
def test_visible_text_has_no_controls_and_the_same_length(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown if c not in "\n\t")
    assert visible(shown) == shown


def test_visible_stand_ins() -> None:
    assert visible("\x1b]0;x\x07\x7f\x9b\u202e\u2069\tok\n日") == "␛]0;x␇␡\ufffd\ufffd\ufffd\tok\n日"
    assert visible("\u2029\u202f\u2065\u206a\xa0") == "\u2029\u202f\u2065\u206a\xa0"

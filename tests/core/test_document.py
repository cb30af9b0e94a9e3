"""Documents: bytes survive the round trip, offsets agree, what cannot be edited is refused in one line."""

import os
from codecs import BOM_UTF8
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editflow.document import MAX_BYTES, Document, DocumentError, split_lines
from editflow.errors import EditFlowError

ENCODINGS = ["utf-8", "latin-1", "cp1252", "koi8-r", "shift_jis", "gb18030", "ascii"]
LINES = st.lists(
    st.sampled_from(["x = 1", "é", "日本", "я", "\f", "\x85", "\r", "\r\n", "\n", "\t", "  ", "𐍈"])
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    encoding = draw(st.sampled_from(ENCODINGS))
    body = "".join(draw(LINES)).encode(encoding, "ignore")
    bom = draw(st.booleans()) and encoding == "utf-8"
    cookie = b"" if bom or encoding == "utf-8" else f"# coding: {encoding}\n".encode()
    return Document.from_bytes(BOM_UTF8 * bom + cookie + body, draw(st.sampled_from([None, Path("a.py")])))


@settings(deadline=None)
@given(documents())
def test_bytes_survive_the_round_trip(document: Document) -> None:
    assert document.encode(document.text) == document.data
    assert document.bom == document.data.startswith(BOM_UTF8)
    assert Document.from_bytes(document.data).text == document.text


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["", *ENCODINGS, "utf-7", "cp037", "raw_unicode_escape"]))
def test_any_bytes_are_kept_or_refused(body: bytes, encoding: str) -> None:
    data = f"# coding: {encoding}\n".encode() * bool(encoding) + body
    try:
        document = Document.from_bytes(data)
    except DocumentError as error:
        assert "\n" not in str(error)
    else:
        assert document.encode(document.text) == data


@settings(deadline=None)
@given(documents(), st.data())
def test_offsets_agree(document: Document, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(document.text)))
    assert document.data[: document.byte_offset(offset)] == document.encode(document.text[:offset])
    assert document.line_of(offset) == document.text.count("\n", 0, offset)
    assert document.line_starts[document.line_of(offset)] <= offset


@settings(deadline=None)
@given(LINES.map("".join))
def test_lines_end_at_newlines_only(text: str) -> None:
    lines = split_lines(text)
    assert "".join(lines) == text
    assert len(lines) == text.count("\n") + (not text.endswith("\n") and text != "")
    assert all(line.find("\n") in (-1, len(line) - 1) for line in lines)


def test_line_starts() -> None:
    assert Document.from_bytes(b"a\r\n\x0cb\rc\n").line_starts == (0, 3, 8)
    assert Document.from_bytes(b"").line_starts == (0,)


@pytest.mark.parametrize("offset", [-1, 2])
def test_byte_offset_outside_the_text(offset: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        Document.from_bytes(b"a").byte_offset(offset)


def test_read_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(BOM_UTF8 + b"a = 1\r\nb = '\xc3\xa9'")
    document = Document.read(path)
    assert document.text == "a = 1\r\nb = 'é'"
    assert (document.encoding, document.bom, document.path, document.version) == ("utf-8", True, path, 0)
    assert document.fingerprint is not None
    assert document.fingerprint.sha256 == sha256(path.read_bytes()).hexdigest()
    assert (document.fingerprint.mtime_ns, document.fingerprint.size) == (path.stat().st_mtime_ns, 18)


def test_declared_encoding_counts_for_python_only() -> None:
    data = b"# coding: latin-1\n# \xe9\n"
    assert Document.from_bytes(data, Path("a.py")).text.endswith("é\n")
    assert Document.from_bytes(data).encoding == "iso-8859-1"
    with pytest.raises(DocumentError, match=r"a\.txt: is not valid utf-8"):
        Document.from_bytes(data, Path("a.txt"))


def test_buffer_of_an_editor_is_utf8_whatever_it_declares() -> None:
    document = Document.from_text("# coding: latin-1\n# é\n", Path("a.py"), version=7)
    assert (document.data, document.version) == ("# coding: latin-1\n# é\n".encode(), 7)
    with pytest.raises(DocumentError, match="binary"):
        Document.from_text("\0")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a\0b", "looks binary"),
        (b"#\n#\n\xff", "is not valid utf-8"),
        (b"\xff", "invalid or missing encoding declaration"),
        (b"# coding: nonsense\n", "unknown encoding: nonsense"),
        (b"# coding: rot13\n", "rot13 is not supported"),
        (b"# coding: iso-2022-jp\n", "iso-2022-jp is not supported"),
        (b"# coding: raw_unicode_escape\n\\u0041", "cannot be written back"),
    ],
)
def test_refused_bytes(data: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(data)
    with pytest.raises(EditFlowError, match=reason) as caught:
        Document.read(path)
    assert "\n" not in str(caught.value)


def test_size_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"#" * MAX_BYTES)
    assert len(Document.read(path).text) == MAX_BYTES
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(DocumentError, match="larger than 2 MiB"):
        Document.read(path)
    with pytest.raises(DocumentError, match="larger than 2 MiB"):
        Document.from_bytes(path.read_bytes())


def test_refused_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    reasons = {
        ".": "is a directory",
        "pipe": "not a regular file",
        "none.py": "No such file",
        "loop": "levels",
    }
    for name, reason in reasons.items():
        with pytest.raises(DocumentError, match=reason):
            Document.read(tmp_path / name)


def test_refused_for_want_of_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.py").touch()
    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(DocumentError, match="cannot be read: Permission denied"):
        Document.read(tmp_path / "a.py")


def test_unencodable_text_names_the_character() -> None:
    document = Document.from_bytes(b"# coding: latin-1\n")
    with pytest.raises(DocumentError, match=r"'\\u65e5' cannot be written in iso-8859-1"):
        document.encode("日")


def test_messages_stay_on_one_line() -> None:
    with pytest.raises(DocumentError) as caught:
        Document.from_bytes(b"\0", Path("a\n\x1b[2J.py"))
    assert str(caught.value).isprintable()

"""A change as a patch that `git apply` takes, and text made safe to show in a terminal."""

from difflib import unified_diff as diff_lines
from itertools import islice
from os import PathLike, fspath
from pathlib import PurePath

from editflow.document import Document, split_lines

_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_NO_NEWLINE = "\n\\ No newline at end of file\n"

_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_STAND_INS = (
    {control: 0x2400 + control for control in range(0x20) if chr(control) not in "\n\t"}  # control pictures
    | {0x7F: 0x2421}
    | {control: 0xFFFD for control in (*range(0x80, 0xA0), *_BIDI)}
)


def unified_diff(old: str, new: str, path: str | PathLike[str]) -> str:
    """A git patch of `path` with three lines of context; empty if nothing changes.

    An absolute path loses its root, so that the patch applies from there. Lines end at "\\n" only.
    """
    if old == new:
        return ""
    name = _name_in_patch(path)
    before, after = _quoted(f"a/{name}"), _quoted(f"b/{name}")
    tab = "\t" if " " in name else ""  # git's own mark of where such a name ends
    header = f"diff --git {before} {after}\n--- {before}{tab}\n+++ {after}{tab}\n"
    body = islice(diff_lines(split_lines(old), split_lines(new)), 2, None)
    return header + "".join(line if line.endswith("\n") else line + _NO_NEWLINE for line in body)


def patch_bytes(document: Document, new_text: str, path: str | PathLike[str] | None = None) -> bytes:
    """The patch from the document's bytes to `new_text` in the same encoding; DocumentError if it cannot be.

    The patch names `path`, or else the document's own path, or "stdin".
    """
    # One character a byte: the patch engine sees every byte, the byte order mark too, and changes none.
    old, new = document.data.decode("latin-1"), document.encode(new_text).decode("latin-1")
    return unified_diff(old, new, path or document.path or "stdin").encode("latin-1")


def visible(text: str) -> str:
    """`text` with each control and bidirectional character replaced by a visible one; for terminals only."""
    return text.translate(_STAND_INS)


def _name_in_patch(path: str | PathLike[str]) -> str:
    pure = PurePath(fspath(path))
    return pure.relative_to(pure.anchor).as_posix()


def _quoted(name: str) -> str:
    """`name` as git writes it: C-quoted if it holds a control, quote, backslash or a byte beyond ASCII."""
    data = name.encode("utf-8", "surrogateescape")
    quoted = "".join(_quoted_byte(byte) for byte in data)
    return name if quoted == name else f'"{quoted}"'


def _quoted_byte(byte: int) -> str:
    if byte in _ESCAPES:
        return "\\" + _ESCAPES[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"

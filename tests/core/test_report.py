"""The `--json` object: what it says is true of the file's bytes, and docs/json.md names every field of it."""

import json
from dataclasses import fields
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from editflow.commands.doctor import Examination, SelfTest
from editflow.commands.models import CheckpointReport
from editflow.document import Document
from editflow.proposal import Proposal
from editflow.report import FileReport, HunkReport
from editflow.step import Step

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "json.md"
TEXTS = st.lists(
    st.sampled_from(["x", "value", " ", "(", "é", "\x1b", "\u202e", "\n", "\r\n", "\x7f"]), max_size=12
).map("".join)


def report(old: str, new: str, *alternatives: str) -> FileReport:
    document = Document.from_text(old)
    proposals = tuple(Proposal.from_texts(document, text, 0.123456) for text in (new, *alternatives))
    step = Step(3, 24, proposals[0], done=True, alternatives=proposals if alternatives else ())
    return FileReport.of("a.py", step, model="m@1", device="cpu", seconds=0.01234)


@settings(max_examples=40)
@given(TEXTS, TEXTS)
def test_hunks_rebuild_the_text_from_the_bytes(old: str, new: str) -> None:
    line = report(old, new).line()
    found = json.loads(line)
    data = bytearray(old.encode())
    for hunk in reversed(found["hunks"]):
        start, end = hunk["start_byte"], hunk["end_byte"]
        assert data[start:end] == hunk["old"].encode()
        assert hunk["start_line"] == old.encode()[:start].count(b"\n") + 1
        data[start:end] = hunk["new"].encode()
    assert data == found["text"].encode() == new.encode()
    assert line.isascii() and line.isprintable()


def test_object_says_how_it_was_made() -> None:
    found = json.loads(report("a\nb\n", "a\nc\n").line())
    assert list(found) == [field.name for field in fields(FileReport)]
    assert {name: found[name] for name in ("file", "model", "device", "passes", "elapsed_ms")} == {
        "file": "a.py",
        "model": "m@1",
        "device": "cpu",
        "passes": 3,
        "elapsed_ms": 12.3,
    }
    assert found["hunks"] == [
        {"start_byte": 2, "end_byte": 3, "start_line": 2, "old": "b", "new": "c", "confidence": 0.1235}
    ]


def test_alternatives_leave_out_the_proposal_itself() -> None:
    assert report("a\n", "b\n").alternatives == ()
    assert report("a\n", "b\n", "c\n", "a\n").alternatives == ("c\n", "a\n")


def test_every_field_is_documented() -> None:
    page = DOCUMENTATION.read_text("utf-8")
    for kind in (FileReport, HunkReport, CheckpointReport, Examination, SelfTest):
        for field in fields(kind):
            assert f"| `{field.name}` |" in page, f"{kind.__name__}.{field.name}"

"""Proposals become workspace edits of what the client can take, and are believed only when the text shows them."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol.types import AnnotatedTextEdit, Position, Range, TextDocumentEdit, TextEdit, WorkspaceEdit

from editflow_lsp.applying import Applying
from editflow_lsp.buffer import Buffer
from editflow_lsp.client import ClientFeatures
from editflow_lsp.edits import edited_text, workspace_edit

URI = "file:///a.py"
TEXT = "# 😀\na = 1\nb = 2\n"
EDITS = [(3, 3, " x", 0.9), (8, 9, "10", 0.5)]
BUFFER = Buffer(URI, TEXT, 3, "python")
RANGES = [Range(Position(0, 4), Position(0, 4)), Range(Position(1, 4), Position(1, 5))]
ALL = ClientFeatures(versions=True, annotations=True)


def edit(client: ClientFeatures, *, confirm: bool = False) -> WorkspaceEdit:
    return workspace_edit(BUFFER, 3, EDITS, client, confirm=confirm)


def only_change(found: WorkspaceEdit) -> TextDocumentEdit:
    assert found.changes is None
    (change,) = found.document_changes or ()
    assert isinstance(change, TextDocumentEdit)
    return change


def test_a_versioned_edit_where_the_client_takes_one() -> None:
    change = only_change(edit(ClientFeatures(versions=True)))
    assert (change.text_document.uri, change.text_document.version) == (URI, 3)
    assert change.edits == [TextEdit(RANGES[0], " x"), TextEdit(RANGES[1], "10")]


def test_a_plain_edit_where_the_client_takes_no_other() -> None:
    found = edit(ClientFeatures(annotations=True), confirm=True)
    assert (found.document_changes, found.change_annotations) == (None, None)
    assert found.changes == {URI: [TextEdit(RANGES[0], " x"), TextEdit(RANGES[1], "10")]}


def test_each_edit_asks_first_where_that_is_wanted_and_understood() -> None:
    found = edit(ALL, confirm=True)
    annotations = found.change_annotations or {}
    assert [annotation.needs_confirmation for annotation in annotations.values()] == [True]
    for each in only_change(found).edits:
        assert isinstance(each, AnnotatedTextEdit)
        assert each.annotation_id in annotations
    for other in (edit(ALL), edit(ClientFeatures(versions=True), confirm=True)):
        assert other.change_annotations is None


def test_the_text_that_an_edit_leaves() -> None:
    assert edited_text(TEXT, EDITS) == "# 😀 x\na = 10\nb = 2\n"
    assert edited_text(TEXT, []) == TEXT


async def answered(refusal: str | None = None) -> str | None:
    return refusal


def holding(text: str, uri: str = URI, *, closed: bool = False) -> Buffer:
    buffer = Buffer(uri, text, 4, "python")
    buffer.closed = closed
    return buffer


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editflow_lsp.applying.PATIENCE", 0.01)


def test_the_text_decides_whatever_the_editor_says() -> None:
    for refusal in (None, "no"):
        applying = Applying(URI, "new")
        applying.look(holding("new"))
        assert asyncio.run(applying.seen_after(answered(refusal))) is None


@pytest.mark.parametrize("seen", [holding("old"), holding("new", closed=True)], ids=str)
def test_another_text_or_a_closed_document_is_not_the_edit(seen: Buffer) -> None:
    applying = Applying(URI, "new")
    applying.look(seen)
    assert asyncio.run(applying.seen_after(answered("dropped"))) == "dropped"
    said = asyncio.run(applying.seen_after(answered()))
    assert said == "the editor said that it applied the edit, but the document does not read so"


def test_without_any_change_the_editor_is_believed() -> None:
    for refusal in (None, "dropped"):
        applying = Applying(URI, "new")
        applying.look(holding("new", "file:///b.py"))
        assert asyncio.run(applying.seen_after(answered(refusal))) == refusal


def test_a_change_may_come_after_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("editflow_lsp.applying.PATIENCE", 30.0)

    async def wait() -> str | None:
        applying = Applying(URI, "new")
        asyncio.get_running_loop().call_later(0.01, applying.look, holding("new"))
        return await applying.seen_after(answered())

    assert asyncio.run(wait()) is None

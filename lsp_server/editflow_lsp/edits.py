"""Proposals as workspace edits, and what a document reads after one."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol.types import (
    AnnotatedTextEdit,
    ChangeAnnotation,
    OptionalVersionedTextDocumentIdentifier,
    TextDocumentEdit,
    TextEdit,
    WorkspaceEdit,
)

from editflow.pieces import Pieces
from editflow.pieces import TextEdit as Edit
from editflow_lsp.buffer import Buffer
from editflow_lsp.client import ClientFeatures

ANNOTATION = "editflow"


def workspace_edit(
    buffer: Buffer, version: int, edits: Sequence[Edit], client: ClientFeatures, *, confirm: bool
) -> WorkspaceEdit:
    """The edits of a document at a version; with `confirm` each asks first, where the client can do that."""
    text_edits = [TextEdit(buffer.index.range(start, end), new) for start, end, new, _ in edits]
    if not client.versions:
        return WorkspaceEdit(changes={buffer.uri: text_edits})
    document = OptionalVersionedTextDocumentIdentifier(uri=buffer.uri, version=version)
    if not (confirm and client.annotations):
        return WorkspaceEdit(document_changes=[TextDocumentEdit(document, text_edits)])
    annotated = [AnnotatedTextEdit(ANNOTATION, edit.range, edit.new_text) for edit in text_edits]
    label = ChangeAnnotation(label="Edit Flow", needs_confirmation=True, description="proposed by a model")
    changes = [TextDocumentEdit(document, annotated)]
    return WorkspaceEdit(document_changes=changes, change_annotations={ANNOTATION: label})


def edited_text(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits made."""
    return Pieces.of(text).edited(edits).text

"""The open documents of a client, notebook cells included; what happens to them is told to one listener."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from lsprotocol.types import (
    DidChangeNotebookDocumentParams,
    TextDocumentContentChangeEvent,
    TextDocumentItem,
    VersionedTextDocumentIdentifier,
)
from pygls import uris, workspace

from editflow_lsp.buffer import Buffer, Change
from editflow_lsp.log import logger


class Workspace(workspace.Workspace):
    """pygls' workspace with `Buffer`s for documents; the disk is never read."""

    on_change: Callable[[Buffer, list[Change]], None] | None = None
    """Called after every change of a buffer, and with no changes when it was closed (`Buffer.closed`).

    A notification with several changes calls once for each, all with the last one's version.
    """

    def opened(self, uri: str) -> Buffer | None:
        """The open document or notebook cell of that URI."""
        document = self._text_documents.get(unquote(uri))
        return document if isinstance(document, Buffer) else None

    def path_of(self, uri: str) -> Path | None:
        """The absolute path of a `file:` URI, a notebook's for its cells; None for any other URI."""
        notebook = self.get_notebook_document(cell_uri=uri)
        try:
            path = uris.to_fs_path(notebook.uri if notebook else uri) or ""
            name = os.fsencode(path)
        except ValueError:
            return None
        return Path(path) if os.path.isabs(name) and b"\0" not in name else None

    def put_text_document(self, text_document: TextDocumentItem, notebook_uri: str | None = None) -> None:
        """Open a document; one that was open under its URI is closed."""
        before = self.opened(text_document.uri)
        super().put_text_document(text_document, notebook_uri)
        self._close(before)

    def update_text_document(
        self, text_doc: VersionedTextDocumentIdentifier, change: TextDocumentContentChangeEvent
    ) -> None:
        """Change an open document; a change of another is ignored."""
        buffer = self.opened(text_doc.uri)
        if buffer is None:
            logger.warning("ignored a change of %r, which is not open", text_doc.uri)
            return
        buffer.apply_change(change)
        buffer.version = text_doc.version
        self._tell(buffer)

    def remove_text_document(self, doc_uri: str) -> None:
        """Close a document."""
        before = self.opened(doc_uri)
        super().remove_text_document(doc_uri)
        self._close(before)

    def update_notebook_document(self, params: DidChangeNotebookDocumentParams) -> None:
        """Change an open notebook and its cells; a change of another is ignored."""
        if self.get_notebook_document(notebook_uri=params.notebook_document.uri) is None:
            logger.warning("ignored a change of %r, which is not open", params.notebook_document.uri)
            return
        super().update_notebook_document(params)

    def _close(self, buffer: Buffer | None) -> None:
        if buffer is not None:
            buffer.closed = True
            self._tell(buffer)

    def _tell(self, buffer: Buffer) -> None:
        changes = buffer.take_changes()
        if self.on_change is not None:
            self.on_change(buffer, changes)

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> Buffer:
        return Buffer(doc_uri, source or "", version, language_id, self.position_encoding or "utf-16")

"""What a fix is to work on: the request to the engine, and the range that it may edit."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol.types import Range

from editflow.document import Document
from editflow.errors import EditFlowError
from editflow_lsp.buffer import Buffer
from editflow_lsp.messages import Scope
from editflow_lsp.rules import Rules
from editflow_lsp.workspace import Workspace

PYTHON = "python"
PYTHON_SUFFIXES = (".py", ".pyi", ".pyw")


@dataclass(frozen=True, slots=True)
class Target:
    """A document, and 1-based inclusive lines of it that may be edited; None is all of it."""

    document: Document
    lines: tuple[int, int] | None
    is_cell: bool = False
    """It is one cell of a notebook."""

    @property
    def window(self) -> tuple[int, int]:
        """What may be edited, in characters."""
        text = self.document.text
        if self.lines is None:
            return 0, len(text)
        starts = (*self.document.line_starts, len(text))
        last = min(self.lines[1], len(starts) - 1)
        return starts[self.lines[0] - 1], starts[last]


def is_python(buffer: Buffer) -> bool:
    """Whether the model has learned the language of a document."""
    return buffer.language_id == PYTHON or buffer.uri.endswith(PYTHON_SUFFIXES)


def target_of(
    buffer: Buffer, wanted: Range | None, scope: Scope, workspace: Workspace, rules: Rules
) -> Target:
    """What is meant by a range of a document, None being all of it.

    EditFlowError where it may not be fixed, or cannot be read by the model.
    """
    if rules.refusal is not None:
        raise EditFlowError(rules.refusal)
    path = workspace.path_of(buffer.uri)
    if is_python(buffer) and path is not None and path.suffix not in PYTHON_SUFFIXES:
        path = path.with_suffix(".py")  # a notebook's cell, or a script without a suffix
    document = Document.from_text(buffer.text, path, version=buffer.version or 0)
    is_cell = workspace.get_notebook_document(cell_uri=buffer.uri) is not None
    return Target(document, _lines(buffer, wanted, scope), is_cell)


def _lines(buffer: Buffer, wanted: Range | None, scope: Scope) -> tuple[int, int] | None:
    if wanted is None or scope is Scope.file:
        return None
    lines = buffer.index.lines(*buffer.index.offsets(wanted))
    if scope is Scope.selection:
        return lines
    from editflow.functions import enclosing_function  # 30 ms that `initialize` need not wait for

    return enclosing_function(buffer.text, *lines) or lines

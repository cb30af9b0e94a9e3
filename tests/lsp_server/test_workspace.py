"""Open documents and notebook cells, and what the listener is told about them."""

import logging
from pathlib import Path

import pytest
from lsprotocol.types import (
    DidChangeNotebookDocumentParams,
    DidCloseNotebookDocumentParams,
    DidOpenNotebookDocumentParams,
    NotebookCell,
    NotebookCellArrayChange,
    NotebookCellKind,
    NotebookDocument,
    NotebookDocumentCellChanges,
    NotebookDocumentCellChangeStructure,
    NotebookDocumentCellContentChanges,
    NotebookDocumentChangeEvent,
    NotebookDocumentIdentifier,
    Position,
    PositionEncodingKind,
    Range,
    TextDocumentContentChangePartial,
    TextDocumentContentChangeWholeDocument,
    TextDocumentIdentifier,
    TextDocumentItem,
    VersionedNotebookDocumentIdentifier,
    VersionedTextDocumentIdentifier,
)

from editflow_lsp.buffer import Buffer, Change
from editflow_lsp.workspace import Workspace

URI = "file:///home/a/b%20c.py"
NOTEBOOK = "file:///home/a/n%25.ipynb"
CELLS = ["vscode-notebook-cell:/home/a/n.ipynb#1", "vscode-notebook-cell:/home/a/n.ipynb#2"]
FIRST = Range(Position(0, 0), Position(0, 1))

Told = list[tuple[str, int | None, bool, list[Change]]]


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(None, position_encoding=PositionEncodingKind.Utf32)


@pytest.fixture
def told(workspace: Workspace) -> Told:
    """What the listener was told: URI, version, whether closed, changes."""
    found: Told = []

    def listen(buffer: Buffer, changes: list[Change]) -> None:
        found.append((buffer.uri, buffer.version, buffer.closed, changes))

    workspace.on_change = listen
    return found


def item(uri: str, text: str, version: int = 1) -> TextDocumentItem:
    return TextDocumentItem(uri, "python", version, text)


def change(workspace: Workspace, uri: str, new: str, version: int) -> None:
    workspace.update_text_document(
        VersionedTextDocumentIdentifier(version, uri), TextDocumentContentChangePartial(FIRST, new)
    )


def open_notebook(workspace: Workspace) -> None:
    cells = [NotebookCell(NotebookCellKind.Code, uri) for uri in CELLS]
    notebook = NotebookDocument(NOTEBOOK, "jupyter-notebook", 1, cells)
    texts = [item(uri, "a = 1\n") for uri in CELLS]
    workspace.put_notebook_document(DidOpenNotebookDocumentParams(notebook, texts))


def change_notebook(workspace: Workspace, cells: NotebookDocumentCellChanges, uri: str = NOTEBOOK) -> None:
    workspace.update_notebook_document(
        DidChangeNotebookDocumentParams(
            VersionedNotebookDocumentIdentifier(2, uri), NotebookDocumentChangeEvent(cells=cells)
        )
    )


def test_a_document_is_a_buffer_in_the_clients_encoding(workspace: Workspace) -> None:
    workspace.put_text_document(item(URI, "a😀b"))
    buffer = workspace.opened(URI)
    assert buffer is not None
    assert (buffer.text, buffer.version, buffer.language_id, buffer.uri) == ("a😀b", 1, "python", URI)
    assert buffer.index.position(3) == Position(0, 3)
    assert workspace.get_text_document(URI) is buffer


def test_the_disk_is_never_read(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("secret", "utf-8")
    assert workspace.opened(path.as_uri()) is None
    assert workspace.get_text_document(path.as_uri()).source == ""
    workspace.put_text_document(item(path.as_uri(), ""))
    assert workspace.get_text_document(path.as_uri()).source == ""


def test_the_listener_hears_of_changes_and_of_closing(workspace: Workspace, told: Told) -> None:
    workspace.put_text_document(item(URI, "abc"))
    change(workspace, URI, "xy", 2)
    change(workspace, URI, "x", 3)
    workspace.remove_text_document(URI)
    assert told == [
        (URI, 2, False, [(0, 1, "xy")]),
        (URI, 3, False, []),
        (URI, 3, True, []),
    ]
    assert workspace.opened(URI) is None


def test_without_a_listener_nothing_piles_up(workspace: Workspace) -> None:
    workspace.put_text_document(item(URI, "abc"))
    change(workspace, URI, "xy", 2)
    buffer = workspace.opened(URI)
    assert buffer is not None
    assert buffer.text == "xybc"
    assert buffer.take_changes() == []


def test_opening_again_closes_the_first(workspace: Workspace, told: Told) -> None:
    workspace.put_text_document(item(URI, "abc"))
    workspace.put_text_document(item(URI, "def", 7))
    assert told == [(URI, 1, True, [])]
    buffer = workspace.opened(URI)
    assert buffer is not None
    assert (buffer.text, buffer.version, buffer.closed) == ("def", 7, False)


def test_a_change_of_what_is_not_open_is_a_warning(
    workspace: Workspace, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        change(workspace, URI, "secret", 2)
        workspace.remove_text_document(URI)
        change_notebook(workspace, NotebookDocumentCellChanges())
    assert told == []
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert "secret" not in caplog.text


def test_cells_are_buffers(workspace: Workspace, told: Told) -> None:
    open_notebook(workspace)
    contents = NotebookDocumentCellContentChanges(
        VersionedTextDocumentIdentifier(2, CELLS[1]), [TextDocumentContentChangeWholeDocument("a = 2\n")]
    )
    change_notebook(workspace, NotebookDocumentCellChanges(text_content=[contents]))
    assert told == [(CELLS[1], 2, False, [(4, 5, "2")])]
    texts = [buffer and buffer.text for buffer in map(workspace.opened, CELLS)]
    assert texts == ["a = 1\n", "a = 2\n"]


def test_a_cell_that_is_removed_is_closed(workspace: Workspace, told: Told) -> None:
    open_notebook(workspace)
    structure = NotebookDocumentCellChangeStructure(
        NotebookCellArrayChange(start=0, delete_count=1), did_close=[TextDocumentIdentifier(CELLS[0])]
    )
    change_notebook(workspace, NotebookDocumentCellChanges(structure=structure))
    assert told == [(CELLS[0], 1, True, [])]
    assert workspace.opened(CELLS[0]) is None
    assert workspace.opened(CELLS[1]) is not None


def test_a_notebook_that_is_closed_closes_its_cells(workspace: Workspace, told: Told) -> None:
    open_notebook(workspace)
    closing = [TextDocumentIdentifier(uri) for uri in CELLS]
    workspace.remove_notebook_document(
        DidCloseNotebookDocumentParams(NotebookDocumentIdentifier(NOTEBOOK), closing)
    )
    assert told == [(uri, 1, True, []) for uri in CELLS]
    assert workspace.path_of(CELLS[0]) is None


def test_a_cell_has_the_path_of_its_notebook(workspace: Workspace) -> None:
    open_notebook(workspace)
    assert workspace.path_of(CELLS[0]) == Path("/home/a/n%.ipynb")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        (URI, Path("/home/a/b c.py")),
        ("file:///a%23b.py", Path("/a#b.py")),
        ("untitled:Untitled-1", None),
        ("vscode-notebook-cell:/home/a/n.ipynb#1", None),
        ("git:/home/a.py", None),
        ("file:a.py", None),
        ("file:///a%00b.py", None),
        ("file://[a", None),
        ("file:///\ud800.py", None),
        ("", None),
    ],
)
def test_only_file_uris_have_paths(workspace: Workspace, uri: str, path: Path | None) -> None:
    assert workspace.path_of(uri) == path

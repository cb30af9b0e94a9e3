"""What a request means: which document, which lines, with which rules, and what others have said about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol.types import (
    Diagnostic,
    DidOpenNotebookDocumentParams,
    NotebookCell,
    NotebookCellKind,
    NotebookDocument,
    Position,
    Range,
    TextDocumentItem,
    WorkspaceFolder,
)

from editflow.document import MAX_BYTES, MAX_LINE
from editflow.errors import EditFlowError
from editflow.request import Request
from editflow_lsp.buffer import Buffer
from editflow_lsp.messages import FixParams, Scope, VersionedDocument
from editflow_lsp.request import ALTERNATIVES, MAX_MESSAGE, MAX_REPORTED, MOST_CANDIDATES, request_of
from editflow_lsp.rules import Rules, rules_for
from editflow_lsp.settings import Settings
from editflow_lsp.target import Target, is_python, target_of
from editflow_lsp.workspace import Workspace

TEXT = "import os\n\n\ndef f(a):\n    b = a\n    return b\n\n\nprint(f(1))\n"
CELL = "notebook:/n.ipynb#c1"


def opened(workspace: Workspace, text: str, uri: str = "file:///p/a.py", language: str = "python") -> Buffer:
    workspace.put_text_document(TextDocumentItem(uri, language, 1, text))
    buffer = workspace.opened(uri)
    assert buffer is not None
    return buffer


def target(text: str, wanted: Range | None, scope: Scope, **more: Any) -> Target:
    workspace = Workspace(None)
    return target_of(opened(workspace, text, **more), wanted, scope, workspace, Rules())


def lines(first: int, last: int) -> Range:
    """0-based lines, the last one exclusive."""
    return Range(Position(first, 0), Position(last, 0))


@pytest.mark.parametrize(
    ("wanted", "scope", "expected"),
    [
        (None, Scope.selection, None),
        (None, Scope.function, None),
        (lines(4, 5), Scope.file, None),
        (lines(4, 5), Scope.selection, (5, 5)),
        (lines(4, 4), Scope.selection, (5, 5)),
        (lines(4, 5), Scope.function, (4, 6)),
        (lines(0, 1), Scope.function, (1, 1)),
        (lines(0, 99), Scope.selection, (1, 9)),
        (Range(Position(5, 3), Position(4, 1)), Scope.selection, (5, 6)),
        (Range(Position(2**31 - 1, 0), Position(2**31 - 1, 2**31 - 1)), Scope.selection, (10, 10)),
    ],
)
def test_ranges_mean_whole_lines(
    wanted: Range | None, scope: Scope, expected: tuple[int, int] | None
) -> None:
    found = target(TEXT, wanted, scope)
    assert found.lines == expected
    start, end = found.window
    rows = TEXT.splitlines(keepends=True)
    assert TEXT[start:end] == "".join(rows if expected is None else rows[expected[0] - 1 : expected[1]])


@pytest.mark.parametrize("text", ["", "\n", "x", "x\ny", "\r", "ä\r\nb"])
def test_every_place_of_a_small_text_has_a_window_in_it(text: str) -> None:
    for line in range(4):
        for scope in Scope:
            start, end = target(text, lines(line, line), scope).window
            assert 0 <= start <= end <= len(text)


@pytest.mark.parametrize(
    ("uri", "language", "python"),
    [
        ("file:///a.py", "python", True),
        ("file:///a", "python", True),
        ("untitled:Untitled-1", "python", True),
        ("git:/a.py", "plaintext", True),
        ("file:///a.pyi", "", True),
        ("file:///a.md", "markdown", False),
        ("", "", False),
    ],
)
def test_python_is_known_by_language_or_name(uri: str, language: str, python: bool) -> None:
    assert is_python(Buffer(uri, "", 1, language)) == python


def test_python_in_a_file_without_a_suffix_is_checked_as_python() -> None:
    found = target("x\n", None, Scope.file, uri="file:///bin/tool")
    assert found.document.path == Path("/bin/tool.py")
    assert target("x\n", None, Scope.file, uri="untitled:a").document.path is None


@pytest.mark.parametrize(
    ("line", "times", "said"),
    [
        ("x" * MAX_LINE + "\n", 1, "a line has 10001 characters, more than the 10000 that can be edited"),
        ("a = 1\n", MAX_BYTES // 6 + 1, "the document is larger than 2 MiB"),
        ("ä = 1\n", MAX_BYTES // 7 + 1, "the document is larger than 2 MiB"),
        ("a = 1\n", 101, "101 lines are more than the 100"),
    ],
    ids=["line", "bytes", "characters", "lines"],
)
def test_what_is_too_large_is_refused(line: str, times: int, said: str) -> None:
    workspace = Workspace(None)
    buffer = opened(workspace, line * times)
    rules, problems = rules_for(buffer, workspace, Settings(max_lines=100))
    assert rules.refusal is not None
    assert rules.refusal.startswith(said)
    assert problems == ()
    with pytest.raises(EditFlowError, match=said):
        target_of(buffer, None, Scope.file, workspace, rules)


@pytest.mark.parametrize("text", ["a = '\0'\n", "a = '\ud800'\n"])
def test_what_has_no_bytes_in_utf_8_is_refused(text: str) -> None:
    with pytest.raises(EditFlowError):
        target(text, None, Scope.file)


def test_the_nearest_folder_is_the_one_that_patterns_are_relative_to(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    folders = [WorkspaceFolder(path.as_uri(), path.name) for path in (tmp_path, inner)]
    workspace = Workspace(None, workspace_folders=folders)
    settings = Settings(exclude=("/gen/**",))
    for path, refused in ((inner / "gen" / "a.py", True), (tmp_path / "b" / "gen" / "a.py", False)):
        buffer = opened(workspace, TEXT, path.as_uri())
        assert (rules_for(buffer, workspace, settings)[0].refusal is not None) == refused


def test_a_repository_narrows_and_its_problems_are_told(tmp_path: Path) -> None:
    (tmp_path / "editflow.toml").write_text('threshold = 0.9\nmax-lines = 3\nmodel = "/elsewhere"\n')
    workspace = Workspace(None, workspace_folders=[WorkspaceFolder(tmp_path.as_uri(), "p")])
    short = opened(workspace, "x\n", (tmp_path / "a.py").as_uri())
    rules, problems = rules_for(short, workspace, Settings(threshold=0.5))
    assert (rules.refusal, rules.threshold, rules.threshold_floor) == (None, 0.9, 0.9)
    (problem,) = problems
    assert "a repository cannot choose model" in problem
    long = opened(workspace, TEXT, (tmp_path / "b.py").as_uri())
    assert "more than the 3" in str(rules_for(long, workspace, Settings())[0].refusal)


def request(params: FixParams, text: str = TEXT, rules: Rules | None = None, **more: Any) -> Request:
    workspace = Workspace(None)
    buffer = opened(workspace, text, **more)
    rules = rules or Rules()
    return request_of(params, buffer, target_of(buffer, params.range, params.scope, workspace, rules), rules)


def params(**more: Any) -> FixParams:
    return FixParams(VersionedDocument("file:///p/a.py", 1), **more)


def test_a_request_holds_what_was_asked_and_what_the_rules_say() -> None:
    asked = params(range=lines(4, 5), scope=Scope.function, instruction="rename b")
    made = request(asked, rules=Rules(threshold=0.7, threshold_floor=0.4))
    assert (made.document.text, made.lines, made.instruction) == (TEXT, (4, 6), "rename b")
    assert (made.threshold, made.threshold_floor, made.diagnostics) == (0.7, 0.4, None)


@pytest.mark.parametrize(("seed", "candidates"), [(0, 1), (1, 1 + ALTERNATIVES), (9, MOST_CANDIDATES)])
def test_further_seeds_draw_further_candidates(seed: int, candidates: int) -> None:
    made = request(params(seed=seed))
    assert (made.seed, made.candidates) == (seed, candidates)


def test_what_others_complain_about_is_context_and_our_own_hints_are_not() -> None:
    place = Range(Position(4, 8), Position(4, 9))
    others = Diagnostic(place, "undefined\n name  'a'", source="pyright")
    empty = Diagnostic(Range(Position(4, 8), Position(4, 8)), "m" * 9999)
    ours = Diagnostic(place, "suspected", source="editflow")
    first, second = request(params(diagnostics=(others, ours, empty))).reported
    start = TEXT.index("a\n    return")
    assert (first.start, first.end, first.source) == (start, start + 1, "pyright")
    assert first.message == "undefined name 'a'"
    assert (second.start, second.end, second.source) == (start, start + 1, "editor")
    assert len(second.message) == MAX_MESSAGE
    assert len(request(params(diagnostics=(others,) * 1000)).reported) == MAX_REPORTED


def notebook(text: str) -> tuple[Workspace, Buffer]:
    workspace = Workspace(None)
    cell = NotebookCell(NotebookCellKind.Code, CELL)
    document = NotebookDocument("file:///n.ipynb", "jupyter-notebook", 1, [cell])
    item = TextDocumentItem(CELL, "python", 1, text)
    workspace.put_notebook_document(DidOpenNotebookDocumentParams(document, [item]))
    buffer = workspace.opened(CELL)
    assert buffer is not None
    return workspace, buffer


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("print(frame.head())\n", 0),  # `frame` is of another cell
        ("print(frame.head()\n", 1),
        ("%timeit f(\n", 0),
        ("!ls (\n", 0),
        ("x = 1\n  %%time (\n", 0),
    ],
)
def test_of_a_notebooks_cell_only_the_syntax_is_checked_and_once(text: str, complaints: int) -> None:
    workspace, buffer = notebook(text)
    found = target_of(buffer, None, Scope.selection, workspace, Rules())
    made = request_of(params(), buffer, found, Rules())
    assert found.is_cell
    assert found.document.path == Path("/n.py")
    assert made.diagnostics is not None
    assert len(made.diagnostics) == complaints
    assert made.rounds == 1


def test_a_folder_with_a_hash_in_its_name_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "c#proj"
    (folder / "gen").mkdir(parents=True)
    workspace = Workspace(None, workspace_folders=[WorkspaceFolder(folder.as_uri(), "c#proj")])
    buffer = opened(workspace, TEXT, (folder / "gen" / "a.py").as_uri())
    rules, _ = rules_for(buffer, workspace, Settings(exclude=("/gen/",)))
    assert rules.refusal == "excluded by your settings"

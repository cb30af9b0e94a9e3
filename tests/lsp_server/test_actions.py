"""What is offered where: by kind, by what triggered it, by what the client can show; and how fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median, quantiles
from time import thread_time
from typing import Any

import pytest
from lsprotocol.types import (
    CodeAction,
    CodeActionContext,
    CodeActionKind,
    CodeActionParams,
    CodeActionTag,
    CodeActionTriggerKind,
    Diagnostic,
    DiagnosticSeverity,
    Position,
    Range,
    TextDocumentIdentifier,
    TextDocumentItem,
)

from editflow_lsp.actions import REWRITE, SUSPECT, code_actions
from editflow_lsp.buffer import Buffer
from editflow_lsp.client import ClientFeatures
from editflow_lsp.messages import FIX, SUSPICION, FixParams, Scope
from editflow_lsp.payload import read
from editflow_lsp.rules import rules_for
from editflow_lsp.settings import Settings
from editflow_lsp.workspace import Workspace

URI = "file:///project/a.py"
TEXT = "def f(a):\n    return b\n\n\nprint(f(1)\n"
CURSOR = Range(Position(1, 4), Position(1, 4))
SELECTION = Range(Position(0, 0), Position(2, 0))
RESOLVES = ClientFeatures(resolves_edits=True)
AUTOMATIC = CodeActionTriggerKind.Automatic
QUICK_FIX = "quickfix"
Kinds = Sequence[CodeActionKind | str]


def diagnostic(line: int, first: int, last: int, **more: Any) -> Diagnostic:
    return Diagnostic(Range(Position(line, first), Position(line, last)), "undefined name 'b'", **more)


def offered(
    place: Range = CURSOR,
    *diagnostics: Diagnostic,
    only: Kinds | None = None,
    trigger: CodeActionTriggerKind | None = None,
    client: ClientFeatures = RESOLVES,
    refusal: str | None = None,
) -> list[CodeAction]:
    context = CodeActionContext(list(diagnostics), only and list(only), trigger)
    params = CodeActionParams(TextDocumentIdentifier(URI), place, context)
    return code_actions(params, Buffer(URI, TEXT, 4, "python"), client, refusal)


def kinds(actions: list[CodeAction]) -> list[object]:
    return [action.kind for action in actions]


def data(action: CodeAction) -> FixParams:
    return read(FixParams, action.data, "data")


def test_without_diagnostics_function_file_and_suspicion_are_offered() -> None:
    function, file, suspicion = offered()
    assert kinds([function, file, suspicion]) == [REWRITE, REWRITE, SUSPECT]
    assert (data(function).scope, data(file).scope) == (Scope.function, Scope.file)
    assert data(function).range == CURSOR
    assert data(function).text_document.version == 4
    assert suspicion.command is not None
    assert suspicion.command.command == SUSPICION
    assert suspicion.command.arguments == [{"textDocument": {"uri": URI, "version": 4}, "show": True}]


def test_a_selection_is_offered_as_it_is() -> None:
    selection, *_ = offered(SELECTION)
    assert (data(selection).scope, data(selection).range) == (Scope.selection, SELECTION)


def test_diagnostics_make_a_quick_fix_of_the_function_around_all_of_them() -> None:
    first, second = diagnostic(1, 11, 12), diagnostic(4, 0, 10)
    quick, *others = offered(CURSOR, second, first)
    assert (quick.kind, quick.diagnostics) == (QUICK_FIX, [second, first])
    assert data(quick).range == Range(Position(1, 11), Position(4, 10))
    assert (data(quick).scope, data(quick).diagnostics) == (Scope.function, (second, first))
    assert all(other.diagnostics is None for other in others)
    assert len({action.title for action in [quick, *others]}) == 4


def test_our_own_hints_are_nothing_to_fix() -> None:
    hint = diagnostic(1, 11, 12, source="editflow", severity=DiagnosticSeverity.Hint)
    assert QUICK_FIX not in kinds(offered(CURSOR, hint))
    quick = offered(CURSOR, hint, diagnostic(1, 4, 6))[0]
    assert len(data(quick).diagnostics) == 1


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (None, [QUICK_FIX, REWRITE, REWRITE, REWRITE, SUSPECT]),
        ([""], [QUICK_FIX, REWRITE, REWRITE, REWRITE, SUSPECT]),
        (["quickfix"], [QUICK_FIX]),
        ([CodeActionKind.QuickFix], [QUICK_FIX]),
        (["quickfix.editflow"], []),
        (["refactor"], [REWRITE] * 3),
        (["refactor.rewrite"], [REWRITE] * 3),
        ([REWRITE], [REWRITE] * 3),
        (["refactor.rewrite.editflow.more"], []),
        (["refactor.re"], []),
        (["refactor.extract"], []),
        (["source"], [SUSPECT]),
        (["source.editflow"], [SUSPECT]),
        (["source.fixAll"], []),
        (["source.organizeImports"], []),
        (["source", "quickfix"], [QUICK_FIX, SUSPECT]),
        (["notebook"], []),
    ],
)
def test_only_the_kinds_that_are_asked_for(only: Kinds | None, expected: list[str]) -> None:
    assert kinds(offered(SELECTION, diagnostic(1, 11, 12), only=only)) == expected


def test_by_itself_the_light_bulb_shows_the_quick_fix_alone() -> None:
    assert kinds(offered(SELECTION, diagnostic(1, 11, 12), trigger=AUTOMATIC)) == [QUICK_FIX]
    assert offered(SELECTION, trigger=AUTOMATIC) == []
    invoked = offered(SELECTION, diagnostic(1, 11, 12), trigger=CodeActionTriggerKind.Invoked)
    assert len(invoked) == 5


def test_where_nothing_may_be_fixed_the_reason_is_shown_to_who_asks_and_can_see_it() -> None:
    sees = ClientFeatures(disabled=True)
    refused = offered(CURSOR, diagnostic(1, 11, 12), client=sees, refusal="excluded by your settings")
    assert kinds(refused) == [QUICK_FIX, REWRITE, REWRITE]
    for action in refused:
        assert action.disabled is not None
        assert action.disabled.reason == "excluded by your settings"
        assert (action.command, action.data, action.edit) == (None, None, None)
    assert offered(CURSOR, refusal="no") == []
    assert offered(CURSOR, diagnostic(1, 11, 12), client=sees, refusal="no", trigger=AUTOMATIC) == []


def test_the_model_is_named_as_the_author_where_that_can_be_said() -> None:
    tagged = offered(client=ClientFeatures(tags=True))
    assert [action.tags for action in tagged] == [[CodeActionTag.LlmGenerated]] * 2 + [None]
    assert all(action.tags is None for action in offered())


@pytest.mark.parametrize(
    "client",
    [ClientFeatures(), ClientFeatures(resolves_edits=True, streams=True), ClientFeatures(streams=True)],
)
def test_who_streams_or_cannot_resolve_gets_a_command(
    client: ClientFeatures, valid: Callable[[str, object], None]
) -> None:
    for action in offered(SELECTION, diagnostic(1, 11, 12), client=client):
        assert action.data is None
        assert action.command is not None
        (argument,) = action.command.arguments or []
        valid("FixParams" if action.command.command == FIX else "SuspicionParams", argument)
        assert isinstance(argument, dict)
        assert "jobId" not in argument  # or running it twice would be one job


def test_nothing_is_preferred_and_nothing_fixes_everything() -> None:
    for action in offered(SELECTION, diagnostic(1, 11, 12)):
        assert not action.is_preferred
        assert not str(action.kind).startswith("source.fixAll")


def test_200_requests_on_5000_lines_take_less_than_10_ms_each() -> None:
    workspace = Workspace(None)
    text = "".join(f"def f{n}(a):\n    b = a + {n}  # ä\n    return b\n\n\n" for n in range(1000))
    workspace.put_text_document(TextDocumentItem(URI, "python", 1, text))
    buffer = workspace.opened(URI)
    assert buffer is not None
    times = []
    for line in range(0, 5000, 25):
        place = Range(Position(line, 0), Position(line + 2, 0))
        context = CodeActionContext([diagnostic(line + 1, 4, 5)])
        params = CodeActionParams(TextDocumentIdentifier(URI), place, context)
        start = thread_time()
        refusal = rules_for(buffer, workspace, Settings())[0].refusal
        assert len(code_actions(params, buffer, RESOLVES, refusal)) == 5
        times.append(thread_time() - start)
    assert len(times) == 200
    assert median(times) < 0.010
    assert quantiles(times, n=20)[-1] < 0.030  # thrice, for caches that others fill

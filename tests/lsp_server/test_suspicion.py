"""Where an edit seems due: answered to who asks, shown as hints where wanted, taken back when the text changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Diagnostic, DiagnosticSeverity, Position, Range
from pygls.exceptions import JsonRpcInvalidParams

from editflow.document import Document
from editflow.errors import EditFlowError
from editflow_lsp.buffer import Buffer, Change
from editflow_lsp.messages import SuspicionParams, VersionedDocument
from editflow_lsp.payload import payload
from editflow_lsp.settings import Settings
from editflow_lsp.suspicion import LEAST_SHOWN, MAX_HINTS, Span, Suspicion, merged
from tests.lsp_server.simulation import URI, Desk, settle

pytestmark = pytest.mark.asyncio
TEXT = "print(1)\n\n\ndef f(a):\n    return b\n"
SPANS = [(0, 5, 0.9), (6, 7, 0.01), (15, 16, 0.4), (25, 31, 0.31), (32, 33, 0.97)]
NAME = Range(Position(4, 11), Position(4, 12))


@dataclass
class Slow:
    """A model that answers when it is told to."""

    desk: Desk
    answer: asyncio.Future[list[Span]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    asked: list[tuple[int, int] | None] = field(default_factory=list)

    async def suspicion(
        self, document: Document, lines: tuple[int, int] | None = None, adapter: Path | None = None
    ) -> list[Span]:
        self.asked.append(lines)
        return await self.answer

    def start(self, request: object, adapter: Path | None = None) -> Any:
        raise AssertionError("a suspicion is no fix")


def suspecting(desk: Desk) -> Suspicion:
    """As a connection puts it together."""
    suspicion = Suspicion(desk.session)

    def changed(buffer: Buffer, changes: list[Change]) -> None:
        desk.session.changed(buffer, changes)
        suspicion.hide(buffer)

    desk.workspace.on_change = changed
    desk.model.suspected = SPANS
    return suspicion


def params(version: int = 1, **more: Any) -> SuspicionParams:
    return SuspicionParams(VersionedDocument(URI, version), **more)


@pytest.fixture
def desk(new_desk: Callable[..., Desk]) -> Desk:
    desk = new_desk(TEXT)
    assert isinstance(desk, Desk)
    return desk


async def test_who_asks_is_told_what_is_worth_telling(
    desk: Desk, valid: Callable[[str, object], None]
) -> None:
    result = await suspecting(desk).ask(params())
    valid("SuspicionResult", payload(result))
    assert [span.probability for span in result.spans] == [0.9, 0.4, 0.31, 0.97]
    assert result.spans[-1].range == NAME
    assert desk.editor.published == []


async def test_hints_are_shown_in_functions_and_taken_back_at_the_first_change(desk: Desk) -> None:
    await suspecting(desk).ask(params(show=True))
    (hints,) = desk.editor.published
    assert [hint.range for hint in hints] == [
        NAME,
        Range(Position(3, 4), Position(3, 5)),
        Range(Position(4, 4), Position(4, 10)),
    ]
    assert {(hint.severity, hint.source) for hint in hints} == {(DiagnosticSeverity.Hint, "editflow")}
    assert hints[0].message == "Edit Flow suspects that an edit is due here (97%)"
    for at in (0, 1):
        desk.editor.type(at, at, "#")
    desk.deliver_all()
    assert desk.editor.published[1:] == [[]]


async def test_hints_are_taken_back_when_asked_or_closed_without_the_model(desk: Desk) -> None:
    suspicion = suspecting(desk)
    await suspicion.ask(params(show=True))
    result = await suspicion.ask(params(version=99, show=False))
    assert (result.spans, desk.editor.published[1:]) == ((), [[]])
    await suspicion.ask(params(show=False))
    assert len(desk.editor.published) == 2
    await suspicion.ask(params(show=True))
    desk.workspace.remove_text_document(URI)
    assert desk.editor.published[3:] == [[]]


async def test_what_has_changed_meanwhile_is_answered_but_not_shown(desk: Desk) -> None:
    for change in (lambda: desk.editor.type(0, 0, "#"), lambda: desk.workspace.remove_text_document(URI)):
        suspicion, slow = suspecting(desk), Slow(desk)
        desk.session.model = slow
        task = asyncio.create_task(suspicion.ask(params(version=desk.editor.version, show=True)))
        await settle()
        asked = desk.editor.version
        change()
        desk.deliver_all()
        slow.answer.set_result([(32, 33, 0.97)])
        result = await task
        assert result.text_document.version == asked
        assert desk.editor.published == []
    assert result.spans  # they are for the version that they name


async def test_lines_are_those_of_the_range(desk: Desk) -> None:
    suspicion, slow = suspecting(desk), Slow(desk)
    desk.session.model = slow
    slow.answer.set_result([])
    await suspicion.ask(params(range=Range(Position(4, 2), Position(3, 0))))
    await suspicion.ask(params())
    assert slow.asked == [(4, 5), None]


async def test_refusals(desk: Desk, new_desk: Callable[..., Desk]) -> None:
    with pytest.raises(EditFlowError, match="the document has changed since: ask again"):
        await suspecting(desk).ask(params(version=2))
    with pytest.raises(JsonRpcInvalidParams, match="is not open"):
        await suspecting(desk).ask(SuspicionParams(VersionedDocument("file:///b.py", 1)))
    strict = new_desk(TEXT, settings=Settings(max_lines=2))
    with pytest.raises(EditFlowError, match="more than the 2"):
        await suspecting(strict).ask(params(show=True))


async def test_the_likeliest_hints_are_kept(desk: Desk) -> None:
    text = "def f(a):\n" + "    b\n" * 300
    many = Desk(text)
    suspicion = suspecting(many)
    starts = [10 + 6 * row + 4 for row in range(300)]
    many.model.suspected = [(at, at + 1, 0.4 + at / 10_000) for at in starts]
    await suspicion.ask(params(show=True))
    (hints,) = many.editor.published
    assert len(hints) == MAX_HINTS
    assert {hint.range.start.line for hint in hints} == set(range(201, 301))


SPAN_LISTS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.floats(0, 1)), max_size=12)


@given(SPAN_LISTS)
async def test_neighbours_are_one_hint_as_likely_as_the_likelier(gaps: list[tuple[int, int, float]]) -> None:
    spans: list[Span] = []
    at = 0
    for gap, length, probability in gaps:
        spans.append((at + gap, at + gap + length, probability))
        at += gap + length
    shown = list(merged(spans))
    for before, after in pairwise(shown):
        assert before[1] < after[0]
    likely = [span for span in spans if span[2] >= LEAST_SHOWN]
    covered = {place: probability for start, end, probability in shown for place in range(start, end)}
    assert set(covered) == {place for start, end, _ in likely for place in range(start, end)}
    for start, end, probability in shown:
        inside = [span[2] for span in likely if start <= span[0] and span[1] <= end]
        assert probability == max(inside)


async def test_a_hint_is_not_mistaken_for_a_diagnostic_of_others(desk: Desk) -> None:
    await suspecting(desk).ask(params(show=True))
    (hints,) = desk.editor.published
    fix = desk.params("j", diagnostics=tuple(hint for hint in hints if isinstance(hint, Diagnostic)))
    task = asyncio.create_task(desk.session.fix(fix))
    await settle()
    assert desk.model.started[0].request.reported == ()
    desk.model.started[0].step([], done=True)
    await task

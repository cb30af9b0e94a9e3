"""Where the model suspects that an edit is due: as an answer to a request, and as hints in the text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from lsprotocol.types import Diagnostic, DiagnosticSeverity

from editflow.errors import EditFlowError
from editflow_lsp.buffer import Buffer
from editflow_lsp.messages import Scope, SuspectedSpan, SuspicionParams, SuspicionResult, VersionedDocument
from editflow_lsp.request import OURS
from editflow_lsp.session import Session
from editflow_lsp.target import Target, target_of

LEAST_TOLD = 0.02
"""Probability below which a span is not worth a client's while."""
LEAST_SHOWN = 0.3
"""Probability from which on a hint is shown."""
MAX_HINTS = 100

Span = tuple[int, int, float]


class Suspicion:
    """The hints of one connection: shown where asked for, taken back when their document changes."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown: set[str] = set()

    async def ask(self, params: SuspicionParams) -> SuspicionResult:
        """Run the model, or only take the hints back. EditFlowError where the model may or can not read it."""
        buffer = self._session.opened(params.text_document.uri)
        if params.show is False:
            self.hide(buffer)
            return SuspicionResult(params.text_document, ())
        if buffer.version != params.text_document.version:
            raise EditFlowError("the document has changed since: ask again")
        target = self._target(params, buffer)
        index, version = buffer.index, buffer.version or 0
        adapter = await self._session.adapter_for(buffer)
        spans = await self._session.model.suspicion(target.document, target.lines, adapter)
        if params.show and buffer.version == version and not buffer.closed:
            self._publish(buffer, spans)
        told = (SuspectedSpan(index.range(start, end), p) for start, end, p in spans if p >= LEAST_TOLD)
        return SuspicionResult(VersionedDocument(buffer.uri, version), tuple(told))

    def hide(self, buffer: Buffer) -> None:
        """Take back the hints of a document."""
        if buffer.uri in self._shown:
            self._shown.discard(buffer.uri)
            self._session.peer.publish(buffer.uri, None if buffer.closed else buffer.version, [])

    def _target(self, params: SuspicionParams, buffer: Buffer) -> Target:
        rules = self._session.rules_for(buffer)
        return target_of(buffer, params.range, Scope.selection, self._session.workspace, rules)

    def _publish(self, buffer: Buffer, spans: list[Span]) -> None:
        likely = sorted(merged(_in_functions(buffer, spans)), key=lambda span: -span[2])[:MAX_HINTS]
        self._shown.add(buffer.uri)
        self._session.peer.publish(buffer.uri, buffer.version, [_hint(buffer, span) for span in likely])


def merged(spans: list[Span]) -> Iterator[Span]:
    """Spans to show: neighbours are one, as probable as the likelier."""
    held: Span | None = None
    for start, end, probability in spans:
        if probability < LEAST_SHOWN:
            continue
        if held is not None and start <= held[1]:
            held = held[0], end, max(held[2], probability)
            continue
        if held is not None:
            yield held
        held = start, end, probability
    if held is not None:
        yield held


def _in_functions(buffer: Buffer, spans: list[Span]) -> list[Span]:
    """Those that a fix of the file would look at; the model is not used to code outside functions."""
    from editflow.functions import functions_of

    rows = buffer.text.split("\n")
    starts = [0, *accumulate(len(row) + 1 for row in rows)]
    inside = [(starts[f.first], starts[f.last]) for f in functions_of(buffer.text, rows)]
    return [span for span in spans if any(low <= span[0] < high for low, high in inside)]


def _hint(buffer: Buffer, span: Span) -> Diagnostic:
    start, end, probability = span
    message = f"Edit Flow suspects that an edit is due here ({probability:.0%})"
    range_ = buffer.index.range(start, end)
    return Diagnostic(range_, message, severity=DiagnosticSeverity.Hint, source=OURS)

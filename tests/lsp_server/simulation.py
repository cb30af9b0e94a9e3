"""An editor and a model that do what a test says, when it says so; between them the real session.

Both directions of the connection are queues, so a schedule decides who is how far behind whom. Every character of the
document has an identity: what an edit deletes is compared with what the model was shown, not with what looks alike.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from lsprotocol.types import (
    AnnotatedTextEdit,
    ApplyWorkspaceEditResult,
    Diagnostic,
    MessageType,
    Position,
    Range,
    SnippetTextEdit,
    TextDocumentContentChangePartial,
    TextDocumentEdit,
    TextDocumentItem,
    TextEdit,
    VersionedTextDocumentIdentifier,
    WorkspaceEdit,
)

from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.pieces import TextEdit as Edit
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.step import Step
from editflow_lsp.buffer import Buffer
from editflow_lsp.client import ClientFeatures
from editflow_lsp.messages import FixParams, Mode, Scope, VersionedDocument
from editflow_lsp.peer import ProgressValue
from editflow_lsp.rules import rules_for
from editflow_lsp.session import Session
from editflow_lsp.settings import Settings
from editflow_lsp.workspace import Workspace

URI = "file:///project/a.py"
MODEL = "simulated@01234567"


class SimulatedFix:
    """A fix whose steps come when the test says so."""

    model = MODEL

    def __init__(self, request: Request, adapter: Path | None) -> None:
        self.request, self.adapter = request, adapter
        self.cancelled = self.over = False
        self.steps = 0
        self.last: Step | None = None
        """The step that is done."""
        self._events: asyncio.Queue[Step | EditFlowError | None] = asyncio.Queue()

    def step(self, edits: Sequence[Edit], *, done: bool = False) -> None:
        """Make a pass; one that is done is the last."""
        self.steps += 1
        proposal = Proposal.from_edits(self.request.document, edits)
        step = Step(self.steps, 8, proposal, done)
        self._events.put_nowait(step)
        if done:
            self.over, self.last = True, step

    def fail(self, message: str) -> None:
        """End with an error."""
        self.over = True
        self._events.put_nowait(EditFlowError(message))

    def cancel(self) -> None:
        """Stop at once."""
        if not self.over:
            self.cancelled = self.over = True
            self._events.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[Step]:
        while (event := await self._events.get()) is not None:
            if isinstance(event, EditFlowError):
                raise event
            yield event
            if event.done:
                return


class SimulatedModel:
    """Keeps the fixes that were started; suspects what it is told to."""

    def __init__(self) -> None:
        self.started: list[SimulatedFix] = []
        self.suspicious: list[Path | None] = []
        """The adapters that it was to suspect with."""
        self.suspected: list[tuple[int, int, float]] = []

    def start(self, request: Request, adapter: Path | None = None) -> SimulatedFix:
        fix = SimulatedFix(request, adapter)
        self.started.append(fix)
        return fix

    async def suspicion(
        self, document: Document, lines: tuple[int, int] | None = None, adapter: Path | None = None
    ) -> list[tuple[int, int, float]]:
        self.suspicious.append(adapter)
        await asyncio.sleep(0)
        return self.suspected


@dataclass(frozen=True, slots=True)
class Character:
    """One character, and which one it is."""

    text: str
    identity: int


@dataclass
class SimulatedEditor:
    """A peer that keeps a document of its own; what the two say to each other waits until it is delivered.

    `honest` editors answer that they did not apply an edit for another version; others drop it and answer yes.
    """

    text: str
    honest: bool = True
    version: int = 1
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    replaced: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    published: list[Sequence[Diagnostic]] = field(default_factory=list)
    progress: list[ProgressValue] = field(default_factory=list)
    applied: list[list[tuple[tuple[int, ...], str]]] = field(default_factory=list)
    """For each edit that was applied: the identities it deleted and the text it put there, one pair a hunk."""

    def __post_init__(self) -> None:
        self._identities = count()
        self.characters = self._new(self.text)
        self.to_server: deque[tuple[str, Any]] = deque()
        self.to_editor: deque[tuple[WorkspaceEdit, asyncio.Future[ApplyWorkspaceEditResult]]] = deque()

    @property
    def current(self) -> str:
        """The document as the person sees it."""
        return "".join(character.text for character in self.characters)

    def type(self, start: int, end: int, new: str) -> tuple[Character, ...]:
        """The person replaces characters; the change is on its way to the server."""
        range_ = Range(self._position(start), self._position(end))
        typed = self._new(new)
        self.characters[start:end] = typed
        self.version += 1
        self.to_server.append(("change", (self.version, range_, new)))
        return tuple(typed)

    def receive(self) -> None:
        """Take the oldest request of the server, and answer it."""
        edit, answer = self.to_editor.popleft()
        stale = _version_of(edit) != self.version
        if not stale:
            self.apply(_edits_of(edit))
        result = ApplyWorkspaceEditResult(
            applied=not (stale and self.honest), failure_reason="changed" if stale else None
        )
        self.to_server.append(("answer", (answer, result)))

    def apply(self, edits: Sequence[tuple[Range, str]]) -> None:
        """Make edits that are for the text as it is, in one change."""
        spans = sorted(
            ((self._offset(r.start), self._offset(r.end), new) for r, new in edits), key=lambda e: e[:2]
        )
        self.applied.append([(tuple(c.identity for c in self.characters[s:e]), new) for s, e, new in spans])
        for start, end, new in reversed(spans):
            self.characters[start:end] = self._new(new)
        self.version += 1
        self.to_server.append(("replace", (self.version, self.current)))

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self.sent.append((method, params))

    def replace(self, key: str, method: str, params: dict[str, Any]) -> None:
        self.replaced.append((key, method, params))

    def discard(self, key: str) -> None:
        self.replaced = [each for each in self.replaced if each[0] != key]

    async def apply_edit(self, label: str, edit: WorkspaceEdit) -> ApplyWorkspaceEditResult:
        answer: asyncio.Future[ApplyWorkspaceEditResult] = asyncio.get_running_loop().create_future()
        self.to_editor.append((edit, answer))
        return await answer

    async def create_progress(self, token: str) -> None:
        await asyncio.sleep(0)

    def report_progress(self, token: str | int, value: ProgressValue) -> None:
        self.progress.append(value)

    def publish(self, uri: str, version: int | None, diagnostics: Sequence[Diagnostic]) -> None:
        self.published.append(diagnostics)

    def show(self, kind: MessageType, text: str) -> None:
        self.shown.append(text)

    def _new(self, text: str) -> list[Character]:
        return [Character(character, next(self._identities)) for character in text]

    def _position(self, offset: int) -> Position:
        before = self.current[:offset]
        return Position(before.count("\n"), offset - (before.rfind("\n") + 1))

    def _offset(self, position: Position) -> int:
        lines = self.current.split("\n")
        return sum(len(line) + 1 for line in lines[: position.line]) + position.character


class Desk:
    """A session between a simulated editor and a simulated model, with one open document."""

    def __init__(
        self, text: str, *, honest: bool = True, settings: Settings | None = None, **client: Any
    ) -> None:
        self.editor, self.model = SimulatedEditor(text, honest=honest), SimulatedModel()
        self.workspace = Workspace(None)
        features = {"versions": True, "applies_edits": True, "streams": True, **client}
        given = settings or Settings()
        self.session = Session(
            self.workspace,
            ClientFeatures(**features),
            self.model,
            self.editor,
            lambda buffer: rules_for(buffer, self.workspace, given)[0],
            self._adapter_for,
        )
        self.session.settings = given
        self.adapter: asyncio.Future[Path | None] | None = None
        """What the adapter of the next fix is; it is waited for."""
        self.workspace.on_change = self.session.changed
        self.workspace.put_text_document(TextDocumentItem(URI, "python", 1, text))

    def params(
        self, job_id: str, *, mode: Mode = Mode.preview, lines: tuple[int, int] | None = None, **more: Any
    ) -> FixParams:
        """A request for the version that the editor has now; `lines` are 0-based, the last one exclusive."""
        range_ = None if lines is None else Range(Position(lines[0], 0), Position(lines[1], 0))
        document = VersionedDocument(URI, self.editor.version)
        return FixParams(document, job_id, range_, Scope.selection, mode, **more)

    def deliver(self) -> None:
        """Hand the server the oldest message that the editor sent."""
        kind, value = self.editor.to_server.popleft()
        if kind == "answer":
            answer, result = value
            if not answer.done():
                answer.set_result(result)
        elif kind == "change":
            version, range_, new = value
            change = TextDocumentContentChangePartial(range=range_, text=new)
            self.workspace.update_text_document(VersionedTextDocumentIdentifier(version, URI), change)
        elif kind == "replace":
            self._replace(*value)
        else:
            value()

    def deliver_all(self) -> None:
        """Hand over everything that is on its way."""
        while self.editor.to_server:
            self.deliver()

    async def _adapter_for(self, _: Buffer) -> Path | None:
        return None if self.adapter is None else await self.adapter

    def _replace(self, version: int, text: str) -> None:
        old = self.workspace.opened(URI)
        assert old is not None
        whole = old.index.range(0, len(old.text))
        change = TextDocumentContentChangePartial(range=whole, text=text)
        self.workspace.update_text_document(VersionedTextDocumentIdentifier(version, URI), change)


async def settle(turns: int = 6) -> None:
    """Let everything that can go on go on."""
    for _ in range(turns):
        await asyncio.sleep(0)


def _version_of(edit: WorkspaceEdit) -> int | None:
    (change,) = edit.document_changes or ()
    assert isinstance(change, TextDocumentEdit)
    return change.text_document.version


def _edits_of(edit: WorkspaceEdit) -> list[tuple[Range, str]]:
    (change,) = edit.document_changes or ()
    assert isinstance(change, TextDocumentEdit)
    return [(_plain(each).range, _plain(each).new_text) for each in change.edits]


def _plain(edit: TextEdit | AnnotatedTextEdit | SnippetTextEdit) -> TextEdit | AnnotatedTextEdit:
    assert not isinstance(edit, SnippetTextEdit)
    return edit

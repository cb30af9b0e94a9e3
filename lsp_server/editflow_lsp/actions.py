"""Code actions: what is offered for a place in a document, decided without looking at the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lsprotocol.types import (
    CodeAction,
    CodeActionDisabled,
    CodeActionKind,
    CodeActionParams,
    CodeActionTag,
    CodeActionTriggerKind,
    Command,
    Diagnostic,
    Range,
)

from editflow_lsp.buffer import Buffer
from editflow_lsp.client import ClientFeatures
from editflow_lsp.messages import FIX, SUSPICION, FixParams, Scope, SuspicionParams, VersionedDocument
from editflow_lsp.payload import payload
from editflow_lsp.request import OURS

REWRITE = f"{CodeActionKind.RefactorRewrite.value}.editflow"
SUSPECT = f"{CodeActionKind.Source.value}.editflow.suspicion"
KINDS = (CodeActionKind.QuickFix.value, REWRITE, SUSPECT)
TITLE = "Fix with Edit Flow"


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to offer."""

    title: str
    kind: str
    command: str
    params: FixParams | SuspicionParams
    diagnostics: tuple[Diagnostic, ...] = ()


def code_actions(
    params: CodeActionParams, buffer: Buffer, client: ClientFeatures, refusal: str | None
) -> list[CodeAction]:
    """What the client is offered; with a `refusal` only the reason why nothing is, where the client shows such."""
    automatic = params.context.trigger_kind == CodeActionTriggerKind.Automatic
    only = params.context.only
    offers = [offer for offer in _offers(params, buffer, automatic=automatic) if _wanted(offer.kind, only)]
    if refusal is None:
        return [_action(offer, client) for offer in offers]
    if automatic or not client.disabled:
        return []
    return [
        CodeAction(o.title, o.kind, disabled=CodeActionDisabled(refusal)) for o in offers if o.command == FIX
    ]


def _offers(params: CodeActionParams, buffer: Buffer, *, automatic: bool) -> Iterator[Offer]:
    document = VersionedDocument(buffer.uri, buffer.version or 0)
    diagnostics = tuple(d for d in params.context.diagnostics if d.source != OURS)
    asked = params.range

    def fix(title: str, kind: str, range_: Range, scope: Scope) -> Offer:
        fix_params = FixParams(document, range=range_, scope=scope, diagnostics=diagnostics)
        return Offer(title, kind, FIX, fix_params, diagnostics if kind == KINDS[0] else ())

    if diagnostics:
        yield fix(TITLE, KINDS[0], _hull(diagnostics), Scope.function)
    if automatic:
        return
    if asked.start != asked.end:
        yield fix("Fix selection with Edit Flow", REWRITE, asked, Scope.selection)
    yield fix("Fix function with Edit Flow" if diagnostics else TITLE, REWRITE, asked, Scope.function)
    yield fix("Fix file with Edit Flow", REWRITE, asked, Scope.file)
    suspect = SuspicionParams(document, None, show=True)
    yield Offer("Show where the flow would edit", SUSPECT, SUSPICION, suspect)


def _action(offer: Offer, client: ClientFeatures) -> CodeAction:
    action = CodeAction(offer.title, offer.kind, diagnostics=list(offer.diagnostics) or None)
    if client.tags and offer.command == FIX:
        action.tags = [CodeActionTag.LlmGenerated]
    if offer.command == FIX and client.resolves_edits and not client.streams:
        action.data = payload(offer.params)
    else:
        action.command = Command(offer.title, offer.command, arguments=[_argument(offer.params)])
    return action


def _argument(params: FixParams | SuspicionParams) -> dict[str, object]:
    """As JSON, without an id: the client chooses one, or each run gets its own."""
    return {name: value for name, value in payload(params).items() if name != "jobId"}


def _wanted(kind: str, only: Sequence[CodeActionKind | str] | None) -> bool:
    """Whether a kind is among those asked for, or below one of them."""
    if only is None:
        return True
    names = (o.value if isinstance(o, CodeActionKind) else o for o in only)
    return any(kind == name or name == "" or kind.startswith(name + ".") for name in names)


def _hull(diagnostics: Sequence[Diagnostic]) -> Range:
    """From the first start to the last end."""
    start = min((d.range.start for d in diagnostics), key=lambda p: (p.line, p.character))
    end = max((d.range.end for d in diagnostics), key=lambda p: (p.line, p.character))
    return Range(start, end)

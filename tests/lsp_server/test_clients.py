"""The server with the default checkpoint, as editors see it: clients/ has what the real ones sent as `initialize`."""

import copy
import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cattrs import Converter
from jsonschema import Draft202012Validator
from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient
from pytest_lsp.client import register_lsp_features
from pytest_lsp.protocol import LanguageClientProtocol

from editflow_lsp.positions import LineIndex
from tests.lsp_server.private_engine import private_engine

CAPTURED = Path(__file__).with_name("clients")
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "protocol.schema.json").read_text("utf-8"))
DEFINITIONS = {"$/editflow/step": "Step", "$/editflow/end": "End", "$/editflow/status": "Status"}

BROKEN = 'def shout(words)\n    for word in ["é", "😀", "漢字"]\n        print(word + "!")\n'
FIXED = BROKEN.replace("(words)\n", "(words):\n").replace("]\n", "]:\n")
COLON = types.Diagnostic(
    types.Range(types.Position(0, 15), types.Position(0, 16)), "expected ':'", source="other"
)
TYPED = types.TextEdit(types.Range(types.Position(0, 0), types.Position(0, 0)), "# typed\n")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Profile:
    """An editor, and what we expect of the server that speaks with it."""

    captured: str
    encoding: str = "utf-16"
    resolves: bool = True
    annotates: bool = False
    """Announces change annotations, tags and disabled actions, as VS Code does."""
    progress: bool = True
    streams: bool = False

    def parameters(self) -> types.InitializeParams:
        found = json.loads((CAPTURED / f"{self.captured}.json").read_text("utf-8"))
        if self.streams:
            found["capabilities"]["experimental"] = {
                "editflow": {"version": 1, "stepStream": True, "status": True}
            }
        if self.annotates:
            found["initializationOptions"] = {"review": "always"}
        return get_converter().structure(found, types.InitializeParams)


PROFILES = {
    "vscode": Profile("vscode_1.139.1_languageclient_11", annotates=True),
    "neovim 0.7": Profile("neovim_0.7.2"),
    "neovim 0.11": Profile("neovim_0.11.4", encoding="utf-8"),
    "eglot": Profile("eglot_1.9_emacs_28.2", resolves=False, progress=False),
    "neovim 0.11 with plugin": Profile("neovim_0.11.4", encoding="utf-8", streams=True),
}
RESOLVING = [name for name, profile in PROFILES.items() if profile.resolves and not profile.streams]


def check_schema(value: Any, definition: str) -> None:
    """Raises ValidationError unless docs/protocol.schema.json allows the value."""
    Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": SCHEMA["$defs"]}).validate(value)


class RecordingProtocol(LanguageClientProtocol):
    """Keeps every message as it came."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)  # type: ignore[no-untyped-call]
        self.received: list[Json] = []

    def structure_message(self, data: Json) -> Any:
        if "jsonrpc" in data:  # this is called for every object inside, too
            self.received.append(copy.deepcopy(data))
        return super().structure_message(data)


def _converter() -> Converter:
    converter: Converter = default_converter()  # type: ignore[no-untyped-call]
    # lsprotocol 2025.0.0 cannot read a notebook selector that names cells only.
    converter.register_structure_hook(types.NotebookDocumentSyncOptions, lambda value, _: value)
    return converter


class Editor(LanguageClient):
    """Holds documents, applies what the server asks for, or types something else if not `honest`, and says yes."""

    protocol: RecordingProtocol

    def __init__(self, profile: Profile) -> None:
        super().__init__(converter_factory=_converter, protocol_cls=RecordingProtocol)
        register_lsp_features(self)
        self.feature(types.WORKSPACE_APPLY_EDIT)(
            lambda params: self.apply(params)
        )  # pygls marks the function
        self.profile = profile
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.honest = True

    def open(self, text: str = BROKEN) -> str:
        """A new document's URI."""
        uri = f"file:///project/{len(self.texts)}.py"
        self.texts[uri], self.versions[uri] = text, 1
        item = types.TextDocumentItem(uri, "python", 1, text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def apply(self, params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        for change in params.edit.document_changes or ():
            assert isinstance(change, types.TextDocumentEdit)
            self.write(change.text_document.uri, change.edits if self.honest else [TYPED])
        return types.ApplyWorkspaceEditResult(applied=True)

    def write(self, uri: str, edits: Any) -> None:
        """As if typed, in one change."""
        self.texts[uri] = self.edited(uri, [(edit.range, edit.new_text) for edit in edits])
        self.versions[uri] += 1
        identifier = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        whole = types.TextDocumentContentChangeWholeDocument(self.texts[uri])
        self.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [whole]))

    def edited(self, uri: str, edits: list[tuple[types.Range, str]]) -> str:
        text = self.texts[uri]
        index = LineIndex(text, types.PositionEncodingKind(self.profile.encoding))
        for range_, new in reversed(edits):
            start, end = index.offsets(range_)
            text = text[:start] + new + text[end:]
        return text

    async def actions(self, uri: str, **context: Any) -> list[Json]:
        """Code actions for the whole document, as JSON."""
        whole = types.Range(types.Position(0, 0), types.Position(3, 0))
        asked = types.CodeActionContext(context.pop("diagnostics", []), **context)
        await self.text_document_code_action_async(
            types.CodeActionParams(types.TextDocumentIdentifier(uri), whole, asked)
        )
        found: list[Json] = self.answer()
        return found

    async def execute(self, command: str, argument: Json) -> Any:
        """The command's answer, as JSON."""
        await self.workspace_execute_command_async(types.ExecuteCommandParams(command, [argument]))
        return self.answer()

    def answer(self) -> Any:
        """The result of the last request that was answered, as JSON."""
        return [message for message in self.protocol.received if "method" not in message][-1]["result"]

    def sent(self, method: str) -> list[Json]:
        """Parameters of the server's messages of this method so far."""
        return [message["params"] for message in self.protocol.received if message.get("method") == method]


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with private_engine() as environment:
        yield environment


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=PROFILES)
async def editor(request: pytest.FixtureRequest, environment: dict[str, str]) -> AsyncIterator[Editor]:
    editor = Editor(PROFILES[request.param])
    await editor.start_io(sys.executable, "-m", "editflow_lsp", env=environment)
    await editor.initialize_session(editor.profile.parameters())
    yield editor
    await editor.shutdown_session()
    await editor.stop()  # type: ignore[no-untyped-call]


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_handshake(editor: Editor) -> None:
    found = editor.protocol.received[0]["result"]["capabilities"]
    assert found.get("positionEncoding", "utf-16") == editor.profile.encoding
    assert found["codeActionProvider"]["resolveProvider"]
    kinds = found["codeActionProvider"]["codeActionKinds"]
    assert sorted(kinds) == ["quickfix", "refactor.rewrite.editflow", "source.editflow.suspicion"]
    ours = found["experimental"]["editflow"]
    check_schema(ours, "ServerCapability")
    assert sorted(ours["commands"]) == sorted(found["executeCommandProvider"]["commands"])


async def test_offers(editor: Editor) -> None:
    uri = editor.open()
    quick, *rest = await editor.actions(
        uri, diagnostics=[COLON], trigger_kind=types.CodeActionTriggerKind.Invoked
    )
    assert (quick["title"], quick["kind"]) == ("Fix with Edit Flow", "quickfix")
    assert quick["diagnostics"][0]["message"] == COLON.message
    assert {action["kind"] for action in rest} == {"refactor.rewrite.editflow", "source.editflow.suspicion"}
    for action in (quick, *rest):
        fixes = action["kind"] != "source.editflow.suspicion"
        assert ("data" in action) == (fixes and editor.profile.resolves and not editor.profile.streams)
        assert ("data" in action) != ("command" in action)
        assert action.get("tags") == ([1] if fixes and editor.profile.annotates else None)
        assert "edit" not in action
        assert "isPreferred" not in action


async def test_offers_are_narrowed(editor: Editor) -> None:
    uri = editor.open()
    automatic = types.CodeActionTriggerKind.Automatic
    for kinds, only in (
        ({"quickfix"}, ["quickfix"]),
        ({"refactor.rewrite.editflow"}, ["refactor"]),
        ({"source.editflow.suspicion"}, ["source"]),
        (set(), ["source.fixAll"]),
        (set(), ["refactor.extract"]),
    ):
        found = await editor.actions(uri, diagnostics=[COLON], only=only)
        assert {action["kind"] for action in found} == kinds
    found = await editor.actions(uri, diagnostics=[COLON], trigger_kind=automatic)
    assert [action["kind"] for action in found] == ["quickfix"]
    assert await editor.actions(uri, trigger_kind=automatic) == []


async def test_what_is_too_large_is_refused(editor: Editor) -> None:
    found = await editor.actions(editor.open("a = '" + "x" * 20_000 + "'\n"), diagnostics=[COLON])
    if editor.profile.annotates:
        assert found
        assert all("20007 characters" in action["disabled"]["reason"] for action in found)
    else:
        assert found == []


@pytest.mark.parametrize("editor", RESOLVING, indirect=True)
async def test_resolved_action(editor: Editor) -> None:
    uri = editor.open()
    before = len(editor.protocol.received)
    offered = await editor.actions(uri, only=["refactor.rewrite.editflow"])
    action = get_converter().structure(offered[-1], types.CodeAction)
    await editor.code_action_resolve_async(action)
    edit = editor.answer()["edit"]
    check_shape(editor, edit, uri)
    assert "changes" not in edit
    edits = get_converter().structure(edit["documentChanges"][0]["edits"], list[types.TextEdit])
    assert editor.edited(uri, [(each.range, each.new_text) for each in edits]) == FIXED
    check_progress(editor, before)


async def test_an_action_without_data_comes_back_as_it_was(editor: Editor) -> None:
    action = types.CodeAction("Other", command=types.Command("Other", "other.command"))
    await editor.code_action_resolve_async(action)
    assert editor.answer() == get_converter().unstructure(action)


async def test_applied_by_the_server(editor: Editor) -> None:
    uri = editor.open()
    before = len(editor.protocol.received)
    answer = await editor.execute("editflow.fix", {"textDocument": {"uri": uri, "version": 1}})
    check_schema(answer, "FixResult")
    assert (answer["status"], answer["applied"]) == ("done", True)
    assert editor.texts[uri] == FIXED
    check_shape(editor, editor.sent("workspace/applyEdit")[-1]["edit"], uri)
    check_progress(editor, before)


@pytest.mark.parametrize("editor", ["neovim 0.7"], indirect=True)  # which does say so
async def test_applied_is_what_the_text_says(editor: Editor) -> None:
    uri = editor.open()
    editor.honest = False
    try:
        answer = await editor.execute("editflow.fix", {"textDocument": {"uri": uri, "version": 1}})
    finally:
        editor.honest = True
    check_schema(answer, "FixResult")
    assert answer["applied"] is False


async def test_preview(editor: Editor) -> None:
    uri = editor.open()
    before = len(editor.protocol.received)
    argument = {"jobId": f"job {uri}", "mode": "preview", "textDocument": {"uri": uri, "version": 1}}
    answer = await editor.execute("editflow.fix", argument)
    check_schema(answer, "FixResult")
    assert "applied" not in answer
    assert editor.texts[uri] == BROKEN
    hunks = [(hunk["range"], hunk["newText"]) for hunk in answer["hunks"]]
    assert editor.edited(uri, get_converter().structure(hunks, list[tuple[types.Range, str]])) == FIXED
    during = editor.protocol.received[before:]
    custom = [m for m in during if m.get("method") in ("$/editflow/step", "$/editflow/end")]
    assert bool(custom) == editor.profile.streams
    if custom:
        *steps, end = custom
        assert end["method"] == "$/editflow/end"
        assert {message["method"] for message in steps} == {"$/editflow/step"}
        assert steps[-1]["params"]["hunks"] == answer["hunks"]
        numbers = [message["params"]["seq"] for message in steps]
        assert numbers == sorted(set(numbers))
        assert {message["params"]["jobId"] for message in custom} == {argument["jobId"]}


async def test_stale_cancel_and_suspicion(editor: Editor) -> None:
    uri = editor.open()
    stale = await editor.execute("editflow.fix", {"textDocument": {"uri": uri, "version": 7}})
    check_schema(stale, "FixResult")
    assert stale["status"] == "stale"
    cancelled = await editor.execute("editflow.cancel", {"jobId": "none"})
    check_schema(cancelled, "CancelResult")
    assert cancelled == {"cancelled": False}
    suspicion = await editor.execute("editflow.suspicion", {"textDocument": {"uri": uri, "version": 1}})
    check_schema(suspicion, "SuspicionResult")
    assert suspicion["spans"]


async def test_custom_messages_follow_the_schema_and_come_only_to_those_who_asked(editor: Editor) -> None:
    await editor.execute(
        "editflow.fix", {"textDocument": {"uri": editor.open(), "version": 1}, "mode": "preview"}
    )
    custom = [m for m in editor.protocol.received if m.get("method", "").startswith("$/editflow")]
    for message in custom:
        check_schema(message["params"], DEFINITIONS[message["method"]])
    assert {m["method"] for m in custom} == (set(DEFINITIONS) if editor.profile.streams else set())


def check_shape(editor: Editor, edit: Json, uri: str) -> None:
    """Versioned, and annotated where the client lets a person confirm each edit."""
    (change,) = edit["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 1}
    names = {each.get("annotationId") for each in change["edits"]}
    if editor.profile.annotates:
        assert names == set(edit["changeAnnotations"])
        assert all(each["needsConfirmation"] for each in edit["changeAnnotations"].values())
    else:
        assert names == {None}
        assert "changeAnnotations" not in edit


def check_progress(editor: Editor, before: int) -> None:
    """Begun and ended once, where the client shows progress; nothing elsewhere."""
    kinds = [
        message["params"]["value"]["kind"]
        for message in editor.protocol.received[before:]
        if message.get("method") == "$/progress"
    ]
    if not editor.profile.progress or editor.profile.streams:  # which shows the steps
        assert kinds == []
    else:
        assert (kinds[0], kinds[-1]) == ("begin", "end")
        assert set(kinds[1:-1]) <= {"report"}

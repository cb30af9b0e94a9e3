"""One editor's connection: its settings, what it is told and how often, and what answers to its requests look like."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from lsprotocol import converters, types
from pygls.exceptions import JsonRpcInternalError, JsonRpcInvalidParams, JsonRpcRequestCancelled

from editflow.errors import EditFlowError
from editflow.outcomes import FILE
from editflow.resident.status import EngineStatus, StatusKind
from editflow_lsp.connection import NOTHING, Connection, ContentModified, Overrides
from editflow_lsp.editor import Editor
from editflow_lsp.messages import (
    STATUS,
    FixParams,
    Mode,
    OutcomeParams,
    SuspicionParams,
    VersionedDocument,
)
from editflow_lsp.payload import payload
from editflow_lsp.workspace import Workspace
from tests import trained
from tests.lsp_server.simulation import MODEL, SimulatedEditor, SimulatedFix, SimulatedModel, settle

pytestmark = pytest.mark.asyncio
CONVERTER = converters.get_converter()
URI = "file:///project/a.py"
TEXT = "def f(a):\n    return b\n"
EDIT = 21, 22, "a", 0.9
PULLS = {"workspace": {"configuration": True}}
STREAMS = {"experimental": {"editflow": {"version": 1, "stepStream": True, "status": True}}}


class Answering(SimulatedEditor):
    """An editor that has settings."""

    settings: object = None
    asked = 0

    async def configuration(self, section: str) -> object:
        assert section == "editflow"
        self.asked += 1
        if isinstance(self.settings, Exception):
            raise self.settings
        return self.settings


class Engine(SimulatedModel):
    """A model that counts how often it was asked to be loaded."""

    warmed = 0

    async def warm(self) -> None:
        self.warmed += 1


class Line:
    """A connection to a simulated editor and a simulated engine, with one document."""

    def __init__(
        self, capabilities: dict[str, Any] | None = None, options: object = None, uri: str = URI
    ) -> None:
        said = {"processId": None, "rootUri": None, "capabilities": capabilities or {}}
        params = CONVERTER.structure({**said, "initializationOptions": options}, types.InitializeParams)
        self.editor, self.model, self.workspace = Answering(TEXT), Engine(), Workspace(None)
        self.connection = Connection(params, self.workspace, cast(Editor, self.editor), Overrides())
        self.connection.session.model = self.model
        self.connection.engine = cast(Any, self.model)
        self.open(uri, language="python" if uri == URI else "markdown")

    def open(self, uri: str, text: str = TEXT, language: str = "python") -> None:
        self.workspace.put_text_document(types.TextDocumentItem(uri, language, 1, text))
        self.connection.document_opened(uri)

    async def fix(
        self, *edits: tuple[int, int, str, float], **more: Any
    ) -> tuple[asyncio.Task[Any], SimulatedFix]:
        """A fix that was asked for, and whose only pass is made."""
        params = FixParams(VersionedDocument(URI, 1), "j", **more)
        task = asyncio.create_task(self.connection.fix(params, 1, None))
        await settle()
        fix = self.model.started[-1]
        fix.step(edits, done=True)
        return task, fix

    async def resolving(self, version: int = 1) -> tuple[asyncio.Task[types.CodeAction], types.CodeAction]:
        """An action that is being resolved."""
        data = payload(FixParams(VersionedDocument(URI, version)))
        action = types.CodeAction("Fix", data=data)
        task = asyncio.create_task(self.connection.resolve(action, 1))
        await settle()
        return task, action


@pytest.fixture
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    yield tmp_path / "editflow"


async def test_the_model_is_loaded_once_when_python_is_opened() -> None:
    line = Line()
    await settle()
    assert line.model.warmed == 0  # the editor's settings are not known yet
    await line.connection.configure()
    line.open("file:///b.py")
    line.open("file:///b.md", language="markdown")
    await settle()
    assert line.model.warmed == 1
    other = Line(uri="file:///b.md")
    await other.connection.configure()
    await settle()
    assert other.model.warmed == 0


async def test_nothing_is_loaded_for_what_is_left_alone() -> None:
    line = Line(options={"suspicion": True, "maxLines": 1})
    await line.connection.configure()
    await settle()
    assert line.model.warmed == 0
    assert line.editor.shown == []


async def test_initial_settings_hold_and_their_problems_are_told_once() -> None:
    line = Line(options={"review": "always", "maxLines": -1, "tabs": 4})
    assert line.connection.session.settings.review == "always"
    assert line.editor.shown == []  # not before the handshake is over
    for _ in range(2):
        await line.connection.configure()
    assert len(line.editor.shown) == 2
    assert all(text.startswith("Edit Flow: ") for text in line.editor.shown)
    assert line.editor.asked == 0


async def test_settings_are_asked_for_and_asked_for_again() -> None:
    line = Line(PULLS, {"review": "always"})
    line.editor.settings = {"maxLines": 1}
    await line.connection.configure()
    assert (line.connection.session.settings.max_lines, line.connection.session.settings.review) == (
        1,
        "always",
    )
    refused = (await line.connection.session.fix(FixParams(VersionedDocument(URI, 1)))).result
    assert str(refused.reason).startswith("2 lines are more than the 1")
    line.editor.settings = None
    line.connection.reconfigure({"editflow": {"maxLines": 3}})
    await settle()
    assert line.connection.session.settings.max_lines > 3
    assert line.editor.asked == 2


async def test_settings_that_are_pushed_are_taken_where_there_is_nobody_to_ask() -> None:
    line = Line(options={"review": "always"})
    line.connection.reconfigure({"editflow": {"recordOutcomes": True}, "other": 1})
    assert line.connection.session.settings.record_outcomes
    assert line.connection.session.settings.review == "always"
    nothing: list[object] = [None, [], {"editflow": None}, {}]
    for pushed in nothing:
        line.connection.reconfigure(pushed)
        assert not line.connection.session.settings.record_outcomes
    assert line.editor.shown == []
    line.connection.reconfigure({"editflow": 3})
    assert line.editor.shown == ["Edit Flow: the settings must be an object"]


async def test_an_editor_that_fails_to_say_its_settings_keeps_the_initial_ones() -> None:
    line = Line(PULLS, {"review": "always", "maxLines": -1})
    line.editor.settings = JsonRpcInternalError("no")
    await line.connection.configure()
    assert line.connection.session.settings.review == "always"
    assert len(line.editor.shown) == 1


async def test_a_restart_is_asked_for_where_a_running_server_cannot_change() -> None:
    line = Line(PULLS)
    line.editor.settings = {"model": "/somewhere"}
    await line.connection.configure()
    assert line.connection._choose()[0] == "/somewhere"  # the engine is started with it
    line.editor.settings = {"model": "/elsewhere"}
    await line.connection.configure()
    assert line.connection.session.settings.model == "/somewhere"
    assert line.editor.shown == ["Edit Flow: restart to use the new model"]


async def test_status_goes_to_who_wants_it(valid: Callable[[str, object], None]) -> None:
    line = Line(STREAMS)
    for kind in StatusKind:
        line.connection._engine_changed(EngineStatus(kind, None, None, 0, "words"))
    assert [method for method, _ in line.editor.sent] == [STATUS] * len(StatusKind)
    for _, params in line.editor.sent:
        valid("Status", params)
    assert line.editor.shown == []


async def test_to_others_only_trouble_is_told_and_once() -> None:
    line = Line()
    for kind in (*StatusKind, *StatusKind):
        line.connection._engine_changed(EngineStatus(kind, None, None, 0, f"it is {kind.value}"))
    assert line.editor.sent == []
    assert line.editor.shown == ["Edit Flow: it is warning", "Edit Flow: it is error"]


async def test_who_does_not_stream_is_told_in_words_how_it_ended() -> None:
    line = Line({"workspace": {"applyEdit": True}})
    task, _ = await line.fix(mode=Mode.preview)
    assert (await task).status == "unchanged"
    assert line.editor.shown == [f"{NOTHING}"]
    stale = await line.connection.fix(FixParams(VersionedDocument(URI, 7)), 2, None)
    assert line.editor.shown[1:] == [f"Edit Flow: {stale.reason}"]


async def test_who_streams_is_not_told_twice() -> None:
    line = Line(STREAMS)
    task, _ = await line.fix(mode=Mode.preview)
    assert (await task).status == "unchanged"
    assert line.editor.shown == []


async def test_an_action_is_resolved_to_its_edit() -> None:
    line = Line()
    task, action = await line.resolving()
    line.model.started[0].step([EDIT], done=True)
    resolved = await task
    assert resolved is action
    assert resolved.edit is not None
    (edit,) = (resolved.edit.changes or {})[URI]
    assert (edit.range.start, edit.new_text) == (types.Position(1, 11), "a")
    assert line.editor.replaced == []  # it is not streamed, whoever asks


async def test_an_action_with_nothing_to_fix_gets_an_edit_without_changes() -> None:
    line = Line()
    task, _ = await line.resolving()
    line.model.started[0].step([], done=True)
    assert (await task).edit == types.WorkspaceEdit()
    assert line.editor.shown == [NOTHING]


@pytest.mark.parametrize(
    "action",
    [
        types.CodeAction("of another server"),
        types.CodeAction("a command", data={"x": 1}, command=types.Command("c", "c")),
        types.CodeAction("resolved", data={"x": 1}, edit=types.WorkspaceEdit()),
    ],
)
async def test_an_action_with_nothing_to_resolve_comes_back_unchanged(action: types.CodeAction) -> None:
    line = Line()
    before = CONVERTER.unstructure(action)
    assert await line.connection.resolve(action, 1) is action
    assert CONVERTER.unstructure(action) == before
    assert line.model.started == []


async def test_data_that_is_none_of_ours_is_invalid() -> None:
    with pytest.raises(JsonRpcInvalidParams, match="codeAction/resolve: data"):
        await Line().connection.resolve(types.CodeAction("x", data={"uri": URI}), 1)


async def test_what_cannot_be_resolved_says_why_with_the_code_that_lsp_has_for_it() -> None:
    line = Line()
    task, _ = await line.resolving(version=3)
    with pytest.raises(ContentModified, match="the document is at version 1") as stale:
        await task
    assert stale.value.code == -32801
    task, _ = await line.resolving()
    for job in line.connection.session.jobs:
        line.connection.session.jobs.cancel(job.id)
    with pytest.raises(JsonRpcRequestCancelled):
        await task
    task, _ = await line.resolving()
    line.model.started[-1].fail("the model cannot be loaded")
    with pytest.raises(EditFlowError, match="the model cannot be loaded"):
        await task


async def test_an_action_may_be_resolved_again() -> None:
    line = Line()
    ids = set()
    for _ in range(2):
        task, action = await line.resolving()
        ids |= {job.id for job in line.connection.session.jobs}
        line.model.started[-1].step([EDIT], done=True)
        await task
        action.edit = None
    assert len(ids) == 2


async def test_outcomes_are_written_only_for_who_has_opted_in(data_home: Path) -> None:
    for record in (False, True):
        line = Line(STREAMS, {"recordOutcomes": record})
        task, _ = await line.fix(EDIT, mode=Mode.preview)
        (hunk,) = (await task).hunks
        line.connection.settle(OutcomeParams("j", (hunk.id,), ()))
        assert (data_home / FILE).exists() == record
    (written,) = map(json.loads, (data_home / FILE).read_text().splitlines())
    assert (written["text"], written["hunks"][0]["accepted"]) == (TEXT, True)
    assert (written["path"], written["model"]) == ("/project/a.py", MODEL)


async def test_a_cancelled_preview_with_steps_is_answered_like_any_other() -> None:
    line = Line(STREAMS)
    params = FixParams(VersionedDocument(URI, 1), "j", mode=Mode.preview)
    task = asyncio.create_task(line.connection.fix(params, 1, None))
    await settle()
    line.model.started[0].step([EDIT])
    await settle()
    line.connection.session.jobs.cancel("j")
    assert (await task).status == "cancelled"


async def test_outcomes_that_cannot_be_written_are_complained_about(data_home: Path) -> None:
    data_home.parent.mkdir(exist_ok=True)
    data_home.write_text("a file")
    line = Line(STREAMS, {"recordOutcomes": True})
    task, _ = await line.fix(EDIT, mode=Mode.preview)
    await task
    line.connection.settle(OutcomeParams("j", (), ()))
    (said,) = line.editor.shown
    assert said.startswith("Edit Flow: what you accepted could not be recorded: ")


async def test_hints_come_with_open_and_save_where_they_are_wanted() -> None:
    for wanted in (False, True):
        line = Line(options={"suspicion": wanted})
        line.model.suspected = [(21, 22, 0.9)]
        await settle()
        buffer = line.workspace.opened(URI)
        assert buffer is not None
        line.connection.document_settled(buffer)
        await settle()
        assert len(line.editor.published) == (2 if wanted else 0)


async def test_the_problems_of_a_repository_are_told_once_and_it_only_narrows(tmp_path: Path) -> None:
    (tmp_path / "editflow.toml").write_text('interpreter = "/bin/sh"\nmax-lines = 1\n')
    line = Line()
    uri = (tmp_path / "a.py").as_uri()
    line.open(uri)
    for _ in range(3):
        result = await line.connection.fix(FixParams(VersionedDocument(uri, 1)), 1, None)
        assert result.status == "error"
    warnings = [text for text in line.editor.shown if "a repository cannot choose interpreter" in text]
    assert len(warnings) == 1


async def test_with_the_end_everything_ends() -> None:
    line = Line(STREAMS)
    params = FixParams(VersionedDocument(URI, 1), "j", mode=Mode.preview)
    task = asyncio.create_task(line.connection.fix(params, 1, None))
    forever = asyncio.Event()
    line.connection.spawn(cast(Any, forever.wait()))
    await settle()
    line.connection.end()
    result = await task
    assert (result.status, result.reason) == ("cancelled", "the editor has left")
    await settle()
    assert not line.connection._tasks


async def learned(line: Line, uri: str, folder: Path | None, name: str | None) -> None:
    """The next fix of a document has an adapter, and the status says so."""
    params = FixParams(VersionedDocument(uri, 1), "j", mode=Mode.preview)
    before = len(line.model.started)
    task = asyncio.create_task(line.connection.fix(params, 1, None))
    async with asyncio.timeout(30):
        while len(line.model.started) == before:
            await asyncio.sleep(0.005)
    line.model.started[-1].step([EDIT], done=True)
    assert (await task).model == MODEL
    assert line.model.started[-1].adapter == folder
    statuses = [params for method, params in line.editor.sent if method == STATUS]
    assert (statuses[-1].get("adapter") if statuses else None) == name


async def test_the_next_fix_has_what_was_trained_meanwhile(tmp_path: Path) -> None:
    root, uri = trained.repository(tmp_path), (tmp_path / "a.py").as_uri()
    line = Line(STREAMS)
    line.open(uri)
    await learned(line, uri, None, None)
    first = trained.install(root)
    await learned(line, uri, first.folder, first.name)
    second = trained.install(root)
    await learned(line, uri, second.folder, second.name)
    line.connection.reconfigure({"editflow": {"adapter": "none"}})
    await learned(line, uri, None, None)
    line.connection.reconfigure({"editflow": {}})
    await line.connection.suspicion.ask(SuspicionParams(VersionedDocument(uri, 1)))
    assert line.model.suspicious == [second.folder]


async def test_the_status_tells_of_an_adapter_before_the_first_fix(tmp_path: Path) -> None:
    adapter = trained.install(trained.repository(tmp_path))
    line = Line(STREAMS)
    await line.connection.configure()
    line.open((tmp_path / "a.py").as_uri())
    async with asyncio.timeout(30):
        while not any(params.get("adapter") == adapter.name for _, params in line.editor.sent):
            await asyncio.sleep(0.005)


async def test_a_repository_cannot_choose_an_adapter(tmp_path: Path) -> None:
    (tmp_path / "editflow.toml").write_text('adapter = "none"\n')
    adapter = trained.install(trained.repository(tmp_path))
    line, uri = Line(STREAMS), (tmp_path / "a.py").as_uri()
    line.open(uri)
    await learned(line, uri, adapter.folder, adapter.name)
    assert any("a repository cannot choose adapter" in text for text in line.editor.shown)

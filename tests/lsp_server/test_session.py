"""A fix from request to answer: every way to end, what the editor does meanwhile, and what is applied."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from lsprotocol.types import Position, Range
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcRequestCancelled

from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.proposal import Proposal
from editflow.step import Step
from editflow_lsp.jobs import CHANGED, CLOSED, SUPERSEDED
from editflow_lsp.messages import END, FixParams, JobStatus, Mode, VersionedDocument
from editflow_lsp.payload import payload
from editflow_lsp.session import STOPPED, Fixed, chosen
from editflow_lsp.settings import Settings
from tests.lsp_server.simulation import MODEL, URI, Desk, SimulatedFix, settle

pytestmark = pytest.mark.asyncio
NewDesk = Callable[..., Desk]
Task = asyncio.Task[Fixed]
TEXT = "".join(f"a{n} = {n}\n" for n in range(6))
LINES = 2, 4
"""The lines of most jobs; they are characters 14:28."""
EDIT = 19, 20, "20", 0.9
"""Makes `a2 = 2` of the third line `a2 = 20`."""
ADAPTER = Path("/data/adapters/shop")


@pytest.fixture
def desk(new_desk: NewDesk) -> Iterator[Desk]:
    made = new_desk(TEXT)
    yield made
    assert list(made.session.jobs) == []
    assert not (made.session._progress or made.session._applying)


def begin(desk: Desk, name: str = "j", **more: Any) -> Task:
    """Ask for a fix."""
    params = desk.params(name, **{"lines": LINES, **more})
    return asyncio.get_running_loop().create_task(desk.session.fix(params, f"request {name}"))


async def under_way(desk: Desk, name: str = "j", **more: Any) -> tuple[Task, SimulatedFix]:
    """Ask for a fix, and let it come to its first pass."""
    task = begin(desk, name, **more)
    await settle()
    return task, desk.model.started[-1]


def ends(desk: Desk) -> list[dict[str, Any]]:
    return [params for method, params in desk.editor.sent if method == END]


async def finished(desk: Desk, task: Task) -> Fixed:
    """The answer; its job has ended once before it, in the same way."""
    fixed = await asyncio.wait_for(task, 5)
    result = payload(fixed.result)
    (end,) = [end for end in ends(desk) if end["jobId"] == result["jobId"]]
    same = ["status", "steps", "cancelMs"] + ["reason"] * (fixed.result.applied is None)
    assert [end.get(name) for name in same] == [result.get(name) for name in same]
    return fixed


async def test_a_fix_that_is_done(desk: Desk, valid: Callable[[str, object], None]) -> None:
    task, fix = await under_way(desk)
    assert fix.request.lines == (3, 4)
    fix.step([EDIT])
    fix.step([EDIT], done=True)
    fixed = await finished(desk, task)
    result = fixed.result
    valid("FixResult", payload(result))
    assert (result.status, result.reason, result.steps) == (JobStatus.done, None, 2)
    assert result.text_document == VersionedDocument(URI, 1)
    assert result.window == Range(Position(2, 0), Position(4, 0))
    (hunk,) = result.hunks
    assert (hunk.range, hunk.new_text) == (Range(Position(2, 5), Position(2, 6)), "20")
    assert (hunk.state, hunk.confidence) == ("settled", 0.9)
    assert (result.cancel_ms, result.applied) == (None, None)
    assert not desk.editor.to_editor


async def test_nothing_to_fix(desk: Desk) -> None:
    task, fix = await under_way(desk)
    fix.step([EDIT])
    fix.step([], done=True)
    result = (await finished(desk, task)).result
    assert (result.status, result.hunks, result.window, result.steps) == (JobStatus.unchanged, (), None, 2)


async def test_a_model_that_fails_is_an_error_in_one_line(desk: Desk) -> None:
    task, fix = await under_way(desk)
    fix.step([EDIT])
    fix.fail("the model\n  cannot be loaded")
    result = (await finished(desk, task)).result
    assert (result.status, result.reason) == (JobStatus.error, "the model cannot be loaded")
    assert result.hunks == ()


async def test_a_model_that_stops_by_itself_is_an_error(desk: Desk) -> None:
    task, fix = await under_way(desk)
    fix.step([EDIT])
    fix.cancel()
    result = (await finished(desk, task)).result
    assert (result.status, result.reason, result.hunks) == (JobStatus.error, STOPPED, ())


async def test_a_cancelled_fix_says_how_long_it_took_and_proposes_nothing(desk: Desk) -> None:
    task, fix = await under_way(desk)
    fix.step([EDIT])
    await settle()
    assert desk.session.jobs.cancel("j")
    assert fix.cancelled
    assert not desk.session.jobs.cancel("j")
    result = (await finished(desk, task)).result
    assert (result.status, result.hunks, result.window) == (JobStatus.cancelled, (), None)
    assert result.cancel_ms is not None


async def test_a_cancelled_request_is_answered_as_one_after_its_end(desk: Desk) -> None:
    task, fix = await under_way(desk)
    fix.step([EDIT])
    await settle()
    assert desk.session.cancel_request("request j")
    with pytest.raises(JsonRpcRequestCancelled):
        await asyncio.wait_for(task, 5)
    assert [end["status"] for end in ends(desk)] == ["cancelled"]
    assert not desk.session.cancel_request("request j")


async def test_a_task_that_is_cancelled_from_outside_stops_the_model_and_ends(desk: Desk) -> None:
    task, fix = await under_way(desk)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert fix.cancelled
    assert [end["status"] for end in ends(desk)] == ["cancelled"]


async def test_a_version_that_is_not_there_is_stale_and_starts_no_model(desk: Desk) -> None:
    for version in (0, 2):
        params = replace(desk.params(f"v{version}"), text_document=VersionedDocument(URI, version))
        result = (await finished(desk, asyncio.create_task(desk.session.fix(params)))).result
        assert result.status is JobStatus.stale
        assert result.reason == f"the document is at version 1, the request was for {version}"
    assert desk.model.started == []


async def test_an_unknown_document_is_named_and_no_job(desk: Desk) -> None:
    params = FixParams(VersionedDocument("file:///other.py", 1), "j")
    with pytest.raises(JsonRpcInvalidParams, match=r"file:///other.py is not open"):
        await desk.session.fix(params)
    assert ends(desk) == []


async def test_what_may_not_be_fixed_is_an_error_with_the_reason(new_desk: NewDesk) -> None:
    desk = new_desk(TEXT, settings=Settings(max_lines=3))
    result = (await finished(desk, begin(desk))).result
    assert result.status is JobStatus.error
    assert str(result.reason).startswith("6 lines are more than the 3")
    assert desk.model.started == []


async def test_the_newest_job_supersedes_the_one_before(desk: Desk) -> None:
    first, fix = await under_way(desk, "1")
    fix.step([EDIT])
    second, newer = await under_way(desk, "2")
    assert fix.cancelled
    result = (await finished(desk, first)).result
    assert (result.status, result.reason) == (JobStatus.cancelled, SUPERSEDED)
    newer.step([EDIT], done=True)
    assert (await finished(desk, second)).result.status is JobStatus.done
    assert [end["jobId"] for end in ends(desk)] == ["1", "2"]


async def test_typing_inside_makes_it_stale(desk: Desk) -> None:
    task, fix = await under_way(desk)
    fix.step([EDIT])
    desk.editor.type(20, 20, "!")
    desk.deliver_all()
    assert fix.cancelled
    result = (await finished(desk, task)).result
    assert (result.status, result.reason, result.hunks) == (JobStatus.stale, CHANGED, ())
    assert result.steps == 0  # its step came too late
    assert result.cancel_ms is not None


async def test_closing_makes_it_stale(desk: Desk) -> None:
    task, fix = await under_way(desk)
    desk.workspace.remove_text_document(URI)
    assert fix.cancelled
    result = (await finished(desk, task)).result
    assert (result.status, result.reason) == (JobStatus.stale, CLOSED)


async def test_opening_the_document_anew_makes_it_stale(desk: Desk) -> None:
    task, fix = await under_way(desk)
    desk.workspace.put_text_document(types.TextDocumentItem(URI, "python", 1, TEXT))
    assert fix.cancelled
    assert (await finished(desk, task)).result.status is JobStatus.stale


@pytest.mark.parametrize(
    ("at", "lines_down", "hunk"),
    [(0, 1, (3, 5)), (13, 1, (3, 5)), (28 + 1, 0, (2, 5)), (len(TEXT), 0, (2, 5))],
)
async def test_typing_beside_carries_the_hunks_along(
    desk: Desk, at: int, lines_down: int, hunk: tuple[int, int]
) -> None:
    task, fix = await under_way(desk)
    fix.step([EDIT])
    await settle()
    desk.editor.type(at, at, "\n")
    desk.deliver_all()
    fix.step([EDIT], done=True)
    fixed = await finished(desk, task)
    result = fixed.result
    assert (result.status, result.text_document.version) == (JobStatus.done, 2)
    assert result.window == Range(Position(2 + lines_down, 0), Position(4 + lines_down, 0))
    assert result.hunks[0].range == Range(Position(*hunk), Position(hunk[0], hunk[1] + 1))
    desk.editor.apply([(each.range, each.new_text) for each in result.hunks])
    assert "a2 = 20\n" in desk.editor.current


async def test_a_seed_picks_another_candidate() -> None:
    document = Document.from_text(TEXT)
    first, second, third = (Proposal.from_edits(document, [(19, 20, new, 0.9)]) for new in "xyz")
    step = Step(4, 8, first, True, (first, second, third))
    assert [chosen(step, seed).proposal for seed in (0, 1, 2, 7)] == [first, second, third, third]
    assert chosen(replace(step, alternatives=()), 3).proposal is first


async def test_the_picked_candidate_is_what_is_proposed(desk: Desk) -> None:
    task, fix = await under_way(desk, seed=1)
    proposals = tuple(Proposal.from_edits(fix.request.document, [(19, 20, new, 0.9)]) for new in "xy")
    fix._events.put_nowait(Step(1, 8, proposals[0], True, proposals))
    assert (await finished(desk, task)).result.hunks[0].new_text == "y"


async def test_progress_is_shown_and_cancels(new_desk: NewDesk) -> None:
    desk = new_desk(TEXT, streams=False, progress=True)
    task, fix = await under_way(desk)
    fix.step([EDIT])
    await settle()
    (token,) = desk.session._progress
    desk.session.cancel_progress("another")
    assert not fix.cancelled
    desk.session.cancel_progress(token)
    assert fix.cancelled
    assert (await asyncio.wait_for(task, 5)).result.status is JobStatus.cancelled
    assert [value.kind for value in desk.editor.progress] == ["begin", "report", "end"]
    assert desk.editor.progress[1].message == f"pass 1 by {MODEL}"
    desk.session.cancel_progress(token)


async def test_the_model_that_answered_is_told_where_it_is_seen(new_desk: NewDesk) -> None:
    desk = new_desk(TEXT, streams=False, progress=True)
    task, fix = await under_way(desk)
    fix.step([EDIT], done=True)
    assert (await asyncio.wait_for(task, 5)).result.model == MODEL
    assert desk.editor.progress[-1].message == f"1 hunk by {MODEL}"


async def test_a_fix_waits_for_its_adapter_and_follows_the_text_meanwhile(desk: Desk) -> None:
    desk.adapter = asyncio.get_running_loop().create_future()
    task = begin(desk)
    await settle()
    assert desk.model.started == []
    desk.editor.type(0, 0, "# above\n")
    desk.deliver_all()
    desk.adapter.set_result(ADAPTER)
    await settle()
    (fix,) = desk.model.started
    assert fix.adapter == ADAPTER
    fix.step([EDIT], done=True)
    result = (await finished(desk, task)).result
    assert (result.status, result.hunks[0].range.start.line) == (JobStatus.done, 3)


async def test_what_is_cancelled_before_its_adapter_is_known_never_starts(desk: Desk) -> None:
    desk.adapter = asyncio.get_running_loop().create_future()
    task = begin(desk)
    await settle()
    assert desk.session.jobs.cancel("j")
    desk.adapter.set_result(None)
    result = (await finished(desk, task)).result
    assert (result.status, result.model) == (JobStatus.cancelled, None)
    assert desk.model.started == []


async def test_one_token_for_two_jobs_does_no_harm(desk: Desk) -> None:
    tasks = [asyncio.create_task(desk.session.fix(desk.params(name), name, "t")) for name in "12"]
    await settle()
    desk.model.started[-1].step([EDIT], done=True)
    statuses = [(await asyncio.wait_for(task, 5)).result.status for task in tasks]
    assert statuses == [JobStatus.cancelled, JobStatus.done]


async def test_a_client_that_streams_is_shown_no_progress_beside_it(new_desk: NewDesk) -> None:
    desk = new_desk(TEXT, progress=True)
    task, fix = await under_way(desk)
    fix.step([EDIT], done=True)
    await finished(desk, task)
    assert desk.editor.progress == []


async def test_a_notebooks_cell_sees_the_names_of_the_others(desk: Desk) -> None:
    uri = "notebook:/n.ipynb#c1"
    notebook = types.NotebookDocument(
        "file:///n.ipynb", "jupyter-notebook", 1, [types.NotebookCell(types.NotebookCellKind.Code, uri)]
    )
    cell = types.TextDocumentItem(uri, "python", 1, "%matplotlib inline\nframe.plot(\n")
    desk.workspace.put_notebook_document(types.DidOpenNotebookDocumentParams(notebook, [cell]))
    params = FixParams(VersionedDocument(uri, 1), "cell", mode=Mode.preview)
    task = asyncio.create_task(desk.session.fix(params))
    await settle()
    (fix,) = desk.model.started
    assert fix.request.diagnostics == ()
    fix.step([(30, 30, ")", 0.9)], done=True)
    result = (await finished(desk, task)).result
    assert (result.text_document.uri, result.hunks[0].range.start) == (uri, Position(1, 11))


# What is applied, and what is said of it.


async def applying(desk: Desk, name: str = "j") -> Task:
    """A fix that has asked the editor to apply its edit."""
    task, fix = await under_way(desk, name, mode=Mode.apply)
    fix.step([EDIT], done=True)
    await settle()
    return task


async def test_an_edit_is_applied_and_seen(desk: Desk) -> None:
    task = await applying(desk)
    desk.editor.receive()
    desk.deliver_all()
    result = (await finished(desk, task)).result
    assert (result.status, result.applied, result.reason) == (JobStatus.done, True, None)
    assert "a2 = 20\n" in desk.editor.current
    assert desk.editor.shown == []


async def test_typing_before_the_edit_arrives_drops_it_whole(new_desk: NewDesk) -> None:
    desk = new_desk(TEXT)
    task = await applying(desk)
    desk.editor.type(0, 0, "#")
    desk.editor.receive()
    desk.deliver_all()
    result = (await finished(desk, task)).result
    assert (result.status, result.applied, result.reason) == (JobStatus.done, False, "changed")
    assert desk.editor.current == "#" + TEXT
    assert desk.editor.shown == ["Edit Flow: changed"]


async def test_an_editor_that_says_yes_to_what_it_dropped_is_not_believed(
    new_desk: NewDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editflow_lsp.applying.PATIENCE", 0.01)
    desk = new_desk(TEXT, honest=False)
    task = await applying(desk)
    desk.editor.type(0, 0, "#")
    desk.editor.receive()
    desk.deliver_all()
    result = (await finished(desk, task)).result
    assert result.applied is False
    assert "does not read so" in str(result.reason)
    assert desk.editor.current == "#" + TEXT


async def test_an_editor_that_answers_with_an_error(desk: Desk) -> None:
    task = await applying(desk)
    desk.editor.to_editor.popleft()[1].set_exception(JsonRpcException("out of\norder"))
    result = (await finished(desk, task)).result
    assert (result.applied, result.reason) == (False, "the editor could not apply the edit: out of order")


async def test_an_editor_that_gives_no_reason(desk: Desk) -> None:
    task = await applying(desk)
    desk.editor.to_editor.popleft()[1].set_result(types.ApplyWorkspaceEditResult(applied=False))
    result = (await finished(desk, task)).result
    assert (result.applied, result.reason) == (False, "the editor did not apply the edit")


async def test_an_editor_that_cannot_apply_is_not_asked(new_desk: NewDesk) -> None:
    desk = new_desk(TEXT, applies_edits=False)
    result = (await finished(desk, await applying(desk))).result
    assert (result.status, result.applied) == (JobStatus.done, False)
    assert result.reason == "this editor cannot apply edits"
    assert not desk.editor.to_editor


async def test_what_is_being_applied_is_no_job_any_more_but_a_request(desk: Desk) -> None:
    task = await applying(desk)
    assert not desk.session.jobs.cancel("j")
    assert desk.session.cancel_request("request j")
    with pytest.raises(JsonRpcRequestCancelled):
        await asyncio.wait_for(task, 10)
    assert desk.editor.to_editor[0][1].cancelled()  # the question was taken back


async def test_another_request_does_not_take_the_question_back(desk: Desk) -> None:
    task = await applying(desk)
    assert not desk.session.cancel_request("another")
    desk.editor.receive()
    desk.deliver_all()
    assert (await finished(desk, task)).result.applied is True


async def test_after_a_cancellation_nothing_is_applied(desk: Desk) -> None:
    task, fix = await under_way(desk, mode=Mode.apply)
    desk.session.jobs.cancel("j")
    fix.step([EDIT], done=True)
    assert (await finished(desk, task)).result.status is JobStatus.cancelled
    assert not desk.editor.to_editor


async def test_an_edit_is_confirmed_one_by_one_where_that_is_set(new_desk: NewDesk) -> None:
    for review, annotated in (("always", True), ("auto", False)):
        desk = new_desk(TEXT, settings=Settings(review=review), annotations=True)  # type: ignore[arg-type]
        task, fix = await under_way(desk)
        fix.step([EDIT], done=True)
        edit = (await finished(desk, task)).edit
        assert isinstance(edit, types.WorkspaceEdit)
        assert bool(edit.change_annotations) == annotated
        (change,) = edit.document_changes or ()
        assert isinstance(change, types.TextDocumentEdit)
        assert isinstance(change.edits[0], types.AnnotatedTextEdit) == annotated


async def test_a_failing_rule_is_an_error_of_the_fix(desk: Desk) -> None:
    def refuse(_: object) -> Any:
        raise EditFlowError("no")

    desk.session.rules_for = refuse
    result = (await finished(desk, begin(desk))).result
    assert (result.status, result.reason) == (JobStatus.error, "no")


async def test_a_document_has_one_name_however_it_is_spelt(new_desk: NewDesk) -> None:
    desk = new_desk(TEXT)
    params = desk.params("j", mode=Mode.apply)
    params = replace(params, text_document=VersionedDocument(URI.replace("a.py", "%61.py"), 1))
    task = asyncio.create_task(desk.session.fix(params, "request j"))
    await settle()
    desk.editor.type(0, 0, "#")
    desk.deliver_all()
    result = (await finished(desk, task)).result
    assert (result.status, result.text_document.uri) == (JobStatus.stale, URI)
    assert not desk.editor.to_editor

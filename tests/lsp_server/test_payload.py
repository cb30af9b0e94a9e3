"""Messages become the JSON of the schema; JSON that is none of ours is named in words that quote no text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lsprotocol.types import Diagnostic, Position, Range
from pygls.exceptions import JsonRpcInvalidParams

from editflow_lsp.messages import (
    CancelParams,
    EndMessage,
    FixParams,
    FixResult,
    Hunk,
    HunkState,
    JobStatus,
    Mode,
    OutcomeParams,
    Scope,
    StatusMessage,
    StepMessage,
    SuspectedSpan,
    SuspicionParams,
    SuspicionResult,
    VersionedDocument,
)
from editflow_lsp.payload import payload, read

Valid = Callable[[str, object], None]
DOCUMENT = VersionedDocument("file:///a.py", 3)
PLACE = Range(Position(0, 1), Position(2, 0))
HUNK = Hunk("h1", PLACE, "x", HunkState.draft, 0.5)
JSON_DOCUMENT = {"uri": "file:///a.py", "version": 3}
JSON_PLACE = {"start": {"line": 0, "character": 1}, "end": {"line": 2, "character": 0}}
SECRET = "s3cret"

MESSAGES: list[tuple[str, object]] = [
    ("Step", StepMessage("j", 1, 2, None, DOCUMENT, (HUNK,), PLACE)),
    ("Step", StepMessage("j", 1, 2, 8, DOCUMENT, (), PLACE, truncated=True)),
    ("End", EndMessage("j", JobStatus.done, 2, 1.5)),
    ("End", EndMessage("j", JobStatus.stale, 2, 1.5, "it changed", 3.0)),
    ("FixResult", FixResult("j", JobStatus.done, DOCUMENT, (HUNK,), PLACE, 2, 1.5, applied=True)),
    ("FixResult", FixResult("j", JobStatus.done, DOCUMENT, (), PLACE, 2, 1.5, model="default@1+shop@2")),
    ("FixResult", FixResult("j", JobStatus.error, DOCUMENT, (), None, 0, 1.5, "no model")),
    ("Status", StatusMessage("ready", "default@9a61e92a", "cpu", 0, "")),
    ("Status", StatusMessage("inactive", None, None, 0, "")),
    ("Status", StatusMessage("busy", "default@9a61e92a", "cpu", 1, "", "shop@1a2b3c4d")),
    ("SuspicionResult", SuspicionResult(DOCUMENT, (SuspectedSpan(PLACE, 0.2),))),
    ("SuspicionParams", SuspicionParams(DOCUMENT, PLACE, show=False)),
    ("FixParams", FixParams(DOCUMENT)),
    ("FixParams", FixParams(DOCUMENT, "j", PLACE, diagnostics=(Diagnostic(PLACE, "bad"),), seed=2)),
    ("CancelParams", CancelParams("j")),
    ("Outcome", OutcomeParams("j", ("h1",), (), 12.0)),
]


@pytest.mark.parametrize(
    ("name", "message"), MESSAGES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_message_is_as_the_schema_says_and_reads_back(valid: Valid, name: str, message: object) -> None:
    written = payload(message)
    valid(name, written)
    assert read(type(message), written, name) == message


def test_what_is_not_known_is_null_and_what_is_not_there_is_left_out() -> None:
    nothing = payload(FixResult("j", JobStatus.unchanged, DOCUMENT, (), None, 0, 0.0))
    assert nothing["window"] is None
    assert set(nothing) == {"jobId", "status", "textDocument", "hunks", "window", "steps", "elapsedMs"}
    status = payload(StatusMessage("inactive", None, None, 0, ""))
    assert status["model"] is None and "adapter" not in status


def test_members_that_are_not_given_have_the_defaults_of_the_protocol_and_unknown_ones_do_not_matter() -> (
    None
):
    params = read(FixParams, {"textDocument": JSON_DOCUMENT, "later": {"version": 2}}, "editflow.fix")
    assert (params.range, params.scope, params.mode) == (None, Scope.selection, Mode.apply)
    assert (params.instruction, params.diagnostics, params.seed) == ("", (), 0)
    another = read(FixParams, {"textDocument": JSON_DOCUMENT}, "editflow.fix")
    assert params.job_id != another.job_id


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        ("textDocument", None, "expected an object @ editflow.fix.textDocument"),
        ("textDocument", SECRET, "expected an object @ editflow.fix.textDocument"),
        ("textDocument", {}, "required field missing @ editflow.fix.textDocument.uri"),
        ("textDocument", {"uri": 1, "version": 1}, "expected str @ editflow.fix.textDocument.uri"),
        ("textDocument", {"uri": "", "version": True}, "expected int @ editflow.fix.textDocument.version"),
        ("textDocument", {"uri": "", "version": 1.0}, "expected int @ editflow.fix.textDocument.version"),
        ("textDocument", {"uri": "", "version": None}, "expected int @ editflow.fix.textDocument.version"),
        ("jobId", "", "jobId has not 1 to 200 characters"),
        ("jobId", "j" * 201, "jobId has not 1 to 200 characters"),
        ("jobId", 7, "expected str @ editflow.fix.jobId"),
        ("range", {}, "required field missing @ editflow.fix.range.start"),
        ("range", {**JSON_PLACE, "end": {"line": -1, "character": 0}}, "editflow.fix.range.end"),
        ("range", {**JSON_PLACE, "end": {"line": 2**31, "character": 0}}, "editflow.fix.range.end"),
        ("range", {**JSON_PLACE, "end": {"line": 0.5, "character": 0}}, "editflow.fix.range.end.line"),
        ("scope", "module", "'module' is not a valid Scope @ editflow.fix.scope"),
        ("scope", [], "[] is not a valid Scope @ editflow.fix.scope"),
        ("mode", 1, "1 is not a valid Mode @ editflow.fix.mode"),
        ("instruction", [SECRET], "expected str @ editflow.fix.instruction"),
        ("instruction", SECRET * 400, "instruction is longer than 2000 characters"),
        ("diagnostics", {}, "expected a list @ editflow.fix.diagnostics"),
        ("diagnostics", SECRET, "expected a list @ editflow.fix.diagnostics"),
        ("diagnostics", [SECRET], "editflow.fix.diagnostics[0]"),
        ("diagnostics", [{"range": JSON_PLACE, "message": 3}], "editflow.fix.diagnostics[0].message"),
        ("seed", -1, "seed is not in 0 to 2147483647"),
        ("seed", 2**31, "seed is not in 0 to 2147483647"),
        ("seed", False, "expected int @ editflow.fix.seed"),
    ],
)
def test_a_wrong_member_is_named(member: str, value: Any, said: str) -> None:
    with pytest.raises(JsonRpcInvalidParams) as caught:
        read(FixParams, {"textDocument": JSON_DOCUMENT, member: value}, "editflow.fix")
    assert said in caught.value.message
    assert SECRET not in caught.value.message


@pytest.mark.parametrize("value", [None, [], "text", 3, True])
def test_what_is_no_object_is_said_so(value: object) -> None:
    with pytest.raises(JsonRpcInvalidParams, match=r"expected an object @ editflow\.cancel"):
        read(CancelParams, value, "editflow.cancel")


def test_a_list_of_names_is_not_one_string() -> None:
    with pytest.raises(JsonRpcInvalidParams, match=r"expected a list @ outcome\.accepted"):
        read(OutcomeParams, {"jobId": "j", "accepted": "h1", "rejected": []}, "outcome")


@pytest.mark.parametrize("value", ["1", True, [1]])
def test_numbers_are_numbers(value: object) -> None:
    outcome = {"jobId": "j", "accepted": [], "rejected": [], "shownMs": value}
    with pytest.raises(JsonRpcInvalidParams, match="shownMs"):
        read(OutcomeParams, outcome, "outcome")

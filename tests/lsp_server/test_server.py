"""The real server with the real model: what it announces, how fast, and what it does for an editor."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from editflow.adapters.store import AdapterStore
from editflow.checkpoint import Checkpoint
from editflow_lsp.messages import COMMANDS, FIX, OUTCOME, STATUS, STEP, SUSPICION
from tests import trained
from tests.lsp_server.live import BUGGY, RIGHT, STREAMS, Live, crowd, eventually, is_alive

Valid = Callable[[str, object], None]
LONG = "".join(BUGGY.replace("first", f"first_{number}") + "\n\n" for number in range(100))
"""Takes a while."""
START = {"line": 0, "character": 0}


def applied(text: str, hunks: list[dict[str, Any]]) -> str:
    """The text after hunks, for texts in ASCII."""
    rows = text.splitlines(keepends=True)

    def offset(place: dict[str, int]) -> int:
        return sum(map(len, rows[: place["line"]])) + place["character"]

    for hunk in reversed(hunks):
        start, end = offset(hunk["range"]["start"]), offset(hunk["range"]["end"])
        text = text[:start] + hunk["newText"] + text[end:]
    return text


@dataclass(frozen=True, slots=True)
class Start:
    """A start of the server up to its answer to `initialize`."""

    encoding: str
    answer: dict[str, Any]
    seconds: float
    """Of processor time."""
    mapped: str
    """What was mapped into memory."""


@pytest.fixture(scope="module")
def starts(folder: Path) -> list[Start]:
    """Starts for clients with different encodings."""
    found = []
    for encoding in ("utf-8", "utf-32", "utf-16"):
        with Live(folder, "--no-daemon") as editor:
            answer = editor.greet({"general": {"positionEncodings": [encoding, "utf-16"]}})
            mapped = Path(f"/proc/{editor.process.pid}/maps").read_text()
            found.append(Start(encoding, answer, editor.seconds_used(), mapped))
    return found


def test_initialize_is_answered_in_less_than_700_ms_without_torch(starts: list[Start]) -> None:
    assert min(start.seconds for start in starts) < 0.7 * crowd()
    assert not any("torch" in start.mapped for start in starts)


def test_what_is_announced(starts: list[Start], valid: Valid) -> None:
    capabilities = starts[0].answer["capabilities"]
    ours = capabilities["experimental"]["editflow"]
    valid("ServerCapability", ours)
    assert ours == {"version": 1, "stepStream": True, "status": True, "commands": list(COMMANDS)}
    assert capabilities["executeCommandProvider"]["commands"] == list(COMMANDS)
    actions = capabilities["codeActionProvider"]
    assert actions["resolveProvider"]
    assert actions["codeActionKinds"] == [
        "quickfix",
        "refactor.rewrite.editflow",
        "source.editflow.suspicion",
    ]
    assert capabilities["textDocumentSync"]["change"] == 2
    assert starts[0].answer["serverInfo"]["name"] == "editflow"


def test_the_clients_first_encoding_is_taken(starts: list[Start]) -> None:
    for start in starts:
        assert start.answer["capabilities"]["positionEncoding"] == start.encoding


def test_a_fix_is_streamed_and_its_end_comes_before_its_answer(live: Live, valid: Valid) -> None:
    uri = live.open(BUGGY)
    request, job = live.start_fix(uri)
    result = live.response(request)["result"]
    valid("FixResult", result)
    assert (result["status"], result["jobId"]) == ("done", job)
    assert applied(BUGGY, result["hunks"]) == RIGHT
    *steps, end, answer = live.story(job, request)
    assert (set(steps), end, answer) == ({"step"}, "end", "answer")
    last = [m["params"] for m in live.all_received(STEP) if m["params"]["jobId"] == job][-1]
    assert last["hunks"] == result["hunks"]


def test_progress_of_a_command_goes_where_the_client_asks(live: Live) -> None:
    uri = live.open(BUGGY)
    fix = {"textDocument": {"uri": uri, "version": 1}, "mode": "preview"}
    asked = {"command": FIX, "arguments": [fix], "workDoneToken": "mine"}
    assert live.call("workspace/executeCommand", asked)["result"]["status"] == "done"
    shown = [m["params"] for m in live.all_received("$/progress")]
    assert [p["value"]["kind"] for p in shown if p["token"] == "mine"][:: len(shown) - 1] == ["begin", "end"]


def test_what_was_trained_meanwhile_is_used_without_a_restart(
    live: Live, folder: Path, tmp_path: Path, valid: Valid
) -> None:
    root, results = trained.repository(tmp_path), []
    uri = live.open(BUGGY, (tmp_path / "a.py").as_uri())

    def answers(model: str) -> bool:
        results.append(live.fix(uri))
        return bool(results[-1]["model"] == model)

    base = Checkpoint.read("default").name
    assert answers(base)
    engines = live.engines()
    store = AdapterStore(folder / "editflow" / "adapters")
    for _ in "12":
        adapter = trained.install(root, store)
        named = f"{base}+{adapter.name}"
        assert eventually(partial(answers, named))  # git may be slow on a busy machine
        status = live.all_received(STATUS)[-1]["params"]
        assert (status["model"], status["adapter"]) == (base, adapter.name)
        assert applied(BUGGY, results[-1]["hunks"]) == RIGHT
        valid("FixResult", results[-1])
    assert live.engines() == engines


def test_the_engine_has_torch_and_the_server_has_not(live: Live) -> None:
    live.fix(live.open(BUGGY))
    (engine,) = live.engines()
    assert "torch" in Path(f"/proc/{engine}/maps").read_text()
    assert "torch" not in Path(f"/proc/{live.process.pid}/maps").read_text()


@pytest.mark.parametrize("way", ["command", "request", "change", "close"])
def test_a_fix_that_is_stopped_says_so_once_and_before_its_answer(live: Live, way: str) -> None:
    uri = live.open(LONG)
    request, job = live.start_fix(uri)
    live.first_step(job)
    if way == "command":
        assert live.cancel(job) == {"cancelled": True}
        assert live.cancel(job) == {"cancelled": False}
    elif way == "request":
        live.notify("$/cancelRequest", {"id": request})
    elif way == "change":
        live.change(uri, 2, {"range": {"start": START, "end": START}, "text": "#"})
    else:
        live.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    answer = live.response(request)
    if way == "request":
        assert answer["error"]["code"] == -32800
    else:
        assert answer["result"]["status"] == ("cancelled" if way == "command" else "stale")
        assert answer["result"]["hunks"] == []
        assert answer["result"]["cancelMs"] > 0
    time.sleep(0.2)
    *steps, end, last = live.story(job, request)
    assert (set(steps), end, last) == ({"step"}, "end", "answer")


def test_typing_above_a_fix_moves_it(live: Live) -> None:
    uri = live.open("import os\n\n\n" + LONG)
    request, job = live.start_fix(
        uri, range={"start": {"line": 3, "character": 0}, "end": {"line": 200, "character": 0}}
    )
    live.first_step(job)
    live.change(uri, 2, {"range": {"start": START, "end": START}, "text": "import re\n"})
    result = live.response(request)["result"]
    assert (result["status"], result["textDocument"]["version"]) == ("done", 2)
    after = applied("import re\nimport os\n\n\n" + LONG, result["hunks"])
    assert after.startswith("import re\nimport os\n\n\ndef first_0(values):\n")


def test_another_version_without_changes_is_another_version(live: Live) -> None:
    uri = live.open(BUGGY)
    live.change(uri, 2)
    assert live.fix(uri, 2)["status"] == "done"
    assert live.fix(uri, 1)["status"] == "stale"


def test_an_edit_is_applied_by_the_client_and_seen_by_the_server(live: Live) -> None:
    uri = live.open(BUGGY)
    request, _ = live.start_fix(uri, mode="apply")
    asked = live.wait_for(lambda m: m.get("method") == "workspace/applyEdit")
    (change,) = asked["params"]["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 1}
    live.change(
        uri, 2, *({"range": each["range"], "text": each["newText"]} for each in reversed(change["edits"]))
    )
    live.answer(asked, {"applied": True})
    result = live.response(request)["result"]
    assert (result["status"], result["applied"]) == ("done", True)
    assert live.fix(uri, 2)["status"] == "unchanged"


def test_an_action_is_offered_and_resolved(live: Live) -> None:
    uri = live.open(BUGGY)
    actions = live.actions(uri, only=["refactor"])["result"]
    assert {action["command"]["command"] for action in actions} == {FIX}
    (argument,) = actions[0]["command"]["arguments"]
    resolved = live.call("codeAction/resolve", {"title": "Fix", "data": argument})["result"]
    (change,) = resolved["edit"]["documentChanges"]
    hunks = [{"range": each["range"], "newText": each["newText"]} for each in change["edits"]]
    assert applied(BUGGY, hunks) == RIGHT
    untouched = {"title": "of another server", "kind": "quickfix"}
    assert live.call("codeAction/resolve", untouched)["result"] == untouched
    late = {**argument, "textDocument": {"uri": uri, "version": 9}}
    assert live.call("codeAction/resolve", {"title": "Fix", "data": late})["error"]["code"] == -32801


def test_suspicion_is_answered_shown_and_taken_back(live: Live, valid: Valid) -> None:
    uri = live.open(BUGGY)
    document = {"uri": uri, "version": 1}
    result = live.command(SUSPICION, {"textDocument": document, "show": True})["result"]
    valid("SuspicionResult", result)
    assert max(span["probability"] for span in result["spans"]) > 0.3

    def hints() -> list[int]:
        published = live.all_received("textDocument/publishDiagnostics")
        return [len(m["params"]["diagnostics"]) for m in published if m["params"]["uri"] == uri]

    assert hints()[0] > 0
    live.change(uri, 2, {"range": {"start": START, "end": START}, "text": "#"})
    assert eventually(lambda: len(hints()) == 2)
    assert hints()[1] == 0
    off = live.command(SUSPICION, {"textDocument": {"uri": uri, "version": 0}, "show": False})
    assert off["result"]["spans"] == []


def test_outcomes_are_not_written_unasked(live: Live, folder: Path) -> None:
    result = live.fix(live.open(BUGGY))
    ids = [hunk["id"] for hunk in result["hunks"]]
    live.notify(OUTCOME, {"jobId": result["jobId"], "accepted": ids, "rejected": []})
    assert live.cancel("nothing") == {"cancelled": False}
    assert list(folder.rglob("outcomes*")) == []


def test_a_file_that_is_not_python_is_offered_nothing(live: Live) -> None:
    assert live.actions(live.open("# Title\n", language="markdown"))["result"] == []


def test_a_notebooks_cell_is_fixed(live: Live) -> None:
    uri = "vscode-notebook-cell:/n.ipynb#c1"
    notebook = {
        "uri": "file:///n.ipynb",
        "notebookType": "jupyter-notebook",
        "version": 1,
        "cells": [{"kind": 2, "document": uri}],
    }
    cells = [{"uri": uri, "languageId": "python", "version": 1, "text": BUGGY}]
    live.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": cells})
    diagnostic = {"range": {"start": START, "end": START}, "message": "expected ':'", "source": "pyright"}
    quick = live.actions(uri, diagnostics=[diagnostic], only=["quickfix"])["result"]
    assert [action["diagnostics"] for action in quick] == [[diagnostic]]
    (argument,) = quick[0]["command"]["arguments"]
    result = live.fix(uri, **{name: argument[name] for name in ("range", "scope", "diagnostics")})
    assert applied(BUGGY, result["hunks"]) == RIGHT


def test_an_orderly_end_takes_the_engine_along(folder: Path) -> None:
    with Live(folder, "--no-daemon") as editor:
        editor.greet(STREAMS)
        editor.open(BUGGY)
        assert eventually(lambda: len(editor.engines()) == 1)
        (engine,) = editor.engines()
        assert editor.shut_down() == 0
        assert eventually(lambda: not is_alive(engine), 5)


def test_the_steps_of_a_job_are_numbered(live: Live) -> None:
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for message in live.all_received(STEP):
        numbers[message["params"]["jobId"]].append(message["params"]["seq"])
    assert numbers
    assert all(rising == sorted(set(rising)) for rising in numbers.values())

"""Whatever a client, a document or a repository says: an answer in words, a server that lives, and a silent log."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from editflow_lsp.messages import CANCEL, COMMANDS, FIX, OUTCOME, STATUS, SUSPICION
from tests.lsp_server.live import BUGGY, Live, crowd, eventually, is_alive

SECRET = "s3cret_marker"
"""In every document; the log must not have it."""
TEXT = BUGGY + f"\n\n{SECRET} = 1\n"
LONG = TEXT * 200
START = {"line": 0, "character": 0}
INVALID_PARAMS = -32602
UNKNOWN = "file:///nowhere/unknown.py"


@pytest.fixture(scope="module", autouse=True)
def silent(live: Live) -> Iterator[None]:
    """Nothing that the tests of this module do makes anybody's code appear in the log, of engines neither."""
    assert live.fix(live.open(TEXT))["status"] == "done"
    yield
    assert "loaded default" in live.stderr()  # it is the log of both
    assert SECRET not in live.stderr()


def is_well(live: Live) -> bool:
    """Whether the server still answers."""
    return bool(live.cancel("nothing") == {"cancelled": False})


def refused(answer: dict[str, Any], *words: str) -> None:
    """The answer must be InvalidParams, in one line with these words."""
    assert answer["error"]["code"] == INVALID_PARAMS
    message = answer["error"]["message"]
    assert all(word in message for word in words), message
    assert "\n" not in message


def test_a_document_that_is_not_open_is_named(live: Live) -> None:
    document = {"uri": UNKNOWN, "version": 1}
    refused(live.actions(UNKNOWN), f"{UNKNOWN} is not open")
    refused(live.command(FIX, {"textDocument": document}), f"{UNKNOWN} is not open")
    refused(live.command(SUSPICION, {"textDocument": document}), f"{UNKNOWN} is not open")
    resolve = {"title": "Fix", "data": {"textDocument": document}}
    refused(live.call("codeAction/resolve", resolve), f"{UNKNOWN} is not open")


def test_notifications_about_documents_that_are_not_open_do_no_harm(live: Live) -> None:
    live.change(UNKNOWN, 2, {"text": SECRET})
    for method in ("textDocument/didClose", "textDocument/didSave"):
        live.notify(method, {"textDocument": {"uri": UNKNOWN}})
    live.notify(
        "notebookDocument/didChange", {"notebookDocument": {"uri": UNKNOWN, "version": 2}, "change": {}}
    )
    live.notify("window/workDoneProgress/cancel", {"token": "nobody's"})
    live.notify("$/cancelRequest", {"id": 10**6})
    assert is_well(live)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "arguments",
    [[], [None], [SECRET], [7], [[]], [{}], [{}, {}], [{"textDocument": SECRET, "jobId": 7}]],
    ids=json.dumps,
)
def test_arguments_of_the_wrong_shape_are_named(live: Live, command: str, arguments: list[Any]) -> None:
    answer = live.command(command, *arguments)
    refused(answer, command)
    assert SECRET not in answer["error"]["message"]


def test_a_command_without_arguments_and_one_that_is_unknown(live: Live) -> None:
    refused(live.call("workspace/executeCommand", {"command": FIX}), "takes one argument")
    refused(live.call("workspace/executeCommand", {"command": CANCEL, "arguments": None}), CANCEL)
    refused(live.call("workspace/executeCommand", {"command": "editflow.nothing"}), "editflow.nothing")
    refused(live.call("workspace/executeCommand", {}))
    assert live.call("editflow/nothing", {})["error"]["code"] == -32601


@pytest.mark.parametrize(
    "params", [None, [], {}, {"jobId": 1}, {"jobId": "j", "accepted": SECRET, "rejected": []}]
)
def test_an_outcome_of_the_wrong_shape_is_dropped(live: Live, params: Any) -> None:
    live.notify(OUTCOME, params)
    assert is_well(live)


def test_ranges_outside_and_reversed_ranges_are_clamped(live: Live) -> None:
    uri = live.open(TEXT)
    far = {"line": 2**31 - 1, "character": 2**31 - 1}
    for start, end in ((far, START), (START, far), (far, far)):
        context = {"diagnostics": [{"range": {"start": start, "end": end}, "message": "bad"}]}
        params = {"textDocument": {"uri": uri}, "range": {"start": start, "end": end}, "context": context}
        assert live.call("textDocument/codeAction", params)["result"]
    result = live.fix(uri, range={"start": far, "end": START})
    assert (result["status"], result["window"]["start"]) == ("done", START)


@pytest.mark.parametrize("line", [-1, 2**31, 2**70, 0.5, "1", None])
def test_positions_that_lsp_does_not_have_are_refused(live: Live, line: object) -> None:
    uri = live.open(TEXT)
    range_ = {"start": START, "end": {"line": line, "character": 0}}
    refused(live.command(FIX, {"textDocument": {"uri": uri, "version": 1}, "range": range_}), "range.end")
    diagnostic = {"range": range_, "message": SECRET}
    document = {"uri": uri, "version": 1}
    refused(live.command(FIX, {"textDocument": document, "diagnostics": [diagnostic]}), "diagnostics[0]")
    assert "\n" not in str(live.actions(uri, diagnostics=[diagnostic]).get("error"))


def test_another_version_is_stale(live: Live) -> None:
    uri = live.open(TEXT)
    for version in (0, 2, -5):
        result = live.fix(uri, version)
        assert result["status"] == "stale"
        assert result["reason"] == f"the document is at version 1, the request was for {version}"
    answer = live.command(SUSPICION, {"textDocument": {"uri": uri, "version": 2}})
    assert answer["error"] == {"code": -32803, "message": "the document has changed since: ask again"}


def test_ten_megabytes_are_refused_in_words_and_in_time(live: Live) -> None:
    used = live.seconds_used()
    uri = live.open(f"{SECRET} = 1  # ä\n" * 600_000)
    for version in range(2, 8):
        place = {"line": 1000 * version, "character": 2}
        live.change(uri, version, {"range": {"start": place, "end": place}, "text": "\n"})
    assert live.actions(uri, line=5)["result"] == []
    result = live.fix(uri, 7)
    assert result["status"] == "error"
    assert result["reason"] == "the document is larger than 2 MiB, the most that can be edited"
    live.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert is_well(live)
    assert live.seconds_used() - used < 2 * crowd()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{SECRET} = '\0'\n", "NUL bytes"),
        (f"{SECRET} = '\ud800'\n", "cannot be written in utf-8"),
        (f"{SECRET} = '{'x' * 20_000}'\n", "more than the 10000 that can be edited"),
    ],
    ids=["nul", "surrogate", "long line"],
)
def test_text_that_no_model_can_read_is_refused_in_words(live: Live, text: str, reason: str) -> None:
    uri = live.open(text)
    assert "result" in live.actions(uri)
    for version in (1, 2):
        result = live.fix(uri, version)
        assert result["status"] == "error"
        assert reason in result["reason"]
        assert SECRET not in result["reason"]
        live.change(uri, version + 1, {"range": {"start": START, "end": START}, "text": "#\n"})
    live.change(uri, 4, {"text": TEXT})
    assert live.fix(uri, 4)["status"] == "done"


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:Untitled-99",
        "git:/project/a.py?%7B%22ref%22%3A%22HEAD%22%7D",
        "vscode-vfs://github/owner/repository/a.py",
        "file:///with%20space/%C3%A4%25.py",
        "file:///c%3A/Users/a.py",
        "file://server/share/a.py",
        "file:///%00.py",
        "file:///%FF%FE.py",
        "no scheme at all",
        "\ud800:\0",
        "",
    ],
)
def test_any_name_will_do(live: Live, uri: str) -> None:
    live.open(TEXT, uri)
    assert live.actions(uri)["result"]
    result = live.fix(uri)
    assert (result["status"], result["textDocument"]["uri"]) == ("done", uri)
    live.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


def test_a_name_that_cannot_be_parsed_does_no_harm(live: Live) -> None:
    live.open(TEXT, "http://[::1")
    refused(live.actions("http://[::1"), "http://[::1 is not open")
    assert is_well(live)


def test_a_client_that_stops_reading_can_still_cancel(live: Live) -> None:
    uri, other = live.open(LONG), live.open(TEXT)
    request, job = live.start_fix(uri)
    live.first_step(job)
    began = time.monotonic()
    live.stop_reading()
    place = {"start": START, "end": START}
    params = {"textDocument": {"uri": other}, "range": place, "context": {"diagnostics": []}}
    asked = [live.request("textDocument/codeAction", params) for _ in range(150)]  # more than pipes hold
    cancelling = live.start(CANCEL, {"jobId": job})
    time.sleep(1.5)
    before = 1000 * (time.monotonic() - began)
    live.read_again()
    assert live.response(cancelling)["result"] == {"cancelled": True}
    result = live.response(request)["result"]
    assert result["status"] == "cancelled"
    assert result["cancelMs"] < before  # it did not wait for anybody to read
    assert all(live.response(number)["result"] for number in asked)
    assert live.story(job, request)[-2:] == ["end", "answer"]


def repository(folder: Path, name: str, text: str) -> Path:
    """A folder with a configuration and `.git`; the file that is to be edited."""
    (folder / ".git").mkdir(parents=True)
    (folder / name).write_text(text)
    return folder / "a.py"


@pytest.mark.parametrize(
    ("key", "value"),
    [("model", "/tmp/m"), ("interpreter", "/bin/sh"), ("device", "cuda"), ("checkpoint-path", "../../m")],
)
def test_a_repository_chooses_no_program_model_or_path(
    live: Live, tmp_path: Path, key: str, value: str
) -> None:
    text = f'[tool.editflow]\n{key} = "{value}"\nthreshold = 0.1\n'
    uri = live.open(TEXT, repository(tmp_path, "pyproject.toml", text).as_uri())
    for _ in range(3):
        assert live.actions(uri)["result"]
    assert live.fix(uri)["status"] == "done"
    (warning,) = [said for said in live.warnings() if str(tmp_path) in said]
    assert f"a repository cannot choose {key}" in warning
    assert value not in warning


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('exclude = ["a.py"]', "excluded by"),
        ("max-lines = 2", "lines are more than"),
        ("enabled = false", "off by"),
    ],
)
def test_a_repository_may_keep_its_files_to_itself(
    live: Live, tmp_path: Path, line: str, reason: str
) -> None:
    uri = live.open(TEXT, repository(tmp_path, "editflow.toml", line + "\n").as_uri())
    assert live.actions(uri)["result"] == []
    result = live.fix(uri)
    assert result["status"] == "error"
    assert reason in result["reason"]


def test_a_configuration_that_leads_out_of_the_repository_counts_as_empty(live: Live, tmp_path: Path) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_text(f"enabled = false\n{SECRET} = 1\n")
    file = repository(tmp_path / "repository", "README", "")
    (file.parent / "editflow.toml").symlink_to(outside)
    uri = live.open(TEXT, file.as_uri())
    for _ in range(2):
        assert live.actions(uri)["result"]
    (warning,) = [said for said in live.warnings() if str(file.parent) in said]
    assert "is a link that leads out of the workspace" in warning


@pytest.mark.parametrize(
    "text", ["[tool.editflow", "\0", "[tool]\neditflow = 3\n", 'x = "' + "y" * 70_000 + '"']
)
def test_a_configuration_that_cannot_be_read_counts_as_empty(live: Live, tmp_path: Path, text: str) -> None:
    uri = live.open(TEXT, repository(tmp_path, "pyproject.toml", text).as_uri())
    assert live.actions(uri)["result"]
    (warning,) = [said for said in live.warnings() if str(tmp_path) in said]
    assert "\n" not in warning


def test_a_handshake_that_cannot_be_read_may_be_made_again(folder: Path) -> None:
    with Live(folder, "--no-daemon") as editor:
        for wrong in ({"capabilities": None}, {"capabilities": {"workspace": 3}}, {}, None):
            refused(editor.call("initialize", wrong))
        assert editor.call("textDocument/codeAction", {})["error"]["code"] == -32002
        editor.greet(initializationOptions=[SECRET])
        assert is_well(editor)
        assert eventually(lambda: bool(editor.warnings()))
        assert editor.warnings() == ["Edit Flow: the settings must be an object"]
        assert SECRET not in editor.stderr()


def killed_engine(live: Live) -> int:
    """The engine that was there, killed."""
    (engine,) = live.engines()
    os.kill(engine, signal.SIGKILL)
    return engine


def test_an_engine_that_is_killed_at_work_is_started_again(live: Live) -> None:
    uri = live.open(LONG)
    diagnostic = {"range": {"start": START, "end": START}, "message": SECRET}
    request, job = live.start_fix(uri, instruction=SECRET, diagnostics=[diagnostic])
    live.first_step(job)
    engine = killed_engine(live)
    result = live.response(request)["result"]
    assert result["status"] == "error"
    assert result["reason"] == "the engine stopped while fixing; it is started again for the next fix"
    assert live.story(job, request)[-2:] == ["end", "answer"]
    assert live.fix(live.open(TEXT))["status"] == "done"
    assert live.engines() != [engine]


@pytest.mark.slow
def test_an_engine_that_is_killed_at_rest_is_started_again(live: Live) -> None:
    live.fix(live.open(TEXT))
    before = len(live.all_received(STATUS))
    engine = killed_engine(live)

    def told() -> list[str]:
        later = [message["params"] for message in live.all_received(STATUS)[before:]]
        return [status["message"] for status in later if status["kind"] == "warning"]

    assert eventually(lambda: bool(told()))
    assert told() == ["the engine stopped; it is started again for the next fix"]
    assert live.fix(live.open(TEXT))["status"] == "done"
    assert live.engines() != [engine]


@pytest.mark.parametrize(
    "broken", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["missing", "broken"]
)
def test_a_model_that_cannot_be_loaded_is_said_so(folder: Path, tmp_path: Path, broken: bool) -> None:
    model = tmp_path / "model"
    if broken:
        model.mkdir()
        for name in ("config.json", "tokenizer.json", "model.safetensors", "editflow.json"):
            (model / name).write_bytes(b"\xff\0 not a checkpoint")
    with Live(folder, "--no-daemon", "--model", str(model)) as editor:
        editor.greet()
        uri = editor.open(TEXT)
        for _ in range(2):
            result = editor.fix(uri)
            assert result["status"] == "error"
            assert "internal error" not in result["reason"]
            assert "\n" not in result["reason"]
        assert any(m["params"]["kind"] == "error" for m in editor.all_received(STATUS))
        assert editor.actions(uri)["result"]
        assert SECRET not in editor.stderr()
        assert editor.shut_down() == 0


@pytest.mark.parametrize("reads", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_client_that_dies_takes_the_server_and_its_engine_along(folder: Path, reads: bool) -> None:
    with Live(folder, "--no-daemon") as editor:
        editor.greet()
        uri = editor.open(LONG)
        if reads:
            editor.first_step(editor.start_fix(uri)[1])
        assert eventually(lambda: bool(editor.engines()))
        (engine,) = editor.engines()
        if not reads:
            editor.stop_reading()
            assert editor.start_fix(uri)
            time.sleep(0.5)
            editor.close_output()
        editor.close_input()
        began = time.monotonic()
        assert editor.wait(30) == 1
        assert eventually(lambda: not is_alive(engine))
        assert time.monotonic() - began < 5 * crowd()
        assert SECRET not in editor.stderr()

"""The stream of one job: whole proposals, in order, small enough, slow enough, and one end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from lsprotocol.types import Position, Range

from editflow.document import Document
from editflow.pieces import TextEdit
from editflow.proposal import Proposal
from editflow.step import Step
from editflow_lsp.buffer import Buffer
from editflow_lsp.jobs import Job
from editflow_lsp.messages import END, STEP, FixParams, JobStatus, VersionedDocument
from editflow_lsp.payload import payload
from editflow_lsp.steps import MAX_MESSAGE, StepStream
from tests.lsp_server.simulation import SimulatedEditor

pytestmark = pytest.mark.asyncio
Valid = Callable[[str, object], None]
TEXT = "a = 1\nb = 2\n"
EDIT = 4, 5, "10", 0.9


class Reader(SimulatedEditor):
    """A client that writes down what comes, in order, and when."""

    def __init__(self) -> None:
        super().__init__("")
        self.stream: list[tuple[str, dict[str, Any]]] = []
        self.times: list[float] = []
        self.taken_back: list[str] = []

    def notify(self, method: str, params: dict[str, Any]) -> None:
        self.stream.append((method, params))

    def replace(self, key: str, method: str, params: dict[str, Any]) -> None:
        assert key == params["jobId"]
        self.stream.append((method, params))
        self.times.append(asyncio.get_running_loop().time())

    def discard(self, key: str) -> None:
        self.taken_back.append(key)

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.stream]

    def steps(self) -> list[dict[str, Any]]:
        return [params for method, params in self.stream if method == STEP]


class Streaming:
    """A job, and the stream of its steps."""

    def __init__(self, text: str = TEXT, *, hz: float = 1000, streams: bool = True) -> None:
        self.document, self.client = Document.from_text(text), Reader()
        self.job = Job(FixParams(VersionedDocument("file:///a.py", 1), "j"))
        self.job.place((0, len(text)))
        buffer = Buffer("file:///a.py", text, 1, "python")
        self.stream = StepStream(self.job, buffer, self.client, hz=hz, streams=streams)
        self.passes = 0

    def step(self, *edits: TextEdit, done: bool = False, total: int = 8) -> None:
        """One pass."""
        self.passes += 1
        self.job.latest = Step(self.passes, total, Proposal.from_edits(self.document, edits), done)
        self.stream.show()

    def end(self, status: JobStatus) -> None:
        """The end, as the session makes it."""
        self.job.end(status, "why")
        self.stream.end()


def spots(count: int) -> Sequence[TextEdit]:
    """Edits that do not touch."""
    return [(6 * at, 6 * at + 1, "é" * 20, 0.5) for at in range(count)]


async def test_a_step_holds_the_whole_proposal(valid: Valid) -> None:
    streaming = Streaming()
    streaming.step(EDIT)
    (step,) = streaming.client.steps()
    valid("Step", step)
    assert {name: step[name] for name in ("jobId", "seq", "step", "totalSteps")} == {
        "jobId": "j",
        "seq": 1,
        "step": 1,
        "totalSteps": 8,
    }
    assert step["textDocument"] == {"uri": "file:///a.py", "version": 1}
    assert step["window"] == payload_range(0, 0, 2, 0)
    (hunk,) = step["hunks"]
    assert hunk == {
        "id": "h1",
        "range": payload_range(0, 4, 0, 5),
        "newText": "10",
        "state": "draft",
        "confidence": 0.9,
    }
    assert "truncated" not in step


def payload_range(*numbers: int) -> dict[str, Any]:
    first, last = Position(*numbers[:2]), Position(*numbers[2:])
    assert Range(first, last)
    return {
        "start": {"line": first.line, "character": first.character},
        "end": {"line": last.line, "character": last.character},
    }


async def test_the_last_step_has_the_results_hunks_and_the_end_comes_after_it(valid: Valid) -> None:
    streaming = Streaming(hz=1)
    streaming.step(EDIT)
    for number in range(20):
        streaming.step((4, 5, str(number + 2), 0.8))
    streaming.step(EDIT, (10, 11, "20", 0.7), done=True)
    streaming.end(JobStatus.done)
    assert streaming.client.methods == [STEP, STEP, END]
    assert streaming.client.taken_back == []
    first, last = streaming.client.steps()
    assert last["seq"] > first["seq"]
    assert last["hunks"] == [payload(hunk) for hunk in streaming.stream.hunks()]
    assert {hunk["state"] for hunk in last["hunks"]} == {"settled"}
    assert [hunk["id"] for hunk in last["hunks"]] == ["h1", "h2"]
    valid("End", streaming.client.stream[-1][1])


@pytest.mark.parametrize("status", [JobStatus.cancelled, JobStatus.stale, JobStatus.error])
async def test_after_any_other_end_no_step_is_left(status: JobStatus) -> None:
    streaming = Streaming(hz=20)
    streaming.step(EDIT)
    streaming.step((4, 5, "2", 0.9))
    streaming.end(status)
    await asyncio.sleep(0.1)
    assert streaming.client.methods == [STEP, END]
    end = streaming.client.stream[-1][1]
    assert (end["status"], end["reason"], end["steps"]) == (status, "why", 2)
    assert streaming.client.taken_back == ["j"]  # one that is not written yet


async def test_a_job_that_has_ended_shows_nothing_more_when_its_turn_comes() -> None:
    streaming = Streaming(hz=20)
    streaming.step(EDIT)
    streaming.step((4, 5, "2", 0.9))
    streaming.job.end(JobStatus.cancelled)
    await asyncio.sleep(0.1)
    assert streaming.client.methods == [STEP]


async def test_the_rate_of_the_client_is_kept() -> None:
    streaming = Streaming(hz=50)
    for _ in range(40):
        streaming.step(EDIT)
        await asyncio.sleep(0.005)
    streaming.stream.end()
    times = streaming.client.times
    assert len(times) >= 3
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) >= 1 / 50 - 0.002  # the loop's clock may be a little early
    assert streaming.client.steps()[-1]["step"] > 20


async def test_what_is_too_large_is_cut_and_said_to_be(valid: Valid) -> None:
    streaming = Streaming("a = 1\n" * 1000)
    streaming.step(*spots(1000), done=True)
    streaming.end(JobStatus.done)
    (step,) = streaming.client.steps()
    valid("Step", step)
    assert step["truncated"] is True
    assert 50 < len(step["hunks"]) < 1000
    message = {"jsonrpc": "2.0", "method": STEP, "params": step}
    assert len(json.dumps(message)) <= MAX_MESSAGE
    assert len(streaming.stream.hunks()) == 1000


async def test_one_hunk_that_is_too_large_is_left_out() -> None:
    streaming = Streaming()
    streaming.step((4, 5, "x" * MAX_MESSAGE, 0.9))
    (step,) = streaming.client.steps()
    assert (step["hunks"], step["truncated"]) == ([], True)


@pytest.mark.parametrize("edits", [20, 40, 80, 160, 320])
async def test_every_message_fits(edits: int) -> None:
    streaming = Streaming("a = 1\n" * edits)
    streaming.step(*spots(edits))
    (step,) = streaming.client.steps()
    message = {"jsonrpc": "2.0", "method": STEP, "params": step}
    assert len(json.dumps(message)) <= MAX_MESSAGE
    assert ("truncated" in step) == (len(step["hunks"]) < edits)


async def test_a_client_that_does_not_stream_is_told_nothing() -> None:
    streaming = Streaming(streams=False)
    streaming.step(EDIT, done=True)
    streaming.end(JobStatus.done)
    assert streaming.client.stream == []
    (hunk,) = streaming.stream.hunks()
    assert hunk.new_text == "10"


async def test_an_unknown_number_of_passes_is_null(valid: Valid) -> None:
    streaming = Streaming()
    streaming.step(EDIT, total=0)
    (step,) = streaming.client.steps()
    valid("Step", step)
    assert step["totalSteps"] is None


async def test_an_end_before_any_step(valid: Valid) -> None:
    streaming = Streaming()
    streaming.end(JobStatus.stale)
    ((method, end),) = streaming.client.stream
    valid("End", end)
    assert (method, end["steps"]) == (END, 0)
    assert streaming.stream.hunks() == ()

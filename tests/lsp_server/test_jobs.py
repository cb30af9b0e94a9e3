"""A job ends once, in the first way that comes, and tells whoever computes it."""

from __future__ import annotations

import pytest
from lsprotocol.types import TextDocumentItem

from editflow.document import Document
from editflow.proposal import Proposal
from editflow.step import Step
from editflow_lsp.buffer import Buffer
from editflow_lsp.jobs import ASKED, CHANGED, CLOSED, SUPERSEDED, Job, Jobs
from editflow_lsp.messages import FixParams, JobStatus, VersionedDocument
from editflow_lsp.workspace import Workspace

TEXT = "a = 1\nb = 2\nc = 3\n"
WINDOW = 6, 12


class Computing:
    """What computes a job: counts how often it was told to stop."""

    cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1


def job(name: str = "j", uri: str = "file:///a.py", request_id: str | int | None = None) -> Job:
    made = Job(FixParams(VersionedDocument(uri, 1), name), request_id)
    made.place(WINDOW)
    made.compute(Computing())
    return made


def stops(ended: Job) -> int:
    assert isinstance(ended.computed_by, Computing)
    return ended.computed_by.cancelled


def buffer(uri: str = "file:///a.py", version: int = 2) -> Buffer:
    workspace = Workspace(None)
    workspace.put_text_document(TextDocumentItem(uri, "python", version, TEXT))
    opened = workspace.opened(uri)
    assert opened is not None
    return opened


@pytest.mark.parametrize("status", list(JobStatus))
def test_the_first_end_is_the_only_one(status: JobStatus) -> None:
    ended = job()
    assert ended.end(status, "first")
    assert not ended.end(JobStatus.error, "second")
    assert (ended.status, ended.reason) == (status, "first")
    assert stops(ended) == (status is not JobStatus.done)


def test_the_time_to_stop_is_counted_after_a_cancellation_only() -> None:
    for status in JobStatus:
        ended = job()
        ended.end(status)
        ended.stopped()
        assert (ended.cancel_ms is not None) == (status in (JobStatus.cancelled, JobStatus.stale))
    going_on = job()
    going_on.stopped()
    assert going_on.cancel_ms is None


def test_the_newest_job_of_a_document_cancels_the_one_before() -> None:
    jobs = Jobs()
    first, other, second = job("1"), job("2", "file:///b.py"), job("3")
    for each in (first, other, second):
        jobs.add(each)
    assert (first.status, first.reason) == (JobStatus.cancelled, SUPERSEDED)
    assert list(jobs) == [other, second]
    assert stops(first) == 1


def test_an_id_that_is_used_again_cancels_the_job_that_had_it() -> None:
    jobs = Jobs()
    first, second = job("1"), job("1", "file:///b.py")
    jobs.add(first)
    jobs.add(second)
    assert first.status is JobStatus.cancelled
    assert list(jobs) == [second]
    jobs.remove(first)
    assert list(jobs) == [second]


def test_cancelling_says_whether_there_was_such_a_job() -> None:
    jobs, running = Jobs(), job()
    jobs.add(running)
    assert not jobs.cancel("another")
    assert jobs.cancel("j")
    assert not jobs.cancel("j")
    assert (running.status, running.reason) == (JobStatus.cancelled, ASKED)


def test_a_job_that_was_removed_ends_no_more() -> None:
    jobs, applying = Jobs(), job(request_id=7)
    jobs.add(applying)
    jobs.remove(applying)
    assert not jobs.cancel("j")
    jobs.cancel_request(7)
    jobs.close(applying.uri)
    jobs.cancel_all("gone")
    assert applying.status is None


def test_a_request_is_cancelled_by_its_id_and_the_ids_1_and_true_are_not_mixed_up() -> None:
    jobs = Jobs()
    number, text = job("1", "file:///a.py", 1), job("2", "file:///b.py", "1")
    jobs.add(number)
    jobs.add(text)
    jobs.cancel_request("1")
    assert (number.status, text.status) == (None, JobStatus.cancelled)
    jobs.cancel_request(1)
    assert number.status is JobStatus.cancelled


def test_everything_ends_with_the_connection_and_only_its_own_with_a_document() -> None:
    jobs = Jobs()
    first, second = job("1"), job("2", "file:///b.py")
    jobs.add(first)
    jobs.add(second)
    jobs.close(first.uri)
    assert (first.status, first.reason, second.status) == (JobStatus.stale, CLOSED, None)
    jobs.cancel_all("the editor has left")
    assert (second.status, second.reason) == (JobStatus.cancelled, "the editor has left")
    assert list(jobs) == []


@pytest.mark.parametrize(
    ("change", "window", "status"),
    [
        ((0, 1, "long"), (9, 15), None),
        ((0, 6, ""), (0, 6), None),
        ((12, 13, "d"), WINDOW, None),
        ((18, 18, "e"), WINDOW, None),
        ((5, 5, "!"), (7, 13), None),
        ((6, 6, "!"), WINDOW, JobStatus.stale),
        ((12, 12, "!"), WINDOW, JobStatus.stale),
        ((8, 9, "!"), WINDOW, JobStatus.stale),
        ((0, 18, ""), WINDOW, JobStatus.stale),
        ((4, 7, ""), WINDOW, JobStatus.stale),
    ],
)
def test_changes_beside_the_window_move_it_and_others_end_the_job(
    change: tuple[int, int, str], window: tuple[int, int], status: JobStatus | None
) -> None:
    jobs, running, elsewhere = Jobs(), job("1"), job("2", "file:///b.py")
    jobs.add(running)
    jobs.add(elsewhere)
    jobs.follow(buffer(), [change])
    assert (running.window, running.status) == (window, status)
    assert running.reason == (CHANGED if status else None)
    assert running.version == (1 if status else 2)
    assert (running in list(jobs)) == (status is None)
    assert (elsewhere.window, elsewhere.version, elsewhere.status) == (WINDOW, 1, None)


def test_a_new_version_without_a_change_is_followed() -> None:
    jobs, running = Jobs(), job()
    jobs.add(running)
    jobs.follow(buffer(version=9), [])
    assert (running.version, running.window) == (9, WINDOW)


def test_edits_move_with_the_window_and_are_remembered_as_they_were() -> None:
    running = job()
    assert running.edits() == running.original_edits() == []
    proposal = Proposal.from_edits(Document.from_text(TEXT), [(6, 7, "x", 0.5)])
    running.latest = Step(1, 8, proposal, True)
    running.follow(2, [(0, 0, "#\n"), (0, 0, "#\n")])
    assert running.edits() == [(10, 11, "x", 0.5)]
    assert running.original_edits() == [(6, 7, "x", 0.5)]

"""What was accepted is written for its person alone, if that was asked for, with the text that it was about."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol.types import Position, Range

from editflow.document import Document
from editflow.outcomes import FILE, HunkOutcome, Outcome, read_outcomes
from editflow.proposal import Proposal
from editflow.step import Step
from editflow_lsp.jobs import Job
from editflow_lsp.messages import (
    FixParams,
    FixResult,
    Hunk,
    HunkState,
    JobStatus,
    OutcomeParams,
    VersionedDocument,
)
from editflow_lsp.outcomes import REMEMBERED, Outcomes

TEXT = "other = 0\n# a\na = 1\nb = 2\n"
EDITS = [(14, 15, "x", 0.9), (20, 21, "y", 0.5)]
DOCUMENT = VersionedDocument("file:///a.py", 1)
PATH = Path("/a.py")
NOWHERE = Range(Position(0, 0), Position(0, 0))


def job(name: str = "j") -> Job:
    """One whose window are the last two lines; a line was typed above it meanwhile."""
    made = Job(FixParams(DOCUMENT, name, instruction="rename"))
    made.place((14, len(TEXT)))
    made.latest = Step(3, 8, Proposal.from_edits(Document.from_text(TEXT), EDITS), True)
    made.model = "default@9a61e92a+shop@1a2b3c4d"
    made.follow(2, [(0, 0, "#\n")])
    return made


def result(ids: tuple[str, ...] = ("h1", "h2"), status: JobStatus = JobStatus.done) -> FixResult:
    hunks = tuple(Hunk(name, NOWHERE, "", HunkState.settled, 0.9) for name in ids)
    return FixResult("j", status, DOCUMENT, hunks, None, 3, 1.0)


def outcome(
    name: str = "j", accepted: tuple[str, ...] = ("h1",), rejected: tuple[str, ...] = ()
) -> OutcomeParams:
    return OutcomeParams(name, accepted, rejected, 12.0)


def written(file: Path) -> list[Outcome]:
    return [outcome for outcome in read_outcomes(file) if outcome is not None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / FILE


def test_what_was_proposed_for_which_text_and_what_became_of_it(file: Path) -> None:
    kept = Outcomes(file)
    kept.propose(job(), result(), PATH)
    kept.settle(outcome(), keep=True)
    (line,) = written(file)
    hunks = (HunkOutcome(0, 1, "x", 0.9, True), HunkOutcome(6, 7, "y", 0.5, None))
    assert line == Outcome(
        "/a.py", "default@9a61e92a+shop@1a2b3c4d", "rename", "a = 1\nb = 2\n", hunks, line.time
    )


def test_rejections_are_kept_and_unknown_hunks_are_not(file: Path) -> None:
    kept = Outcomes(file)
    kept.propose(job(), result(), PATH)
    kept.settle(outcome(accepted=("h9",), rejected=("h2", "h8")), keep=True)
    assert [hunk.accepted for hunk in written(file)[0].hunks] == [None, False]


def test_nothing_is_written_unasked(file: Path) -> None:
    kept = Outcomes(file)
    kept.propose(job(), result(), PATH)
    kept.settle(outcome(), keep=False)
    kept.settle(outcome(), keep=True)
    assert not file.exists()


def test_what_was_not_proposed_has_no_outcome(file: Path) -> None:
    kept = Outcomes(file)
    without_step = job("1")
    without_step.latest = None
    kept.propose(without_step, result(()), PATH)
    for number, status in enumerate(JobStatus, 2):
        if status is not JobStatus.done:
            kept.propose(job(str(number)), result((), status), PATH)  # steps were shown before it ended
    for number in range(10):
        kept.settle(outcome(str(number)), keep=True)
    assert written(file) == []


def test_an_outcome_counts_once_and_lines_are_appended(file: Path) -> None:
    kept = Outcomes(file)
    for name in ("1", "2"):
        kept.propose(job(name), result(), PATH)
    for name in ("1", "1", "2"):
        kept.settle(outcome(name), keep=True)
    assert len(written(file)) == 2


def test_old_proposals_are_forgotten(file: Path) -> None:
    kept = Outcomes(file)
    for number in range(REMEMBERED + 1):
        kept.propose(job(str(number)), result(), PATH)
    for number in (0, 1):
        kept.settle(outcome(str(number)), keep=True)
    assert len(written(file)) == 1


def test_a_document_that_is_no_file_has_no_path(file: Path) -> None:
    kept = Outcomes(file)
    kept.propose(job(), result(), None)
    kept.settle(outcome(), keep=True)
    assert written(file)[0].path is None


def test_what_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    kept = Outcomes(tmp_path / "data" / FILE)
    kept.propose(job(), result(), PATH)
    with pytest.raises(OSError):
        kept.settle(outcome(), keep=True)

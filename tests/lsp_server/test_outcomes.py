"""What was accepted is written for its person alone, if that was asked for, with the text that it was about."""

from __future__ import annotations

import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from lsprotocol.types import Position, Range

from editflow.document import Document
from editflow.proposal import Proposal
from editflow.step import Step
from editflow_lsp import outcomes
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
from editflow_lsp.outcomes import FILE, REMEMBERED, Outcomes

TEXT = "other = 0\n# a\na = 1\nb = 2\n"
EDITS = [(14, 15, "x", 0.9), (20, 21, "y", 0.5)]
DOCUMENT = VersionedDocument("file:///a.py", 1)
NOWHERE = Range(Position(0, 0), Position(0, 0))


def job(name: str = "j") -> Job:
    """One whose window are the last two lines; a line was typed above it meanwhile."""
    made = Job(FixParams(DOCUMENT, name, instruction="rename"))
    made.place((14, len(TEXT)))
    made.latest = Step(3, 8, Proposal.from_edits(Document.from_text(TEXT), EDITS), True)
    made.follow(2, [(0, 0, "#\n")])
    return made


def result(ids: tuple[str, ...] = ("h1", "h2"), status: JobStatus = JobStatus.done) -> FixResult:
    hunks = tuple(Hunk(name, NOWHERE, "", HunkState.settled, 0.9) for name in ids)
    return FixResult("j", status, DOCUMENT, hunks, None, 3, 1.0)


def outcome(
    name: str = "j", accepted: tuple[str, ...] = ("h1",), rejected: tuple[str, ...] = ()
) -> OutcomeParams:
    return OutcomeParams(name, accepted, rejected, 12.0)


def written(folder: Path) -> list[dict[str, Any]]:
    file = folder / FILE
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_line_says_what_was_proposed_for_which_text_and_what_became_of_it(tmp_path: Path) -> None:
    kept = Outcomes(tmp_path / "data")
    kept.propose(job(), result())
    kept.settle(outcome(), record=True)
    (line,) = written(tmp_path / "data")
    assert abs(line.pop("time") - time.time()) < 60
    assert line == {
        "instruction": "rename",
        "text": "a = 1\nb = 2\n",
        "hunks": [
            {"id": "h1", "start": 0, "end": 1, "new": "x", "confidence": 0.9, "accepted": True},
            {"id": "h2", "start": 6, "end": 7, "new": "y", "confidence": 0.5, "accepted": None},
        ],
    }


def test_rejections_are_kept_and_unknown_hunks_are_not(tmp_path: Path) -> None:
    kept = Outcomes(tmp_path)
    kept.propose(job(), result())
    kept.settle(outcome(accepted=("h9",), rejected=("h2", "h8")), record=True)
    assert [hunk["accepted"] for hunk in written(tmp_path)[0]["hunks"]] == [None, False]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_file_is_for_its_person_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    before = os.umask(0)
    try:
        kept = Outcomes(folder)
        kept.propose(job(), result())
        kept.settle(outcome(), record=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_written_unasked(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    kept = Outcomes(folder)
    kept.propose(job(), result())
    kept.settle(outcome(), record=False)
    kept.settle(outcome(), record=True)
    assert not folder.exists()


def test_what_was_not_proposed_has_no_outcome(tmp_path: Path) -> None:
    kept = Outcomes(tmp_path)
    without_step = job("1")
    without_step.latest = None
    kept.propose(without_step, result(()))
    for number, status in enumerate(JobStatus, 2):
        if status is not JobStatus.done:
            kept.propose(job(str(number)), result((), status))  # steps were shown before it ended
    for number in range(10):
        kept.settle(outcome(str(number)), record=True)
    assert written(tmp_path) == []


def test_an_outcome_counts_once_and_lines_are_appended(tmp_path: Path) -> None:
    kept = Outcomes(tmp_path)
    for name in ("1", "2"):
        kept.propose(job(name), result())
    for name in ("1", "1", "2"):
        kept.settle(outcome(name), record=True)
    assert len(written(tmp_path)) == 2


def test_old_proposals_are_forgotten(tmp_path: Path) -> None:
    kept = Outcomes(tmp_path)
    for number in range(REMEMBERED + 1):
        kept.propose(job(str(number)), result())
    for number in (0, 1):
        kept.settle(outcome(str(number)), record=True)
    assert len(written(tmp_path)) == 1


def test_the_file_grows_no_larger_than_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MAX_BYTES", 300)
    kept = Outcomes(tmp_path)
    for number in range(9):
        kept.propose(job(str(number)), result())
        kept.settle(outcome(str(number)), record=True)
    assert len(written(tmp_path)) == 2


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    kept = Outcomes(tmp_path / "data")
    kept.propose(job(), result())
    with pytest.raises(OSError):
        kept.settle(outcome(), record=True)


def test_by_default_it_is_the_folder_for_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    kept = Outcomes()
    kept.propose(job(), result())
    kept.settle(outcome(), record=True)
    assert len(written(tmp_path / "editflow")) == 1

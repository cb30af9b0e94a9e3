"""What was decided is written for its person alone, and reads back; a line that is none harms no other."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest

from editflow import outcomes
from editflow.outcomes import FILE, HunkOutcome, Outcome, outcomes_file, read_outcomes, record

HUNKS = (
    HunkOutcome(0, 1, "x", 0.9, True),
    HunkOutcome(4, 4, "é\udc80", 0.5),
    HunkOutcome(5, 6, "", 0.1, False),
)
OUTCOME = Outcome("/shop/a.py", "default@9a61e92a", "rename", "a = 1\n", HUNKS)


def test_outcomes_read_back_in_order(tmp_path: Path) -> None:
    file = tmp_path / "data" / FILE
    other = replace(OUTCOME, path=None, model=None)
    for outcome in (OUTCOME, other):
        record(outcome, file)
    assert list(read_outcomes(file)) == [OUTCOME, other]
    assert abs(OUTCOME.time - time.time()) < 3600


def test_nothing_was_ever_recorded(tmp_path: Path) -> None:
    assert list(read_outcomes(tmp_path / FILE)) == []


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"hunks": [{}], "text": ""}',
        b'{"hunks": [{"start": 3, "end": 2, "new": "", "confidence": 1}], "text": "abcdef"}',
        b'{"hunks": [{"start": 0, "end": 9, "new": "", "confidence": 1}], "text": "abcdef"}',
        b'{"hunks": [], "text": "a", "time": 3, "text_of_old_versions": 1}',
    ],
)
def test_a_line_that_is_none_is_passed_over(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / FILE
    record(OUTCOME, file)
    with file.open("ab") as more:
        more.write(line + b"\n")
    record(OUTCOME, file)
    assert list(read_outcomes(file)) == [OUTCOME, None, OUTCOME]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_file_is_for_its_person_alone(tmp_path: Path) -> None:
    file = tmp_path / "data" / FILE
    before = os.umask(0)
    try:
        record(OUTCOME, file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_file_grows_no_larger_than_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MAX_BYTES", 300)
    for _ in range(9):
        record(OUTCOME, tmp_path / FILE)
    assert len(list(read_outcomes(tmp_path / FILE))) == 1


def test_by_default_it_is_the_folder_for_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    record(OUTCOME)
    assert outcomes_file() == tmp_path / "editflow" / FILE
    assert list(read_outcomes()) == [OUTCOME]

"""What was decided about the model's hunks is recorded where a person asked for it, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from editflow.errors import EditFlowError
from editflow.outcomes import read_outcomes
from editflow.proposal import HunkState
from editflow_tui.actions import Rewrite, Verdict
from editflow_tui.recording import keep
from editflow_tui.review import open_review
from editflow_tui.runner import Stepped
from tests.tui.reviewing import NEW, OLD, Desk, running, slips, step
from tests.tui.states import after, patch_of, review_of

MODEL = "default@9a61e92a+shop@1a2b3c4d"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for data."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "editflow"


def test_only_hunks_that_were_decided_so(data: Path) -> None:
    review = after(review_of(OLD, NEW), Verdict.ACCEPT, Verdict.REJECT)
    keep(review.files, HunkState.REJECTED, "rename")
    (outcome,) = read_outcomes()
    assert outcome is not None
    assert (outcome.path, outcome.model, outcome.instruction) == (None, None, "rename")
    assert outcome.text == "two = valeu\n"
    (hunk,) = outcome.hunks
    assert (hunk.confidence, hunk.accepted) == (0.9, False)
    assert outcome.text[: hunk.start] + hunk.new + outcome.text[hunk.end :] == "two = value\n"


def test_hunks_of_one_function_are_recorded_with_it(data: Path) -> None:
    function = "def f(a):\n    b = valeu\n    return valeu\n"
    text = f"{OLD}\n\n{function}\n\ndef g(a):\n    return valeu"
    keep(
        after(review_of(text, text.replace("valeu", "value")), Verdict.ACCEPT_REST).files,
        HunkState.ACCEPTED,
        "",
    )
    outcomes = [outcome for outcome in read_outcomes() if outcome is not None]
    assert [len(outcome.hunks) for outcome in outcomes] == [1, 1, 1, 2, 1]
    assert [outcome.text for outcome in outcomes[3:]] == [function, "def g(a):\n    return valeu"]
    assert all(
        outcome.text[hunk.start : hunk.end] in "valeu" for outcome in outcomes for hunk in outcome.hunks
    )


def test_what_a_person_or_a_patch_brought_is_nobodys_proposal(data: Path) -> None:
    rewritten = after(review_of(OLD, NEW), Rewrite("mine"), Verdict.ACCEPT)
    assert rewritten.file.counts[HunkState.ACCEPTED]
    patched = after(patch_of((0, 3, "two")), Verdict.ACCEPT)
    for review in (rewritten, patched):
        keep(review.files, HunkState.ACCEPTED, "")
    assert not data.exists()


def test_what_cannot_be_written_is_said(data: Path) -> None:
    data.parent.mkdir()
    data.write_text("a file")
    with pytest.raises(EditFlowError, match="what you decided could not be recorded"):
        keep(after(review_of(OLD, NEW), Verdict.ACCEPT).files, HunkState.ACCEPTED, "")


@pytest.mark.asyncio
@pytest.mark.parametrize("wanted", [True, False])
async def test_accepted_hunks_are_recorded_once_they_are_written(tmp_path: Path, wanted: bool) -> None:
    path = slips(tmp_path)
    desk = Desk(path, fixes=True, records=wanted)
    async with running(desk) as pilot:
        document = desk.fixer.requests[-1][1].document
        desk.fixer.post(Stepped(0, step(document, NEW, done=True), MODEL))
        await pilot.pause()
        assert desk.review.file.model == MODEL
        await pilot.press("y", "n")
        assert list(read_outcomes()) == []
        await pilot.press("S", "S")
    found = list(read_outcomes())
    assert len(found) == wanted
    if wanted:
        assert found[0] is not None
        assert (found[0].path, found[0].model, found[0].text) == (str(path), MODEL, "one = valeu\n")
        assert [hunk.accepted for hunk in found[0].hunks] == [True]


def test_a_review_of_nothing_is_nothing(data: Path) -> None:
    keep(open_review([]).files, HunkState.ACCEPTED, "")
    assert not data.exists()

"""What becomes of the files, whoever changes them, and of decisions when a person quits."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from editflow.document import MAX_LINE, Document
from editflow.proposal import HunkState, Proposal
from editflow_tui.header import Header
from editflow_tui.review import open_review
from editflow_tui.runner import Ended, Stepped, Suspected
from editflow_tui.screens.choice import Choice
from tests.tui.reviewing import NEW, OLD, Desk, running, slips, step


async def blind() -> None:
    """Sees no change outside."""


class TestFiles:
    @pytest.mark.asyncio
    async def test_what_is_accepted_is_written_and_the_rest_goes_on(self, tmp_path: Path) -> None:
        path = slips(tmp_path)
        desk = Desk(path)
        async with running(desk) as pilot:
            await pilot.press("S")
            assert path.read_text("utf-8") == OLD, "nothing is accepted"
            await pilot.press("y", "S")
            assert path.read_text("utf-8") == OLD.replace("valeu", "value", 1)
            await pilot.press("a", "S")
            assert path.read_text("utf-8") == NEW
            await pilot.press("q")
        assert desk.app.return_value == 0

    @pytest.mark.asyncio
    async def test_all_files_are_written(self, tmp_path: Path) -> None:
        paths = slips(tmp_path), slips(tmp_path, "more.py")
        desk = Desk(*paths)
        async with running(desk) as pilot:
            await pilot.press("a", "tab", "a", "ctrl+s")
        assert [path.read_text("utf-8") for path in paths] == [NEW, NEW]

    @pytest.mark.asyncio
    async def test_a_fix_that_runs_begins_again_over_what_was_written(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path), fixes=True)
        async with running(desk) as pilot:
            half = OLD.replace("valeu", "value", 1)
            desk.fixer.post(Stepped(0, step(desk.review.file.document, half)))
            await pilot.pause()
            await pilot.press("y", "S")
            assert desk.fixer.cancelled == [0]
            assert [request.document.text for _, request in desk.fixer.requests] == [OLD, half]

    @pytest.mark.asyncio
    async def test_bytes_that_nobody_saw_are_not_written_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = slips(tmp_path)
        desk = Desk(path)
        monkeypatch.setattr(desk.app, "_watch", blind)
        async with running(desk) as pilot:
            await pilot.press("y")
            path.write_text("# mine\n" + OLD, "utf-8")
            await pilot.press("S")
            assert isinstance(desk.app.screen, Choice) and path.read_text("utf-8") == "# mine\n" + OLD
            await pilot.press("r", "S")
            assert path.read_text("utf-8") == "# mine\n" + OLD.replace("valeu", "value", 1)

    @pytest.mark.asyncio
    async def test_a_change_outside_is_seen(self, tmp_path: Path) -> None:
        path = slips(tmp_path)
        desk = Desk(path)
        async with running(desk) as pilot:
            await pilot.press("y")
            await pilot.pause(0.3)  # until it is watched
            path.write_text(OLD.replace("two = valeu", "two = 2"), "utf-8")
            for _ in range(100):
                await pilot.pause(0.05)
                if desk.review.file.stale:
                    break
            assert desk.review.file.counts == {HunkState.ACCEPTED: 1, HunkState.PENDING: 1}
            assert "1 stale" in str(desk.app.main.query_one(Header).render())

    @pytest.mark.asyncio
    async def test_a_file_that_is_gone_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = slips(tmp_path)
        desk = Desk(path)
        monkeypatch.setattr(desk.app, "_watch", blind)
        async with running(desk) as pilot:
            path.unlink()
            await pilot.press("R", "y", "S")
            assert isinstance(desk.app.screen, Choice) and not path.exists()
            assert len(desk.app._notifications) == 1


class TestRuns:
    """Fixes that were given up, or begin again, as the text below them becomes another."""

    @pytest.mark.asyncio
    @pytest.mark.parametrize("key", ["S", "R", "x", "r"])
    async def test_what_an_older_run_still_says_is_not_heard(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
    ) -> None:
        path = slips(tmp_path)
        desk = Desk(path, fixes=True)
        monkeypatch.setattr(desk.app, "_watch", blind)
        async with running(desk) as pilot:
            document, fixer = desk.review.file.document, desk.fixer
            fixer.post(Stepped(0, step(document, NEW)))
            await pilot.pause()
            await pilot.press("y")
            if key == "R":
                path.write_text("# mine\n" + OLD, "utf-8")
            fixer.post(Stepped(0, step(document, OLD.replace("valeu", "1"), 2)))
            fixer.post(Ended(0, "it broke off"))
            desk.app.action_command({"S": "write", "R": "reload", "x": "steer", "r": "again"}[key])
            await pilot.pause()
            file = desk.review.file
            assert len(fixer.requests) == 2 and file.playback.running and file.playback.error is None
            assert not file.playback.frames and all(hunk.new == "value" for hunk in file.hunks)

    @pytest.mark.asyncio
    async def test_what_is_said_of_the_latest_run_is_heard(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path), fixes=True)
        async with running(desk) as pilot:
            await pilot.press("r")
            desk.step(OLD.replace("valeu", "1"), NEW)
            desk.fixer.post(Ended(0, None))
            await pilot.pause()
            assert desk.review.file.playback.over and len(desk.review.file.playback.frames) == 2

    @pytest.mark.asyncio
    async def test_heat_of_an_older_text_is_not_shown(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("y", "t")
            desk.fixer.post(Suspected(0, ((0, 3, 0.7),)))
            desk.app.action_command("write")
            await pilot.pause()
            assert not desk.review.file.heat

    @pytest.mark.asyncio
    @pytest.mark.parametrize("keys", [("x",), ("r",), ("v", "enter", "h")])
    async def test_a_run_of_another_kind_does_not_begin_again(
        self, tmp_path: Path, keys: tuple[str, ...]
    ) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("y", *keys, "S")
            assert len(desk.fixer.requests) == 1 and not desk.review.file.playback.running
            assert any("stopped" in note.message for note in desk.app._notifications)

    @pytest.mark.asyncio
    async def test_a_patch_of_a_file_with_a_long_line_is_reloaded_but_not_fixed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = slips(tmp_path)
        desk = Desk(path)
        monkeypatch.setattr(desk.app, "_watch", blind)
        async with running(desk) as pilot:
            path.write_text(f"# {'x' * MAX_LINE}\n{OLD}", "utf-8")
            await pilot.press("R")
            assert desk.review.file.document.text == path.read_text("utf-8")
            assert not len(desk.app._notifications) and len(desk.review.file.hunks) == 3
            await pilot.press("r")
            assert not desk.fixers
            assert ["longer than" in note.message for note in desk.app._notifications] == [True]

    @pytest.mark.asyncio
    async def test_steering_past_a_change_of_the_encoding_is_said(self, tmp_path: Path) -> None:
        path = tmp_path / "latin.py"
        path.write_bytes("# coding: utf-8\nname = 'é'\n".encode())
        proposal = Proposal.from_texts(
            Document.read(path), path.read_text("utf-8").replace("utf-8", "latin-1")
        )
        desk = Desk(path)
        desk.app.review = open_review([("latin.py", proposal)])
        async with running(desk) as pilot:
            await pilot.press("a", "x")
            assert not desk.fixers
            assert ["encoding" in note.message for note in desk.app._notifications] == [True]


class TestQuitting:
    @pytest.mark.asyncio
    async def test_a_signal_of_interruption_asks_too(self, tmp_path: Path) -> None:
        past = signal.getsignal(signal.SIGINT)
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            os.kill(os.getpid(), signal.SIGINT)
            await pilot.pause(0.05)
            assert isinstance(desk.app.screen, Choice)
            await pilot.press("d")
        assert desk.app.return_value == 130 and signal.getsignal(signal.SIGINT) is past

    @pytest.mark.asyncio
    async def test_nothing_to_lose_needs_no_question(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("d", "q")
        assert desk.app.return_value == 0

    @pytest.mark.asyncio
    @pytest.mark.parametrize(("answer", "text"), [("w", OLD.replace("valeu", "value", 1)), ("d", OLD)])
    async def test_unsaved_decisions_are_written_or_not(self, tmp_path: Path, answer: str, text: str) -> None:
        path = slips(tmp_path)
        desk = Desk(path)
        async with running(desk) as pilot:
            await pilot.press("y", "q")
            assert isinstance(desk.app.screen, Choice)
            await pilot.press(answer)
        assert desk.app.return_value == 0 and path.read_text("utf-8") == text

    @pytest.mark.asyncio
    @pytest.mark.parametrize("leave", ["c", "escape"])
    async def test_a_question_can_be_left(self, tmp_path: Path, leave: str) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("q", leave)
            assert desk.app.screen is desk.app.main and desk.app.is_running

    @pytest.mark.asyncio
    async def test_an_interrupt_asks_too_and_says_so_at_the_end(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("ctrl+c", "d")
        assert desk.app.return_value == 130

    @pytest.mark.asyncio
    @pytest.mark.parametrize("is_seen", [False, True])
    async def test_it_does_not_leave_what_could_not_be_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_seen: bool
    ) -> None:
        path = slips(tmp_path)
        desk = Desk(path)
        monkeypatch.setattr(desk.app, "_watch", blind)
        async with running(desk) as pilot:
            await pilot.press("y", "q")
            path.write_text("# mine\n", "utf-8")
            if is_seen:
                desk.app.reload(0)
            await pilot.press("w")
            assert desk.app.is_running and path.read_text("utf-8") == "# mine\n"

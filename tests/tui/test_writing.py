"""What becomes of the files, whoever changes them, and of decisions when a person quits."""

from __future__ import annotations

from pathlib import Path

import pytest

from editflow.proposal import HunkState
from editflow_tui.header import Header
from editflow_tui.runner import Stepped
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


class TestQuitting:
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

"""The reviewer on a terminal in memory: every key, the mouse, and what is asked of the engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Footer

from editflow.proposal import HunkState
from editflow.resident.status import EngineStatus, StatusKind
from editflow_tui.actions import Action, Flow, Look, Move, MoveTo, NextMatch, Search, Started, Turn, Verdict
from editflow_tui.diff_view import DiffView
from editflow_tui.files import Files
from editflow_tui.flow_bar import FlowBar
from editflow_tui.header import Header
from editflow_tui.keymap import resolve
from editflow_tui.review import Review, reduce
from editflow_tui.runner import Ended, EngineChanged, Stepped, Suspected
from tests.tui.reviewing import NEW, OLD, Desk, running, slips, step

SIZES = [(40, 12), (80, 24), (200, 60)]

FLOW: tuple[Action, ...] = (Started(0, 0),)  # and three frames
KEYS: list[tuple[str, tuple[Action, ...], Action]] = [
    ("y", (), Verdict.ACCEPT),
    ("n", (), Verdict.REJECT),
    ("space", (), Verdict.TOGGLE),
    ("a", (), Verdict.ACCEPT_REST),
    ("d", (), Verdict.REJECT_REST),
    ("u", (Verdict.ACCEPT,), Verdict.UNDO),
    ("ctrl+z", (Verdict.ACCEPT,), Verdict.UNDO),
    ("ctrl+r", (Verdict.ACCEPT, Verdict.UNDO), Verdict.REDO),
    ("j", (), Move.NEXT),
    ("right_square_bracket", (), Move.NEXT),
    ("k", (), Move.PREVIOUS),
    ("left_square_bracket", (), Move.PREVIOUS),
    ("g", (Move.LAST,), Move.FIRST),
    ("G", (), Move.LAST),
    ("f3", (Search("valeu"),), NextMatch(1)),
    ("enter", (Search("valeu"),), NextMatch(1)),
    ("shift+f3", (Search("valeu"),), NextMatch(-1)),
    ("f15", (Search("valeu"),), NextMatch(-1)),
    ("tab", (), Turn(1)),
    ("shift+tab", (), Turn(-1)),
    ("0", (Look.SPLIT,), Look.AUTO),
    ("1", (), Look.SPLIT),
    ("2", (), Look.UNIFIED),
    ("w", (), Look.WRAP),
    ("left_curly_bracket", (), Look.LESS),
    ("right_curly_bracket", (), Look.MORE),
    ("W", (), Look.WHITESPACE),
    ("F", (), Look.FOLDS),
    ("t", (), Look.HEAT),
    ("p", FLOW, Flow.PLAY),
    ("comma", FLOW, Flow.BACK),
    ("full_stop", (*FLOW, Flow.FIRST), Flow.FORWARD),
    ("less_than_sign", FLOW, Flow.SLOWER),
    ("greater_than_sign", FLOW, Flow.FASTER),
    ("left_parenthesis", FLOW, Flow.FIRST),
    ("right_parenthesis", (*FLOW, Flow.FIRST), Flow.LAST),
]


def prepared(review: Review, actions: tuple[Action, ...]) -> Review:
    """After the actions; a flow that starts has three frames."""
    for action in actions:
        review = reduce(review, action)
        if isinstance(action, Started):
            for count in (1, 2, 3):
                text = OLD.replace("valeu", "value", count)
                review = reduce(review, Stepped(0, step(review.file.document, text, done=count == 3)))
    return review


@pytest.mark.asyncio
@pytest.mark.parametrize("size", SIZES)
async def test_every_key_does_its_action(tmp_path: Path, size: tuple[int, int]) -> None:
    desk = Desk(slips(tmp_path), slips(tmp_path, "more.py"))
    start = desk.review
    async with running(desk, size) as pilot:
        for key, actions, action in KEYS:
            before = desk.app.review = prepared(start, actions)
            desk.app.main.show(before)
            await pilot.press(key)
            expected = reduce(before, action)
            assert expected != before, f"{key} is tested where it does nothing"
            assert desk.review == expected, key
            desk.app.act(Flow.LAST)  # nothing plays on


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [(20, 5), (300, 100)])
async def test_it_opens_at_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    desk = Desk(slips(tmp_path), slips(tmp_path, "more.py"))
    async with running(desk, size) as pilot:
        for key in (
            "j",
            "t",
            "question_mark",
            "escape",
            "slash",
            "a",
            "escape",
            "e",
            "escape",
            "q",
            "escape",
        ):
            await pilot.press(key)
        await pilot.resize_terminal(79, 23)
        await pilot.pause()
        assert desk.app.screen is desk.app.main
        assert desk.app.main.query_one(DiffView).size.height > 10


@pytest.mark.asyncio
async def test_what_has_no_room_goes(tmp_path: Path) -> None:
    desk = Desk(slips(tmp_path), slips(tmp_path, "more.py"))
    async with running(desk, (120, 30)) as pilot:
        assert desk.app.main.query_one(Files).display and desk.app.main.query_one(Footer).display
        await pilot.resize_terminal(99, 9)
        await pilot.pause()
        assert not desk.app.main.query_one(Files).display and not desk.app.main.query_one(Footer).display


@pytest.mark.asyncio
async def test_one_file_has_no_list_and_no_flow_no_bar(tmp_path: Path) -> None:
    desk = Desk(slips(tmp_path))
    async with running(desk, (120, 30)):
        assert not desk.app.main.query_one(Files).display
        assert not desk.app.main.query_one(FlowBar).display


class TestEngine:
    @pytest.mark.asyncio
    async def test_fixes_stream_in_and_are_decided_meanwhile(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path), fixes=True)
        async with running(desk) as pilot:
            assert [key for key, _ in desk.fixer.requests] == [0]
            document = desk.review.file.document
            desk.fixer.post(EngineChanged(EngineStatus(StatusKind.busy, "default@1", "cpu")))
            desk.fixer.post(Stepped(0, step(document, OLD.replace("valeu", "value", 1))))
            await pilot.pause()
            await pilot.press("y")
            desk.fixer.post(Stepped(0, step(document, NEW, 2, done=True)))
            desk.fixer.post(Ended(0, None))
            await pilot.pause()
            assert [hunk.state for hunk in desk.review.file.hunks] == [
                HunkState.ACCEPTED,
                HunkState.PENDING,
                HunkState.PENDING,
            ]
            header = str(desk.app.main.query_one(Header).render())
            assert "1/3 · 1 accepted" in header and "default@1 · cpu · busy" in header
        assert desk.fixer.is_closed

    @pytest.mark.asyncio
    async def test_what_went_wrong_is_said_and_is_the_exit_code(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path), fixes=True)
        async with running(desk) as pilot:
            desk.fixer.post(Ended(0, "no \x1b memory"))
            await pilot.pause()
            assert "no ␛ memory" in str(desk.app.main.query_one(FlowBar).render())
            await pilot.press("q")
        assert desk.app.return_value == 2

    @pytest.mark.asyncio
    async def test_again_asks_with_another_seed(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("r", "r")
            asked = [(request.seed, request.candidates) for _, request in desk.fixer.requests]
        assert asked == [(1, 4), (2, 4)]

    @pytest.mark.asyncio
    async def test_selected_lines_only(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("h")
            assert not desk.fixers, "nothing is selected"
            await pilot.press("j", "v", "down", "down", "up", "enter", "down")
            assert desk.review.file.lines == (22, 23)
            await pilot.press("h")
            assert desk.fixer.requests[0][1].lines == (22, 23)

    @pytest.mark.asyncio
    async def test_a_selection_can_be_left(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("v", "down", "escape")
            assert desk.review.file.lines is None

    @pytest.mark.asyncio
    async def test_steering_shows_what_was_accepted_and_forbids_what_was_rejected(
        self, tmp_path: Path
    ) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("n", "y", "x")
            request = desk.fixer.requests[0][1]
            assert request.document.text == OLD.replace("two = valeu", "two = value")
            assert request.forbidden == ((6, 11, "value"),)
            desk.step(request.document.text + "four = 4\n")
            await pilot.pause()
            assert [hunk.new for hunk in desk.review.file.hunks] == ["value", "value", "value", "four = 4\n"]

    @pytest.mark.asyncio
    async def test_heat_is_asked_for_once_a_text(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("t", "t", "t")
            assert desk.fixer.suspected == [0]
            desk.fixer.post(Suspected(0, ((0, 3, 0.7),)))
            await pilot.pause()
            assert desk.review.picture.heat == ((0, 3, 0.7),)
            await pilot.press("y", "S")
            assert desk.fixer.suspected == [0, 0]


class TestPlaying:
    @pytest.mark.asyncio
    async def test_it_plays_to_the_end(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            desk.app.review = prepared(desk.review, FLOW)
            desk.app.act(Flow.PLAY)
            assert desk.review.file.playback.playing and len(desk.review.picture.proposal.hunks) == 1
            desk.app.act(Flow.FASTER)
            for _ in range(200):
                await pilot.pause(0.02)
                if not desk.review.file.playback.playing:
                    break
            assert not desk.review.file.is_drafted and len(desk.review.picture.proposal.hunks) == 3

    @pytest.mark.asyncio
    async def test_what_a_frame_does_not_show_is_shown_before_it_is_decided(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            desk.app.review = prepared(desk.review, (*FLOW, Flow.FIRST))
            await pilot.press("a")
            assert not desk.review.counts[HunkState.ACCEPTED] and len(desk.app._notifications) == 1
            await pilot.press("a")
            assert desk.review.counts[HunkState.ACCEPTED] == 3 and len(desk.app._notifications) == 1

    @pytest.mark.asyncio
    async def test_without_motion_playing_is_over_at_once(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path), still=True)
        async with running(desk) as pilot:
            desk.app.review = prepared(desk.review, FLOW)
            await pilot.press("p")
            assert not desk.review.file.playback.playing and not desk.review.file.is_drafted

    @pytest.mark.asyncio
    async def test_the_bar_is_pointed_at(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            desk.app.act(Started(0, 0))
            desk.app.review = prepared(desk.review, FLOW)
            desk.app.act(Look.WRAP)
            await pilot.pause()
            await pilot.click(FlowBar, offset=(40, 0))
            assert desk.review.file.playback.position == 1
            await pilot.click(FlowBar, offset=(79, 0))
            await pilot.click(FlowBar, offset=(1, 0))
            assert desk.review.file.playback.playing


class TestMouse:
    @pytest.mark.asyncio
    async def test_a_hunk_is_clicked(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            desk.app.on_diff_view_hunk_clicked(DiffView.HunkClicked(2))
            assert desk.review.file.cursor == 2
            await pilot.click(DiffView, offset=(20, 0))
            assert desk.review.file.cursor == 0

    @pytest.mark.asyncio
    async def test_a_fold_is_clicked_and_found_by_its_key(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            await pilot.press("f")
            assert desk.review.view.open_folds == {4}
            desk.app.on_diff_view_fold_clicked(DiffView.FoldClicked(4))
            assert not desk.review.view.open_folds

    @pytest.mark.asyncio
    async def test_a_line_ends_a_selection(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path))
        async with running(desk) as pilot:
            desk.app.on_diff_view_line_clicked(DiffView.LineClicked(3))
            assert desk.review.file.lines is None
            await pilot.press("v")
            desk.app.on_diff_view_line_clicked(DiffView.LineClicked(3))
            assert desk.review.file.lines == (1, 3)

    @pytest.mark.asyncio
    async def test_a_file_and_a_key_in_the_footer_are_clicked(self, tmp_path: Path) -> None:
        desk = Desk(slips(tmp_path), slips(tmp_path, "more.py"))
        async with running(desk, (120, 30)) as pilot:
            await pilot.click(Files, offset=(3, 1))
            assert desk.review.current == 1
            await pilot.click(Footer, offset=(2, 0))
            assert desk.review.file.hunks[0].state is HunkState.ACCEPTED


@pytest.mark.asyncio
async def test_a_person_s_own_keys_hold_everywhere(tmp_path: Path) -> None:
    desk = Desk(slips(tmp_path), keymap=resolve({"accept": "z", "acept": "y"}))
    async with running(desk) as pilot:
        await pilot.press("y")
        assert not desk.review.counts[HunkState.ACCEPTED]
        await pilot.press("z")
        assert desk.review.counts[HunkState.ACCEPTED] == 1
        assert len(desk.app._notifications) == 1, "what cannot be followed is said"
        shown = {binding.key for _, binding, _, _ in desk.app.main.active_bindings.values() if binding.show}
        assert "z" in shown and "y" not in shown


@pytest.mark.asyncio
async def test_a_click_on_a_frame_s_hunk_goes_to_that_hunk(tmp_path: Path) -> None:
    desk = Desk(slips(tmp_path))
    async with running(desk):
        desk.app.act(Started(0, 0))
        later = OLD.replace("three = valeu", "three = value")
        desk.app.act(Stepped(0, step(desk.review.file.document, later)))
        desk.app.act(Stepped(0, step(desk.review.file.document, NEW, 2, done=True)))
        desk.app.act(Flow.FIRST)
        desk.app.act(MoveTo(0))
        assert desk.review.file.cursor == 2 and desk.review.file.is_drafted

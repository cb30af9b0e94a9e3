"""Playing a flow: frames come in, and what is shown goes where it was asked to."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.document import Document
from editflow.proposal import Proposal
from editflow.step import Step
from editflow_tui.playback import FASTEST, FRAME, SLOWEST, STILL, Playback

DOCUMENT = Document.from_text("a b c d\n")
MOVES = ["play", "pause", "toggle", "tick", "forward", "back", "first", "last", "faster", "slower"]


def step(text: str, index: int = 1, *, done: bool = False) -> Step:
    return Step(index, 8, Proposal.from_texts(DOCUMENT, text), done)


def film(*texts: str, done: bool = True, **options: float) -> Playback:
    """A playback of these frames."""
    playback = Playback(running=True, **options)  # type: ignore[arg-type]
    for index, text in enumerate(texts, 1):
        playback = playback.add(step(text, index, done=done and index == len(texts)))
    return playback


def shown(playback: Playback) -> str | None:
    return None if playback.shown is None else playback.shown.text


def test_it_follows_the_flow_until_something_else_is_asked_for() -> None:
    playback = Playback(running=True)
    assert (shown(playback), playback.over, playback.total) == (None, False, None)
    for index, text in enumerate("xyz", 1):
        playback = playback.add(step(text, index, done=text == "z"))
        assert (shown(playback), playback.over, playback.total) == (text, text == "z", 8)
    assert not playback.running


def test_equal_steps_are_one_frame_and_the_last_frame_is_the_last_step_s() -> None:
    last = step("y", 4, done=True)
    playback = film("x", "y", "y", done=False).add(last)
    assert [frame.text for frame in playback.frames] == ["x", "y"]
    assert playback.frames[-1] is last.proposal
    assert [frame.text for frame in film("x", "y", "x").frames] == ["x", "y", "x"]


@pytest.mark.parametrize("ask", ["pause", "back", "first", "play"])
def test_frames_that_come_do_not_move_what_is_shown(ask: str) -> None:
    playback = film("x", "y", done=False).back()
    playback = getattr(playback, ask)()
    later = playback.add(step("z", 3)).add(step("w", 4, done=True)).end()
    assert shown(later) == shown(playback) == "x"
    assert not later.over


def test_it_plays_from_the_first_frame_to_the_last_and_stops() -> None:
    playback = film("x", "y", "z").play()
    seen = [shown(playback)]
    while playback.playing:
        playback = playback.tick()
        seen.append(shown(playback))
    assert seen == ["x", "y", "z", "z"]
    assert playback.over and playback.tick() == playback


def test_it_plays_on_from_where_it_was_paused() -> None:
    playback = film("x", "y", "z").play().tick().pause()
    assert shown(playback.tick()) == "y"
    assert shown(playback.play().tick()) == "z"


def test_it_waits_at_the_last_frame_while_more_may_come() -> None:
    playback = film("x", "y", done=False).first().play().tick().tick()
    assert (shown(playback), playback.playing) == ("y", True)
    playback = playback.add(step("z", 3)).add(step("w", 4, done=True))
    assert shown(playback) == "y"
    seen = []
    while playback.playing:
        playback = playback.tick()
        seen.append(shown(playback))
    assert seen == ["z", "w", "w"]
    assert playback.over and not playback.playing


def test_toggling_pauses_what_moves_and_plays_what_stands() -> None:
    live = film("x", "y", done=False)
    paused = live.toggle()
    assert live.moving and not paused.moving
    assert shown(paused.add(step("z", 3))) == "y"
    assert paused.toggle().playing
    assert not film("x", "y").moving
    assert film("x", "y").toggle().playing and not film("x", "y").toggle().toggle().moving


def test_stepping_and_scrubbing_stay_inside_and_pause() -> None:
    playback = film("x", "y", "z").play()
    assert [shown(playback.scrub(at)) for at in (-3, 0, 1, 2, 9)] == ["x", "x", "y", "z", "z"]
    assert shown(playback.forward()) == "y" and not playback.forward().playing
    assert shown(playback.back()) == "x"
    assert shown(film("x", "y", "z").back().back().back()) == "x"
    assert shown(playback.last()) == "z" and playback.last().over


def test_a_flow_that_fails_keeps_its_frames() -> None:
    playback = film("x", "y", done=False).end("the engine stopped")
    assert (shown(playback), playback.error, playback.running, playback.over) == (
        "y",
        "the engine stopped",
        False,
        True,
    )


def test_speed_changes_the_interval_within_bounds() -> None:
    playback = film("x", "y")
    assert playback.interval == FRAME
    assert playback.faster().interval == FRAME / 2
    assert playback.slower().interval == FRAME * 2
    assert reduce(lambda each, _: each.faster(), range(9), playback).speed == FASTEST
    assert reduce(lambda each, _: each.slower(), range(9), playback).speed == SLOWEST


def test_without_motion_playing_is_over_at_once() -> None:
    playback = film("x", "y", "z", speed=STILL)
    assert playback.interval == 0
    assert playback.first().play() == playback.last()
    assert playback.faster() == playback.slower() == playback
    assert shown(playback.back()) == "y"


def test_one_frame_or_none_is_not_played() -> None:
    assert not film("x").play().playing
    assert Playback().play().shown is None
    assert Playback().pause().forward().back().tick().shown is None


@given(st.lists(st.sampled_from([*MOVES, "add", "add the same"]), max_size=40), st.booleans())
def test_whatever_is_asked_what_is_shown_is_a_frame_and_the_end_is_the_proposal(
    moves: list[str], still: bool
) -> None:
    playback = Playback(running=True, speed=STILL if still else 1.0)
    for index, move in enumerate(moves):
        text = str(index) if move == "add" else shown(playback) or ""
        playback = playback.add(step(text, index)) if move.startswith("add") else getattr(playback, move)()
        assert playback.shown in playback.frames or not playback.frames
        assert playback.interval <= FRAME / SLOWEST
    last = step("the end", len(moves), done=True)
    ended = playback.add(last)
    assert (ended.at, ended.playing) == (playback.at, playback.playing)
    assert ended.last().shown is last.proposal and ended.last().over
    for _ in ended.frames:
        ended = ended.tick()
    assert not ended.playing or ended.tick().over

"""What a person does to the file under review: decide, move, look at the flow, select."""

from __future__ import annotations

from dataclasses import replace

from editflow.decisions import (
    Accept,
    AcceptAll,
    Decision,
    Edit,
    History,
    Reject,
    RejectAll,
    Reset,
    Split,
)
from editflow.proposal import HunkState
from editflow_tui.actions import Flow, Move, MoveTo, NextMatch, OnCurrent, Rewrite, Scrub, Select, Verdict
from editflow_tui.file_review import FileReview, revised
from editflow_tui.following import key_of
from editflow_tui.playback import Playback

_ON_ONE = {Verdict.ACCEPT, Verdict.REJECT, Verdict.TOGGLE, Verdict.SPLIT}


def acted(file: FileReview, action: OnCurrent) -> FileReview:
    """The file after an action."""
    match action:
        case Verdict():
            return _judged(file, action)
        case Rewrite(new):
            return _rewritten(file, new)
        case Move() | MoveTo():
            return _uncovered(file.at(_target(file, action)))
        case Flow():
            return replace(file, playback=_played(file.playback, action))
        case Scrub(at):
            return replace(file, playback=file.playback.scrub(at))
        case NextMatch(by):
            return file.next_match(by)
        case Select(lines, is_open):
            return file.selecting(lines, is_open=is_open)


def pending_after(file: FileReview, by: int = 1) -> int | None:
    """The next undecided hunk after the cursor, or before it (-1), around the ends."""
    size, start = len(file.hunks), file.cursor or 0
    places = ((start + by * step) % size for step in range(1, size + 1))
    return next((i for i in places if file.hunks[i].state is HunkState.PENDING), None)


def _judged(file: FileReview, verdict: Verdict) -> FileReview:
    """Nobody decides what is not shown: a hunk that the frame lacks is shown first, and decided next time."""
    seen = file.shown_cursor is not None if verdict in _ON_ONE else not file.is_drafted
    if not seen:
        return replace(file, playback=file.playback.last())
    match verdict:
        case Verdict.UNDO:
            return _turned(file, file.history.undo())
        case Verdict.REDO:
            return _turned(file, file.history.redo())
        case _:
            return _decided(file, verdict)


def _decided(file: FileReview, verdict: Verdict) -> FileReview:
    decision = _decision(file, verdict)
    if decision is None:
        return file
    decided = revised(file, file.history.decide(decision))
    if verdict in (Verdict.ACCEPT, Verdict.REJECT):
        return decided.at(pending_after(decided, 1) if decided.counts[HunkState.PENDING] else decided.cursor)
    return decided


def _decision(file: FileReview, verdict: Verdict) -> Decision | None:
    hunk, index = file.hunk, file.cursor
    if hunk is None or index is None:
        return None
    match verdict:
        case Verdict.ACCEPT:
            return Accept(index)
        case Verdict.REJECT:
            return Reject(index)
        case Verdict.TOGGLE:
            return Reset(index) if hunk.state is HunkState.ACCEPTED else Accept(index)
        case Verdict.SPLIT:
            return Split(index)
        case Verdict.ACCEPT_REST:
            return AcceptAll()
        case Verdict.REJECT_REST:
            return RejectAll()
        case Verdict.UNDO | Verdict.REDO:
            return None


def _rewritten(file: FileReview, new: str) -> FileReview:
    """A hunk that would write what is there already is a rejected one."""
    if file.hunk is None or file.cursor is None:
        return file
    decision = Reject(file.cursor) if new == file.hunk.old else Edit(file.cursor, new)
    return replace(file, history=file.history.decide(decision))


def _turned(file: FileReview, history: History) -> FileReview:
    """The cursor goes to where the hunks differ from those before."""
    pairs = zip(file.hunks, history.present.hunks, strict=False)
    differs = (i for i, (before, after) in enumerate(pairs) if before != after)
    return replace(file, history=history).at(next(differs, file.cursor))


def _target(file: FileReview, move: Move | MoveTo) -> int | None:
    match move:
        case MoveTo(index):
            shown = file.shown.hunks
            found = file.index(key_of(shown[index])) if 0 <= index < len(shown) else None
            return file.cursor if found is None else found
        case Move.FIRST:
            return 0
        case Move.LAST:
            return len(file.hunks) - 1
        case Move.NEXT | Move.PREVIOUS:
            if file.cursor is None:
                return None
            found = pending_after(file, 1 if move is Move.NEXT else -1)
            return file.cursor if found is None else found


def _uncovered(file: FileReview) -> FileReview:
    """All that is proposed is shown where a frame of the flow lacks the hunk under the cursor."""
    if file.shown_cursor is None:
        return replace(file, playback=file.playback.last())
    return file


def _played(playback: Playback, flow: Flow) -> Playback:
    match flow:
        case Flow.PLAY:
            return playback.toggle()
        case Flow.FORWARD:
            return playback.forward()
        case Flow.BACK:
            return playback.back()
        case Flow.FIRST:
            return playback.first()
        case Flow.LAST:
            return playback.last()
        case Flow.FASTER:
            return playback.faster()
        case Flow.SLOWER:
            return playback.slower()
        case Flow.TICK:
            return playback.tick()

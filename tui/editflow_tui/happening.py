"""What becomes of a file under review when the engine or the disk says something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from editflow.carry import reanchor
from editflow.decisions import History
from editflow.proposal import Hunk, HunkState, Proposal
from editflow_tui.actions import OnFile, Reloaded, Started, Wrote
from editflow_tui.file_review import FileReview, revised
from editflow_tui.following import Run, followed, key_of, keys_of, written
from editflow_tui.playback import Playback
from editflow_tui.runner import Ended, Stepped, Suspected


def happened(file: FileReview, event: OnFile) -> FileReview:
    """The file after an event."""
    match event:
        case Started():
            playback = Playback(speed=file.playback.speed, running=True)
            run = replace(event.run, before=file.offered | keys_of(file.proposal))
            return replace(file, seed=event.seed, run=run, playback=playback).selecting(None)
        case Stepped():
            return _stepped(file, event)
        case Ended():
            return replace(file, playback=file.playback.end(event.error))
        case Suspected():
            return replace(file, heat=event.spans)
        case Wrote():
            left = [hunk for hunk in file.hunks if hunk.state is not HunkState.ACCEPTED]
            count = file.written + len(file.hunks) - len(left)
            return _moved(replace(file, written=count), left, written(file.proposal, event.document))
        case Reloaded():
            after, stale = reanchor(file.proposal, event.document)
            gone = frozenset(stale)
            left = [hunk for hunk in file.hunks if hunk not in gone]
            return _moved(replace(file, stale=(*file.stale, *stale)), left, after)


def _stepped(file: FileReview, event: Stepped) -> FileReview:
    fresh = file.run.proposal_of(event.step)
    history = followed(file.history, file.offered, fresh, file.run)
    playback = file.playback.add(replace(event.step, proposal=fresh))
    offered = file.offered | keys_of(fresh)
    return revised(replace(file, playback=playback, offered=offered, model=event.model), history)


def _moved(file: FileReview, left: Sequence[Hunk], after: Proposal) -> FileReview:
    """Over another text: the hunks that are `left` are those of `after`; a flow over the old text is forgotten."""
    pairs = zip(left, after.hunks, strict=True)
    offered = frozenset(key_of(new) for old, new in pairs if key_of(old) in file.offered)
    at = 0 if file.hunk is None else file.hunk.start
    cursor = sum(hunk.start < at for hunk in left)
    playback = Playback(speed=file.playback.speed)
    moved = replace(file, history=History(after), offered=offered, run=Run(), playback=playback)
    return replace(moved, heat=()).selecting(None).at(cursor)

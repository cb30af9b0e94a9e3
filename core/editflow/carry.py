"""Decisions on the move: to another proposal, to another version of the document, and into a flow that goes on.

A person decides about hunks of one proposal over one text. These functions say which of them still hold when a new
proposal comes, when the file has changed outside, or when the model goes on from what was decided.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from editflow.decisions import AcceptAll, decide
from editflow.document import Document
from editflow.forbidden import reach
from editflow.pieces import Pieces, TextEdit
from editflow.proposal import Hunk, HunkState, Proposal, make_hunk

if TYPE_CHECKING:
    from editflow.request import Replacement


def carry(decided: Proposal, fresh: Proposal) -> Proposal:
    """`fresh` with the states of those hunks that replace the same range by the same text in `decided`.

    Raises ValueError if the two are not over the same text.
    """
    if fresh.document.text != decided.document.text:
        raise ValueError("decisions go over between proposals of the same text only")
    states = {_replacement(hunk): hunk.state for hunk in decided.hunks}
    hunks = (replace(hunk, state=states.get(_replacement(hunk), hunk.state)) for hunk in fresh.hunks)
    return replace(fresh, hunks=tuple(hunks))


def reanchor(proposal: Proposal, document: Document) -> tuple[Proposal, tuple[Hunk, ...]]:
    """The hunks, with their states, where they stand in another version of the text, and those that are stale.

    A hunk is stale where the text that it replaces, or what is right before or after it, has changed: someone may
    have made the same edit by hand. Stale hunks are as they were in the old version.
    """
    changes = Proposal.from_texts(proposal.document, document.text).hunks
    ends = [change.end for change in changes]
    gained = list(accumulate((len(change.new) - len(change.old) for change in changes), initial=0))
    moved: list[Hunk] = []
    stale: list[Hunk] = []
    for hunk in proposal.hunks:
        first_end, last_start = reach(proposal.document.text, *_replacement(hunk))
        at = bisect_left(ends, min(hunk.start, first_end))  # the first change that does not end before it
        if at < len(changes) and changes[at].start <= max(hunk.end, last_start):
            stale.append(hunk)
        else:
            moved.append(_moved(document, hunk, gained[at]))
    return replace(proposal, document=document, hunks=tuple(moved)), tuple(stale)


def united(decided: Proposal) -> Proposal:
    """The accepted hunks alone, those that touch as one, all accepted."""
    return decide(Proposal.from_edits(decided.document, _edits(decided.accepted())), AcceptAll())


def compose(decided: Proposal, further: Proposal) -> Proposal:
    """What was accepted in `decided` and then all of `further`, as one proposal over the first document.

    Edits that touch become one hunk. Those as they were accepted still are; all others are pending. Raises
    ValueError if `further` is not over the decided text.
    """
    if further.document.text != decided.decided_text():
        raise ValueError("the further proposal is over another text than was decided")
    document = decided.document
    pieces = Pieces.of(document.text).edited(_edits(decided.accepted())).edited(_edits(further.hunks))
    return carry(united(decided), Proposal.from_edits(document, pieces.edits()))


def forbidden_in(decided: Proposal) -> tuple[Replacement, ...]:
    """The rejected hunks as edits of the decided text: what a flow that goes on from there must not make."""
    forbidden: list[Replacement] = []
    shift = 0
    for hunk in decided.hunks:
        if hunk.state is HunkState.ACCEPTED:
            shift += len(hunk.new) - len(hunk.old)
        elif hunk.state is HunkState.REJECTED:
            forbidden.append((hunk.start + shift, hunk.end + shift, hunk.new))
    return tuple(forbidden)


def _replacement(hunk: Hunk) -> Replacement:
    return hunk.start, hunk.end, hunk.new


def _edits(hunks: Sequence[Hunk]) -> list[TextEdit]:
    return [(*_replacement(hunk), hunk.confidence) for hunk in hunks]


def _moved(document: Document, hunk: Hunk, shift: int) -> Hunk:
    moved = make_hunk(document, hunk.start + shift, hunk.end + shift, hunk.new, hunk.confidence)
    return replace(moved, state=hunk.state)

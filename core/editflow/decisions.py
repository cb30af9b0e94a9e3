"""What a person decides about a proposal, as values, and the one pure function that applies them.

Decisions about different hunks commute. `History` adds undo and redo, and changes nothing in place either.
"""

from dataclasses import dataclass, replace
from itertools import zip_longest

from editflow.document import Document, split_lines
from editflow.proposal import Hunk, HunkState, Proposal, changed_ranges, make_hunk


@dataclass(frozen=True, slots=True)
class Accept:
    """Take a hunk."""

    index: int


@dataclass(frozen=True, slots=True)
class Reject:
    """Leave the text of a hunk as it is."""

    index: int


@dataclass(frozen=True, slots=True)
class Reset:
    """Make a hunk pending again."""

    index: int


@dataclass(frozen=True, slots=True)
class AcceptAll:
    """Take every hunk that is still pending."""


@dataclass(frozen=True, slots=True)
class RejectAll:
    """Leave every hunk that is still pending."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what a hunk would write; its state stays, its confidence becomes 1."""

    index: int
    new: str


@dataclass(frozen=True, slots=True)
class Split:
    """Cut a hunk into one hunk a changed line, as far as lines of old and new correspond."""

    index: int


Decision = Accept | Reject | Reset | AcceptAll | RejectAll | Edit | Split


def decide(proposal: Proposal, decision: Decision) -> Proposal:
    """The proposal after one decision; IndexError if there is no such hunk."""
    match decision:
        case Accept(index):
            return _with_state(proposal, index, HunkState.ACCEPTED)
        case Reject(index):
            return _with_state(proposal, index, HunkState.REJECTED)
        case Reset(index):
            return _with_state(proposal, index, HunkState.PENDING)
        case AcceptAll():
            return _settle(proposal, HunkState.ACCEPTED)
        case RejectAll():
            return _settle(proposal, HunkState.REJECTED)
        case Edit(index, new):
            return _replaced(proposal, index, replace(_hunk(proposal, index), new=new, confidence=1.0))
        case Split(index):
            return _replaced(proposal, index, *_pieces(proposal.document, _hunk(proposal, index)))


@dataclass(frozen=True, slots=True)
class History:
    """A proposal with what it was before each decision, latest last, and what was undone, next first."""

    present: Proposal
    past: tuple[Proposal, ...] = ()
    future: tuple[Proposal, ...] = ()

    def decide(self, decision: Decision) -> "History":
        """After one decision; one that changes nothing leaves no trace."""
        proposal = decide(self.present, decision)
        return self if proposal == self.present else History(proposal, (*self.past, self.present))

    def undo(self) -> "History":
        """Before the last decision, or the same if there was none."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redo(self) -> "History":
        """After the decision undone last, or the same if there is none."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:])


def _hunk(proposal: Proposal, index: int) -> Hunk:
    if not 0 <= index < len(proposal.hunks):
        raise IndexError(f"no hunk {index} among {len(proposal.hunks)}")
    return proposal.hunks[index]


def _replaced(proposal: Proposal, index: int, *hunks: Hunk) -> Proposal:
    return replace(proposal, hunks=(*proposal.hunks[:index], *hunks, *proposal.hunks[index + 1 :]))


def _with_state(proposal: Proposal, index: int, state: HunkState) -> Proposal:
    return _replaced(proposal, index, replace(_hunk(proposal, index), state=state))


def _settle(proposal: Proposal, state: HunkState) -> Proposal:
    pending = HunkState.PENDING
    hunks = (replace(hunk, state=state) if hunk.state is pending else hunk for hunk in proposal.hunks)
    return replace(proposal, hunks=tuple(hunks))


def _pieces(document: Document, hunk: Hunk) -> list[Hunk]:
    """The line-level hunks that together do what `hunk` does; itself alone if there is no place to cut."""
    pieces = []
    for i1, i2, j1, j2 in changed_ranges(split_lines(hunk.old), split_lines(hunk.new)):
        start = hunk.start + i1
        for old, new in _paired_lines(hunk.old[i1:i2], hunk.new[j1:j2]):
            piece = make_hunk(document, start, start + len(old), new, hunk.confidence)
            pieces.append(replace(piece, state=hunk.state))
            start += len(old)
    return pieces if len(pieces) > 1 else [hunk]


def _paired_lines(old: str, new: str) -> list[tuple[str, str]]:
    """Old and new lines side by side if they are equal in number or one side is empty, else one pair."""
    old_lines, new_lines = split_lines(old), split_lines(new)
    if len(old_lines) == len(new_lines) or not old_lines or not new_lines:
        return list(zip_longest(old_lines, new_lines, fillvalue=""))
    return [(old, new)]

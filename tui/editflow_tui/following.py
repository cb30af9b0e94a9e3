"""How decided hunks meet new ones: what a person decided or made stays, what is pending follows the model."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from editflow.carry import carry, compose
from editflow.decisions import History
from editflow.document import Document
from editflow.proposal import Hunk, HunkState, Proposal, make_hunk
from editflow.step import Step

Lines = tuple[int, int]  # 1-based, inclusive
Key = tuple[int, int, str]
Keys = frozenset[Key]


@dataclass(frozen=True, slots=True)
class Run:
    """What a fix was asked for."""

    lines: Lines | None = None
    """Only these."""
    steered: Proposal | None = None
    """The decisions that it goes on from; its steps are then over the decided text."""
    other: bool = False
    """Something that was not proposed before."""

    def proposal_of(self, step: Step, offered: Keys) -> Proposal:
        """What a step proposes over the document under review; of alternatives the best with something new."""
        others = (other for other in step.alternatives if not keys_of(other) <= offered)
        fresh = next(others, step.proposal) if self.other else step.proposal
        return fresh if self.steered is None else compose(self.steered, fresh)

    def leaves(self, hunk: Hunk, document: Document) -> bool:
        """Whether the hunk is outside the lines that it was asked for."""
        if self.lines is None:
            return False
        first, last = document.line_of(hunk.start) + 1, document.line_of(hunk.end) + 1
        return last < self.lines[0] or first > self.lines[1]

    @property
    def included(self) -> frozenset[Hunk]:
        """The hunks that its proposals hold already, because it goes on from them."""
        return frozenset() if self.steered is None else frozenset(self.steered.accepted())


def key_of(hunk: Hunk) -> Key:
    """What makes a hunk of one document the same hunk, whatever was decided."""
    return hunk.start, hunk.end, hunk.new


def keys_of(proposal: Proposal) -> Keys:
    """The keys of all its hunks."""
    return frozenset(map(key_of, proposal.hunks))


def follow(decided: Proposal, offered: Keys, fresh: Proposal, run: Run) -> Proposal:
    """`fresh`, with what a person made of the hunks before it.

    Hunks that were accepted, or that a person wrote (no model `offered` them), stay in the place of new ones
    that meet them; rejected ones stay where nothing new is proposed.
    """

    included = run.included

    def stays(hunk: Hunk) -> bool:
        own = hunk.state is HunkState.ACCEPTED or key_of(hunk) not in offered
        return (own and hunk not in included) or run.leaves(hunk, decided.document)

    kept = [hunk for hunk in decided.hunks if stays(hunk)]
    new = _apart(carry(decided, fresh).hunks, kept)
    refused = [hunk for hunk in decided.hunks if hunk.state is HunkState.REJECTED]
    left = _apart(_apart(refused, kept), new)
    hunks = sorted((*kept, *new, *left), key=lambda hunk: (hunk.start, hunk.end))
    return Proposal(fresh.document, tuple(hunks))


def followed(history: History, change: Callable[[Proposal], Proposal]) -> History:
    """Past, present and future changed alike; what no longer differs from its neighbour is left out."""
    present = change(history.present)
    past = _distinct(map(change, reversed(history.past)), present)
    return History(present, tuple(reversed(past)), tuple(_distinct(map(change, history.future), present)))


def written(proposal: Proposal, document: Document) -> Proposal:
    """The hunks that were not accepted, over the document that the accepted ones made."""
    left: list[Hunk] = []
    shift = 0
    for hunk in proposal.hunks:
        if hunk.state is HunkState.ACCEPTED:
            shift += len(hunk.new) - len(hunk.old)
        else:
            moved = make_hunk(document, hunk.start + shift, hunk.end + shift, hunk.new, hunk.confidence)
            left.append(replace(moved, state=hunk.state))
    return Proposal(document, tuple(left))


def _apart(hunks: Iterable[Hunk], others: Sequence[Hunk]) -> list[Hunk]:
    """Those of `hunks` that neither overlap nor touch one of `others`, which are in order."""
    starts = [other.start for other in others]

    def is_apart(hunk: Hunk) -> bool:
        before = bisect_right(starts, hunk.end)
        return before == 0 or others[before - 1].end < hunk.start

    return [hunk for hunk in hunks if is_apart(hunk)]


def _distinct(proposals: Iterable[Proposal], last: Proposal) -> list[Proposal]:
    found: list[Proposal] = []
    for proposal in proposals:
        if proposal != last:
            found.append(proposal)
            last = proposal
    return found

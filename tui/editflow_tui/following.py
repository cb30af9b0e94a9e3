"""How decided hunks meet new ones: what a person decided or made stays, what is pending follows the model."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

from editflow.carry import carry, compose, united
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
    before: Keys = frozenset()
    """All that was proposed when it started."""

    def proposal_of(self, step: Step) -> Proposal:
        """What a step proposes over the document under review; of alternatives the best with something new."""
        others = (other for other in step.alternatives if not keys_of(other) <= self.before)
        fresh = next(others, step.proposal) if self.other else step.proposal
        return fresh if self.steered is None else compose(self.steered, fresh)

    def leaves(self, hunk: Hunk, document: Document) -> bool:
        """Whether the hunk is outside the lines that it was asked for."""
        if self.lines is None:
            return False
        first, last = document.line_of(hunk.start) + 1, document.line_of(hunk.end) + 1
        return last < self.lines[0] or first > self.lines[1]

    @property
    def included(self) -> Keys:
        """The accepted hunks that its proposals hold already, because it goes on from them."""
        if self.steered is None:
            return frozenset()
        return frozenset(map(key_of, self.steered.accepted())) | keys_of(united(self.steered))


def key_of(hunk: Hunk) -> Key:
    """What makes a hunk of one document the same hunk, whatever was decided."""
    return hunk.start, hunk.end, hunk.new


def keys_of(proposal: Proposal) -> Keys:
    """The keys of all its hunks."""
    return frozenset(map(key_of, proposal.hunks))


def follow(decided: Proposal, offered: Keys, fresh: Proposal, run: Run) -> Proposal:
    """`fresh`, with what a person made of the hunks before it.

    Hunks that were accepted, or that a person wrote (no model `offered` them), stay in the place of new ones
    that meet them; rejected ones stay where nothing new is proposed. A new hunk that gives way takes with it
    neither its like nor what was accepted before the run.
    """
    included = run.included

    def goes_on(hunk: Hunk) -> bool:
        return hunk.state is HunkState.ACCEPTED and key_of(hunk) in included

    def stays(hunk: Hunk) -> bool:
        own = hunk.state is HunkState.ACCEPTED or key_of(hunk) not in offered
        return (own and not goes_on(hunk)) or run.leaves(hunk, decided.document)

    offers = carry(decided, _agreed(decided, fresh, run)).hunks
    new = _apart(offers, [hunk for hunk in decided.hunks if stays(hunk)])
    taken = frozenset(map(key_of, new))
    gone = [hunk for hunk in offers if key_of(hunk) not in taken]
    again = frozenset(map(key_of, gone))

    def comes_back(hunk: Hunk) -> bool:
        return _is_within(hunk, gone) and (goes_on(hunk) or key_of(hunk) in again)

    own = [hunk for hunk in decided.hunks if stays(hunk) or comes_back(hunk)]
    refused = [hunk for hunk in decided.hunks if hunk.state is HunkState.REJECTED]
    hunks = (*own, *new, *_apart(_apart(refused, own), new))
    return Proposal(fresh.document, tuple(sorted(hunks, key=attrgetter("start", "end"))))


def followed(history: History, offered: Keys, fresh: Proposal, run: Run) -> History:
    """Past, present and future with `fresh`; what no longer differs from its neighbour is left out.

    What was there before the run stays in past and future, so that undo brings it back.
    """
    present = follow(history.present, offered, fresh, run)
    change = partial(follow, offered=offered - run.before, fresh=fresh, run=run)
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


def _agreed(decided: Proposal, fresh: Proposal, run: Run) -> Proposal:
    """`fresh`, where accepted hunks that the run went on from are pending if `decided` has not accepted them."""
    accepted = frozenset(map(key_of, decided.accepted()))
    parts = () if run.steered is None else run.steered.accepted()
    missing = [part for part in parts if key_of(part) not in accepted]

    def agreed(hunk: Hunk) -> Hunk:
        at = bisect_left(missing, hunk.start, key=attrgetter("start"))
        holds_one = at < len(missing) and missing[at].end <= hunk.end
        return replace(hunk, state=HunkState.PENDING) if holds_one else hunk

    return replace(fresh, hunks=tuple(map(agreed, fresh.hunks)))


def _is_within(hunk: Hunk, others: Sequence[Hunk]) -> bool:
    """Whether one of `others`, which are in order, replaces all that the hunk replaces."""
    before = bisect_right(others, hunk.start, key=attrgetter("start"))
    return before > 0 and hunk.end <= others[before - 1].end


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

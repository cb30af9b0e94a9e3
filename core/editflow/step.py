"""What the engine yields after every pass."""

from __future__ import annotations

from dataclasses import dataclass

from editflow.proposal import Proposal


@dataclass(frozen=True, slots=True)
class Step:
    """The whole current proposal against one document version, so any step may be dropped."""

    index: int
    """Passes made so far."""
    total: int
    """Passes at most."""
    proposal: Proposal
    done: bool
    """The last step: its hunks are exactly what is offered."""
    alternatives: tuple[Proposal, ...] = ()
    """With several candidates, on the last step: the distinct ones, best first, the proposal among them."""

"""What a threshold on confidence would offer, from one run in which everything is proposed.

A threshold is chosen by its false alarms on unchanged functions alone, and then read off on the fixes: chosen by the
fixes as well, it would flatter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from editflow.proposal import Proposal


@dataclass(frozen=True, slots=True)
class Offers:
    """At which thresholds a proposal is offered at all, and at which the right text is."""

    most: float
    """The highest confidence of a hunk; -inf where there is none."""
    exact: tuple[float, float] | None
    """The right text is offered at thresholds above the first and up to the second; None: at none."""

    @classmethod
    def of(cls, proposal: Proposal, expected: str) -> Offers:
        """What a proposal's hunks offer, each from its own confidence downward."""
        levels = sorted({hunk.confidence for hunk in proposal.hunks}, reverse=True)
        most = levels[0] if levels else -math.inf
        for level, below in pairwise((*levels, -math.inf)):
            if offered(proposal, level).text == expected:
                return cls(most, (below, level))
        return cls(most, None)

    def proposed_at(self, threshold: float) -> bool:
        """Whether anything is offered."""
        return self.most >= threshold

    def exact_at(self, threshold: float) -> bool:
        """Whether the right text is."""
        return self.exact is not None and self.exact[0] < threshold <= self.exact[1]


def offered(proposal: Proposal, threshold: float) -> Proposal:
    """The hunks that are at least so sure."""
    return replace(proposal, hunks=tuple(h for h in proposal.hunks if h.confidence >= threshold))


def threshold_for(unchanged: Sequence[Offers], share: float) -> float:
    """The lowest threshold at which at most this share of unchanged functions gets a proposal; 0 at least."""
    alarms = sorted((offers.most for offers in unchanged), reverse=True)
    allowed = math.floor(share * len(alarms) + 1e-9)
    return 0.0 if allowed >= len(alarms) else max(0.0, math.nextafter(alarms[allowed], math.inf))

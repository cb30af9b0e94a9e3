"""Whether an adapter is good enough to be used: better on code of the newest commits, not worse where that is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

from editflow_trainer.evaluation.verdict import Verdict
from editflow_trainer.personal.scores import Scores

SIGNIFICANT = 0.05
"""Chance, were nothing gained or lost, of slips gained or lost as there are; below it they count."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Install it or not, and why, in words for the person who asked for it."""

    install: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Changed:
    """How many cases became exact, and how many no longer are."""

    gained: int
    lost: int

    @classmethod
    def of(cls, before: Sequence[Verdict], after: Sequence[Verdict]) -> _Changed:
        pairs = [(was.exact, now.exact) for was, now in zip(before, after, strict=True)]
        return cls(pairs.count((False, True)), pairs.count((True, False)))

    @property
    def surely_more(self) -> bool:
        return self.gained > self.lost and sign_test(self.gained, self.lost) < SIGNIFICANT

    @property
    def surely_fewer(self) -> bool:
        return _Changed(self.lost, self.gained).surely_more

    def __str__(self) -> str:
        return f"{self.gained or 'none'} more exactly, and {self.lost or 'none'} fewer"


def decide(before: Scores, after: Scores, current: Scores | None = None) -> Decision:
    """Compare the base with its adapter, and with the adapter in use, on the same cases.

    The adapter must make more of the held-out edits exactly than the base; or as many, and more of the slips up to
    chance (one-sided sign test on the slips that one of the two alone takes out). It must touch no more of the right
    functions, take out as many slips up to chance, and make no fewer of edits, nor of slips up to chance, than the
    adapter in use.
    """
    edits, slips = _Changed.of(before.edits, after.edits), _Changed.of(before.slips, after.slips)
    touched, still = sum(before.clean), sum(after.clean)
    repairs = (
        f"it repairs {after.repaired.hits} of {len(after.slips)} slips, the default {before.repaired.hits}"
    )
    if edits.gained <= edits.lost and not (edits.gained == edits.lost and slips.surely_more):
        return Decision(False, f"of the held-out edits it makes {edits}, and {repairs}")
    if current is not None and (worse := _worse(after, current)):
        return Decision(False, worse)
    if still > touched:
        return Decision(
            False, f"it touches {still} of {len(after.clean)} right functions, the default {touched}"
        )
    if slips.surely_fewer:
        return Decision(False, repairs)
    if edits.gained > edits.lost:
        return Decision(True, f"of the held-out edits it makes {edits}")
    return Decision(True, repairs)


def _worse(after: Scores, current: Scores) -> str:
    """What the adapter in use does better; empty where nothing."""
    made, used = after.exact.hits, current.exact.hits
    if used > made:
        return f"it makes {made} of the held-out edits exactly, the adapter in use {used}"
    repaired, kept = after.repaired.hits, current.repaired.hits
    if _Changed.of(current.slips, after.slips).surely_fewer:
        return f"it repairs {repaired} of {len(after.slips)} slips, the adapter in use {kept}"
    return ""


def sign_test(wins: int, losses: int) -> float:
    """P(at least `wins` of wins + losses fair coin tosses come up heads)."""
    tosses = wins + losses
    ways = sum(comb(tosses, heads) for heads in range(wins, tosses + 1))
    return ways / float(2**tosses)

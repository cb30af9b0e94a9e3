"""Whether an adapter is good enough to be used: better on the newest commits, and not worse where nothing is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from editflow_trainer.personal.scores import Scores

SIGNIFICANT = 0.05
"""Chance, were nothing lost, of as many slips lost as there are; below it they count as lost."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Install it or not, and why, in words for the person who asked for it."""

    install: bool
    reason: str


def decide(before: Scores, after: Scores, current: Scores | None = None) -> Decision:
    """Compare the base with its adapter, and with the adapter in use, on the same cases.

    The adapter must make more of the held-out edits exactly than the base, and no fewer than the one in use; touch no
    more of the right functions than the base; and take out as many slips, up to chance (one-sided sign test on the
    slips that one of the two alone takes out).
    """
    gained, lost = _changed(before, after)
    touched, still = sum(before.clean), sum(after.clean)
    if gained <= lost:
        return Decision(
            False, f"of the held-out edits it makes {gained or 'none'} more, and {lost or 'none'} fewer"
        )
    if current is not None and current.exact.hits > after.exact.hits:
        used, made = current.exact.hits, after.exact.hits
        return Decision(False, f"it makes {made} of the held-out edits exactly, the adapter in use {used}")
    if still > touched:
        return Decision(
            False, f"it touches {still} of {len(after.clean)} right functions, the default {touched}"
        )
    if _forgets(before, after):
        hits, were = after.repaired.hits, before.repaired.hits
        return Decision(False, f"it repairs {hits} of {len(after.slips)} slips, the default {were}")
    return Decision(True, f"of the held-out edits it makes {gained} more exactly, and {lost or 'none'} fewer")


def _changed(before: Scores, after: Scores) -> tuple[int, int]:
    """Held-out edits that became exact, and that no longer are."""
    pairs = [(was.exact, now.exact) for was, now in zip(before.edits, after.edits, strict=True)]
    return pairs.count((False, True)), pairs.count((True, False))


def _forgets(before: Scores, after: Scores) -> bool:
    pairs = [(was.exact, now.exact) for was, now in zip(before.slips, after.slips, strict=True)]
    gained, lost = pairs.count((False, True)), pairs.count((True, False))
    return lost > gained and sign_test(lost, gained) < SIGNIFICANT


def sign_test(wins: int, losses: int) -> float:
    """P(at least `wins` of wins + losses fair coin tosses come up heads)."""
    tosses = wins + losses
    ways = sum(comb(tosses, heads) for heads in range(wins, tosses + 1))
    return ways / float(2**tosses)

"""How often each kind of bug is drawn: as often as people's fixes of it are seen, with a floor for every kind.

The shares of fixes are those counted in 19,700 mined single-function fixes of 86 repositories; about a third is of
no kind that can be injected. Commits hardly ever hold a text that does not parse or a name that is not bound, but a
person at work asks about little else, so the kinds that a checker sees get a share of their own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from editflow_trainer.data.row import Mask
from editflow_trainer.fix_kinds import FixKind
from editflow_trainer.injection.bug import VISIBLE, BugKind

VISIBLE_SHARE = 0.35
FLOOR = 0.015
"""Least share of a kind."""
FITTED = 20_000
"""Functions that weights are fitted to."""
ROUNDS = 40
TINY = 1e-9

_FIXES: dict[FixKind, tuple[float, tuple[BugKind, ...]]] = {
    FixKind.wrong_literal: (16, (BugKind.wrong_literal,)),
    FixKind.condition: (
        15,
        (
            BugKind.wrong_comparison,
            BugKind.wrong_boolean_operator,
            BugKind.negation,
            BugKind.missing_not,
            BugKind.extra_not,
            BugKind.missing_guard,
        ),
    ),
    FixKind.missing_argument: (8, (BugKind.missing_argument,)),
    FixKind.wrong_attribute_or_call: (8, (BugKind.wrong_attribute, BugKind.missing_self)),
    FixKind.missing_statement: (8, (BugKind.missing_guard, BugKind.missing_return)),
    FixKind.missing_wrapping_call: (5, (BugKind.missing_call,)),
    FixKind.variable_misuse: (4, (BugKind.variable_misuse,)),
    FixKind.missing_none_check: (4, (BugKind.missing_guard,)),
    FixKind.off_by_one: (1, (BugKind.off_by_one,)),
    FixKind.extra_argument: (0.8, (BugKind.extra_argument,)),
    FixKind.wrong_operator: (0.6, (BugKind.wrong_binary_operator, BugKind.wrong_augmented_operator)),
    FixKind.negation: (0.4, (BugKind.missing_not, BugKind.extra_not)),
    FixKind.argument_swap: (0.4, (BugKind.argument_swap,)),
}
"""Percent of fixes of a kind, and the bugs that such a fix takes out, in equal parts."""


def shares() -> dict[BugKind, float]:
    """The share of every kind among drawn bugs; they sum to one."""
    mined = dict.fromkeys((kind for kind in BugKind if kind not in VISIBLE), 0.0)
    for percent, kinds in _FIXES.values():
        for kind in kinds:
            mined[kind] += percent / len(kinds)
    total = sum(mined.values())
    spread = 1 - VISIBLE_SHARE - FLOOR * len(mined)
    visible = VISIBLE_SHARE / len(VISIBLE)
    return {kind: FLOOR + spread * mined[kind] / total if kind in mined else visible for kind in BugKind}


def weights(kinds: Sequence[str], available: Mask) -> list[float]:
    """Weights of a draw among the kinds at hand, so that over all functions the first bug comes out by its share.

    `available` [N, kinds] says which functions have a place for which kind. Iterative proportional fitting: each
    round scales a kind by its share over how often it would be drawn. A kind that is too rare for its share ends
    below it.
    """
    found = available[:FITTED].astype(np.float64)
    found = found[found.any(1)]
    shared = shares()
    wanted = np.array([shared.get(BugKind(kind), 0.0) for kind in kinds])
    wanted /= wanted.sum()
    fitted = wanted.copy()
    for _ in range(ROUNDS if len(found) else 0):
        drawn = (found * fitted / (found @ fitted)[:, None]).mean(0)
        fitted *= np.clip(wanted / np.maximum(drawn, TINY), 0.5, 2.0)
    weights: list[float] = fitted.tolist()
    return weights

"""Settles when an adapted network edits and how sure it says it is, on commits between trained and held-out ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from editflow.checkpoint import Calibration
from editflow.engine import Engine
from editflow.process.edit_flow import Thresholds
from editflow_trainer.calibration.judgement import Judged, judge
from editflow_trainer.calibration.platt import fit
from editflow_trainer.calibration.samples import Sample
from editflow_trainer.calibration.settle import LEAST_SHOWN
from editflow_trainer.evaluation.case import Case, answers
from editflow_trainer.personal.cases import Cases

GRID = (0.35,)
"""Probabilities at which all operations fire that are tried beside the base's thresholds."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """How many right functions may be touched: as many as the base touches."""

    clean: int
    told: int
    """Of those that are asked in vain."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Thresholds with the calibration that goes with them, and what they reach on the cases they were chosen on."""

    thresholds: Thresholds
    calibration: Calibration
    exact: int
    touched: int


def settle(engine: Engine, cases: Cases, allowed: Allowed) -> Settled:
    """The thresholds that make most edits and repairs exact while no more right functions are touched than `allowed`.

    Tries them with a calibration fitted to these cases, and with the base's. Leaves the best in the engine.
    """
    own = engine.calibration
    tried = [
        settled
        for thresholds in _candidates(engine.thresholds)
        for settled in _try(engine, thresholds, own, cases, allowed)
    ]
    best = max(tried, key=lambda one: (one.touched <= allowed.clean, one.exact, -one.touched))
    engine.thresholds, engine.calibration = best.thresholds, best.calibration
    return best


def _candidates(own: Thresholds) -> Iterator[Thresholds]:
    yield own
    yield from (Thresholds(delete=value, substitute=value, insert=value) for value in GRID)


def _try(
    engine: Engine, thresholds: Thresholds, own: Calibration, cases: Cases, allowed: Allowed
) -> Iterator[Settled]:
    """What the thresholds reach with each calibration."""
    engine.thresholds, engine.calibration = thresholds, Calibration(show=0.0)
    edits = list(_judged(engine, cases.edits, clean=False))
    slips = list(_judged(engine, cases.slips, clean=False))
    clean, told = (list(_judged(engine, part, clean=True)) for part in (cases.clean, cases.told))
    # Or the message would tell edits from right code, and what is right without one would not be shown.
    known = [case for case, one in zip(cases.edits, edits, strict=True) if one.proposal.text == case.expected]
    unasked = list(_judged(engine, [_without_message(case) for case in known], clean=False))
    fitted = fit([hunk for one in (*edits, *slips, *clean, *told, *unasked) for hunk in one.hunks])
    for calibration in (replace(fitted, show=LEAST_SHOWN), own):
        limit = max(_surest(clean, calibration, allowed.clean), _surest(told, calibration, allowed.told))
        shown = replace(calibration, show=round(max(calibration.show, min(0.99, limit + 0.005)), 4))
        exact = sum(one.shown(shown) == one.sample.expected for one in (*edits, *slips))
        touched = sum(one.sure(shown) >= shown.show for one in clean)
        yield Settled(thresholds, shown, exact, touched)


def _surest(right: Sequence[Judged], calibration: Calibration, allowed: int) -> float:
    """The confidence above which at most `allowed` right functions are touched."""
    surest = sorted((one.sure(calibration) for one in right), reverse=True)
    return surest[allowed] if len(surest) > allowed else 0.0


def _without_message(case: Case) -> Case:
    return replace(case, request=replace(case.request, instruction=""))


def _judged(engine: Engine, cases: Sequence[Case], *, clean: bool) -> Iterator[Judged]:
    """Verdicts on everything that fires, with raw probabilities."""
    requests = [replace(case.request, threshold=0.0) for case in cases]
    for case, step in zip(cases, answers(engine, requests, "tuning"), strict=True):
        yield judge(step.proposal, Sample(case.request, case.expected, clean))

"""Settles how a checkpoint decodes, and measures what that reaches on samples that had no part in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from editflow.checkpoint import Calibration
from editflow.confidence import operation_of
from editflow.engine import Engine
from editflow.process.edit_flow import Thresholds
from editflow_trainer.calibration.judgement import Judged, is_right
from editflow_trainer.calibration.platt import fit
from editflow_trainer.calibration.reliability import Outcome
from editflow_trainer.calibration.replay import Replay
from editflow_trainer.calibration.samples import Sample, proposals
from editflow_trainer.calibration.thresholds import search
from editflow_trainer.evaluation.statistics import Rate

TOUCHED = 0.002
"""Largest share of clean functions that may be proposed a change: a file has dozens of them."""
LEAST_SHOWN = 0.6
"""Confidence that a hunk needs in any case: rather right than wrong, and real bugs are harder than injected ones."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A calibrated decoding, and what it reaches on the samples that were kept apart."""

    thresholds: Thresholds
    calibration: Calibration
    fitted: int
    """Samples that it was chosen on."""
    exact: Rate
    """Single-bug functions given back exactly."""
    touched: Rate
    """Clean functions with a proposal."""
    outcomes: tuple[Outcome, ...]
    """Every hunk that fires, those that are not shown included."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """Thresholds, the calibration that goes with them, and their score on the samples that chose them."""

    calibration: Calibration
    exact: float
    touched: float

    @property
    def score(self) -> tuple[float, float]:
        return float(self.touched <= TOUCHED), self.exact


def calibrate(engine: Engine, chosen: Sequence[Sample]) -> Settled:
    """Firing thresholds and maps from every other sample, measured on the rest.

    The thresholds repair most bugs exactly within the limit on clean functions. Leaves them, and the maps, in the
    engine.
    """
    fitting, kept = chosen[::2], chosen[1::2]
    replay, tried = Replay(engine, fitting), dict[Thresholds, _Tried]()

    def score(thresholds: Thresholds) -> tuple[float, float]:
        tried[thresholds] = _try(replay.at(thresholds))
        return tried[thresholds].score

    best = search(score, Thresholds())
    engine.thresholds, engine.calibration = best, tried[best].calibration
    exact, touched = _reached(engine, kept)
    return Settled(best, engine.calibration, len(fitting), exact, touched, tuple(outcomes(engine, kept)))


def outcomes(engine: Engine, chosen: Sequence[Sample]) -> Iterator[Outcome]:
    """What the engine says of every hunk that fires, and whether it is right."""
    for proposal, sample in zip(proposals(engine, chosen, 0.0), chosen, strict=True):
        for hunk in proposal.hunks:
            operation = operation_of(hunk.start, hunk.end, hunk.new)
            yield Outcome(operation, hunk.confidence, is_right(proposal, hunk, sample))


def _reached(engine: Engine, chosen: Sequence[Sample]) -> tuple[Rate, Rate]:
    """Buggy samples repaired exactly and clean ones touched, as a user would see it."""
    pairs = list(zip(proposals(engine, chosen, None), chosen, strict=True))
    exact = Rate.of(p.text == s.expected for p, s in pairs if not s.clean)
    return exact, Rate.of(bool(p.hunks) for p, s in pairs if s.clean)


def _try(judged: Sequence[Judged]) -> _Tried:
    """A calibration from raw probabilities, and what would be shown with it."""
    fitted = fit([hunk for case in judged for hunk in case.hunks])
    calibration = replace(fitted, show=_show(fitted, judged))
    exact = Rate.of(j.shown(calibration) == j.sample.expected for j in judged if not j.sample.clean)
    touched = Rate.of(j.sure(calibration) >= calibration.show for j in judged if j.sample.clean)
    return _Tried(calibration, exact.value or 0.0, touched.value or 0.0)


def _show(fitted: Calibration, judged: Sequence[Judged]) -> float:
    """Lowest confidence that leaves all but the allowed share of clean functions untouched."""
    surest = sorted(case.sure(fitted) for case in judged if case.sample.clean)
    allowed = surest[max(0, len(surest) - 1 - int(TOUCHED * len(surest)))]
    return round(max(LEAST_SHOWN, min(0.99, allowed + 0.005)), 4)

"""Calibration on functions that were not trained on: when operations fire, and what a confidence means.

The firing threshold is the one that repairs most bugs exactly while clean functions stay untouched; confidences are
Platt-scaled (logistic regression on the log odds) from hunks whose rightness is known.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
import torch.nn.functional as F

from editflow.checkpoint import Calibration
from editflow.confidence import calibrated, logit, raised
from editflow.diagnostics import Diagnostic, check_python, faults, suggestion
from editflow.engine import Engine
from editflow.process.edit_flow import Thresholds
from editflow.proposal import Hunk, Proposal
from editflow.request import Request
from editflow_trainer.evaluation.case import Settings, make_case
from editflow_trainer.injection import Injector
from editflow_trainer.sources import SourceFunction

FIRING = (0.5, 0.35)
"""Firing thresholds that are tried."""
TOUCHED = 0.006
"""Largest share of clean functions that may be proposed a change."""
LONGEST = 1000
"""Characters of the longest function used."""
BATCH = 32
PRIOR = 0.1
"""Precision of the Gaussian prior on the weights of the calibration."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A request and the text that it should become."""

    request: Request
    expected: str
    clean: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """A calibrated decoding and what it reached on the samples."""

    thresholds: Thresholds
    calibration: Calibration
    exact: float
    """Share of single-bug functions given back exactly."""
    touched: float
    """Share of clean functions with a proposal."""


def samples(functions: Sequence[SourceFunction], count: int, seed: int) -> Iterator[Sample]:
    """`count` clean functions and `count` others with one bug, each in a document of its own."""
    rng, injector = random.Random(seed), Injector()
    chosen = [f for f in functions if len(f.text) <= LONGEST]
    rng.shuffle(chosen)
    for function in chosen[:count]:
        yield _sample(function, function.text)
    made = (
        (f, injector.sample(f.text, rng, count=1, header=f.header, names=f.module_names))
        for f in chosen[count:]
    )
    for function, injected in islice(((f, i) for f, i in made if i), count):
        yield _sample(function, injected.buggy)


def _sample(function: SourceFunction, text: str) -> Sample:
    case = make_case("", function, text, Settings())
    return Sample(replace(case.request, threshold=0.0), case.expected, clean=text == function.text)


def calibrate(engine: Engine, chosen: Sequence[Sample]) -> Settled:
    """Try each firing threshold; returns the one that repairs most within the limit on clean functions."""
    tried = [_settle(engine, chosen, Thresholds(f, f, f)) for f in FIRING]
    return max(tried, key=lambda settled: (settled.touched <= TOUCHED, settled.exact))


def _settle(engine: Engine, chosen: Sequence[Sample], thresholds: Thresholds) -> Settled:
    engine.thresholds, engine.calibration = thresholds, Calibration(show=0.0)
    judged = [_judge(p, s) for p, s in zip(_proposals(engine, chosen), chosen, strict=True)]
    fitted = fit([hunk for case in judged for hunk in case.hunks])
    calibration = replace(fitted, show=_show(fitted, judged))
    exact = [case.shown(calibration) == case.sample.expected for case in judged if not case.sample.clean]
    touched = [case.sure(calibration) >= calibration.show for case in judged if case.sample.clean]
    return Settled(thresholds, calibration, sum(exact) / len(exact), sum(touched) / len(touched))


@dataclass(frozen=True, slots=True)
class JudgedHunk:
    """A hunk's raw probability, the evidence of the checker, and whether it is right."""

    probability: float
    verified: bool
    """A complaint is back without it."""
    suggested: int
    """1 for a name that was suggested, -1 for another one in its place, 0 where nothing was suggested."""
    right: bool

    def confidence(self, calibration: Calibration) -> float:
        """What the engine would say of it."""
        evidence = calibration.verified * self.verified + calibration.suggested * self.suggested
        return calibrated(raised(self.probability, evidence), calibration)


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample, what was proposed for it, and a verdict on each hunk."""

    sample: Sample
    proposal: Proposal
    hunks: tuple[JudgedHunk, ...]

    def shown(self, calibration: Calibration) -> str:
        """The text once the hunks that are not sure enough are left out."""
        pairs = zip(self.proposal.hunks, self.hunks, strict=True)
        kept = tuple(h for h, judged in pairs if judged.confidence(calibration) >= calibration.show)
        return replace(self.proposal, hunks=kept).text

    def sure(self, calibration: Calibration) -> float:
        """The highest confidence of a hunk, 0 without one."""
        return max((hunk.confidence(calibration) for hunk in self.hunks), default=0.0)


def _judge(proposal: Proposal, sample: Sample) -> Judged:
    before, after = check_python(proposal.document.text), check_python(proposal.text)
    hunks = tuple(
        JudgedHunk(
            hunk.confidence,
            _is_needed(proposal, hunk, faults(before), faults(after)),
            _is_suggested(proposal, hunk, before),
            is_right(proposal, hunk, sample),
        )
        for hunk in proposal.hunks
    )
    return Judged(sample, proposal, hunks)


def _is_suggested(proposal: Proposal, hunk: Hunk, before: Sequence[Diagnostic]) -> int:
    """Whether the name that a hunk changes becomes the one suggested for it."""
    text = proposal.document.text
    for diagnostic in before:
        wanted = suggestion(diagnostic)
        if wanted and hunk.start <= diagnostic.end and diagnostic.start <= hunk.end:
            first, last = min(hunk.start, diagnostic.start), max(hunk.end, diagnostic.end)
            new = text[first : hunk.start] + hunk.new + text[hunk.end : last]
            expected = text[first : diagnostic.start] + wanted + text[diagnostic.end : last]
            return 1 if new == expected else -1
    return 0


def _is_needed(proposal: Proposal, hunk: Hunk, complaints: float, left: float) -> bool:
    """Whether the proposal removes complaints and one is back without this hunk."""
    if left >= complaints:
        return False
    without = replace(proposal, hunks=tuple(h for h in proposal.hunks if h is not hunk)).text
    return faults(check_python(without)) > left


def _proposals(engine: Engine, chosen: Sequence[Sample]) -> Iterator[Proposal]:
    for start in range(0, len(chosen), BATCH):
        for step in engine.fix_many([sample.request for sample in chosen[start : start + BATCH]]):
            yield step.proposal


def is_right(proposal: Proposal, hunk: Hunk, sample: Sample) -> bool:
    """A hunk is right when it alone, or with all others, gives the expected text; never in clean text."""
    alone = replace(proposal, hunks=(hunk,)).text
    return not sample.clean and sample.expected in (alone, proposal.text)


def fit(hunks: Sequence[JudgedHunk]) -> Calibration:
    """Logistic regression of rightness on log odds and evidence, with a weak prior against extremes (L-BFGS)."""
    if not hunks:
        return Calibration()
    features = [[logit(h.probability), float(h.verified), float(h.suggested), 1.0] for h in hunks]
    x = torch.tensor(features, dtype=torch.float64)
    y = torch.tensor([float(h.right) for h in hunks], dtype=torch.float64)
    weights = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=500, line_search_fn="strong_wolfe")

    def objective() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(x @ weights, y, reduction="sum")
        loss = loss + PRIOR * (weights**2).sum() / 2
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(objective)  # type: ignore[no-untyped-call]
    slope, verified, suggested, intercept = weights.tolist()
    slope = max(slope, 0.05)
    return Calibration(
        slope=round(slope, 4),
        intercept=round(intercept, 4),
        verified=round(max(0.0, verified) / slope, 4),
        suggested=round(max(0.0, suggested) / slope, 4),
    )


def _show(fitted: Calibration, judged: Sequence[Judged]) -> float:
    """Lowest confidence, not under one half, that leaves all but the allowed share of clean functions untouched."""
    surest = sorted(case.sure(fitted) for case in judged if case.sample.clean)
    allowed = surest[max(0, len(surest) - 1 - int(TOUCHED * len(surest)))]
    return round(max(0.5, min(0.99, allowed + 0.005)), 4)

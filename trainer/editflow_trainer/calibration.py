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

from editflow.checkpoint import Calibration
from editflow.confidence import calibrated, logit
from editflow.document import Document
from editflow.engine import Engine
from editflow.process.edit_flow import Thresholds
from editflow.proposal import Hunk, Proposal
from editflow.request import Request
from editflow_trainer.injection import Injector
from editflow_trainer.preparation import diagnose
from editflow_trainer.sources import SourceFunction

FIRING = (0.5, 0.35, 0.25)
"""Firing thresholds that are tried."""
TOUCHED = 0.006
"""Largest share of clean functions that may be proposed a change."""
LONGEST = 1000
"""Characters of the longest function used."""
BATCH = 32


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
    """`count` functions with one bug and `count` clean ones."""
    rng, injector = random.Random(seed), Injector()
    chosen = [f for f in functions if len(f.text) <= LONGEST and not f.header]
    rng.shuffle(chosen)
    for function in chosen[:count]:
        yield Sample(_request(function, function.text), function.text, clean=True)
    made = (
        (function, injector.sample(function.text, rng, count=1, names=function.module_names))
        for function in chosen[count:]
    )
    for function, injected in islice(((f, i) for f, i in made if i), count):
        yield Sample(_request(function, injected.buggy), function.text, clean=False)


def _request(function: SourceFunction, text: str) -> Request:
    document = Document.from_text(text)
    return Request(document, diagnostics=diagnose(function, text), threshold=0.0)


def calibrate(engine: Engine, chosen: Sequence[Sample]) -> Settled:
    """Try each firing threshold; returns the one that repairs most within the limit on clean functions."""
    tried = [_settle(engine, chosen, Thresholds(f, f, f)) for f in FIRING]
    return max(tried, key=lambda settled: (settled.touched <= TOUCHED, settled.exact))


def _settle(engine: Engine, chosen: Sequence[Sample], thresholds: Thresholds) -> Settled:
    engine.thresholds, engine.calibration = thresholds, Calibration(show=0.0)
    proposals = list(_proposals(engine, chosen))
    fitted = fit(
        [(h.confidence, is_right(p, h, s)) for p, s in zip(proposals, chosen, strict=True) for h in p.hunks]
    )
    calibration = replace(fitted, show=_show(fitted, proposals, chosen))
    exact = [
        _shown_text(p, calibration) == s.expected
        for p, s in zip(proposals, chosen, strict=True)
        if not s.clean
    ]
    touched = [bool(_shown(p, calibration)) for p, s in zip(proposals, chosen, strict=True) if s.clean]
    return Settled(thresholds, calibration, sum(exact) / len(exact), sum(touched) / len(touched))


def _proposals(engine: Engine, chosen: Sequence[Sample]) -> Iterator[Proposal]:
    for start in range(0, len(chosen), BATCH):
        for step in engine.fix_many([sample.request for sample in chosen[start : start + BATCH]]):
            yield step.proposal


def is_right(proposal: Proposal, hunk: Hunk, sample: Sample) -> bool:
    """A hunk is right when it alone, or with all others, gives the expected text; never in clean text."""
    alone = replace(proposal, hunks=(hunk,)).text
    return not sample.clean and sample.expected in (alone, proposal.text)


def fit(judged: Sequence[tuple[float, bool]]) -> Calibration:
    """Platt scaling of (raw probability, right) pairs by Newton's method, with a weak prior against extremes."""
    if not judged:
        return Calibration()
    x = torch.tensor([[logit(p), 1.0] for p, _ in judged], dtype=torch.float64)
    y = torch.tensor([float(right) for _, right in judged], dtype=torch.float64)
    weights, prior = torch.tensor([1.0, 0.0], dtype=torch.float64), 1e-2 * torch.eye(2, dtype=torch.float64)
    for _ in range(50):
        p = torch.sigmoid(x @ weights)
        gradient = x.T @ (p - y) + prior @ weights
        hessian = (x * (p * (1 - p))[:, None]).T @ x + prior
        weights = weights - torch.linalg.solve(hessian, gradient)
    slope, intercept = weights.tolist()
    return Calibration(slope=round(max(slope, 0.05), 4), intercept=round(intercept, 4))


def _show(fitted: Calibration, proposals: Sequence[Proposal], chosen: Sequence[Sample]) -> float:
    """Lowest confidence, not under one half, that leaves all but the allowed share of clean functions untouched."""
    worst = sorted(
        (max((calibrated(h.confidence, fitted) for h in p.hunks), default=0.0))
        for p, s in zip(proposals, chosen, strict=True)
        if s.clean
    )
    allowed = worst[max(0, len(worst) - 1 - int(TOUCHED * len(worst)))]
    return round(max(0.5, min(0.99, allowed + 0.005)), 4)


def _shown(proposal: Proposal, calibration: Calibration) -> tuple[Hunk, ...]:
    return tuple(h for h in proposal.hunks if calibrated(h.confidence, calibration) >= calibration.show)


def _shown_text(proposal: Proposal, calibration: Calibration) -> str:
    return replace(proposal, hunks=_shown(proposal, calibration)).text

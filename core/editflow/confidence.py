"""From the model's own probabilities to confidences that mean what they say."""

from __future__ import annotations

import math

from editflow.checkpoint import Calibration

_EDGE = 1e-6


def logit(probability: float) -> float:
    """Log odds, finite at 0 and 1."""
    p = min(1 - _EDGE, max(_EDGE, probability))
    return math.log(p / (1 - p))


def raised(probability: float, log_odds: float) -> float:
    """A probability with more evidence for it."""
    return 1 / (1 + math.exp(-(logit(probability) + log_odds)))


def calibrated(probability: float, calibration: Calibration) -> float:
    """Chance that an edit of this raw probability is right (Platt scaling: logistic in the log odds), never 0 or 1."""
    score = calibration.slope * logit(probability) + calibration.intercept
    return 1 / (1 + math.exp(-max(logit(0), min(logit(1), score))))

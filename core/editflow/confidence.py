"""From the model's own probabilities to confidences that mean what they say, one map for each kind of operation."""

from __future__ import annotations

import math
from enum import StrEnum

from editflow.checkpoint import Calibration

_EDGE = 1e-6


class Operation(StrEnum):
    """What an edit of a text is, by what it leaves of the old text and adds to it."""

    delete = "delete"
    substitute = "substitute"
    insert = "insert"


def operation_of(start: int, end: int, new: str) -> Operation:
    """The operation that turns the characters `start:end` into `new`."""
    if start == end:
        return Operation.insert
    return Operation.substitute if new else Operation.delete


def logit(probability: float) -> float:
    """Log odds, finite at 0 and 1."""
    p = min(1 - _EDGE, max(_EDGE, probability))
    return math.log(p / (1 - p))


def raised(probability: float, log_odds: float) -> float:
    """A probability with more evidence for it, never 0 or 1."""
    return _probability(logit(probability) + log_odds)


def calibrated(probability: float, calibration: Calibration, operation: Operation) -> float:
    """Chance that an edit of this raw probability is right, never 0 or 1.

    Platt scaling: logistic in the log odds, with the slope and the intercept of its operation.
    """
    slope, intercept = platt_map(calibration, operation)
    return _probability(slope * logit(probability) + intercept)


def platt_map(calibration: Calibration, operation: Operation) -> tuple[float, float]:
    """Slope and intercept of an operation."""
    slope, intercept = {
        Operation.delete: (calibration.delete_slope, calibration.delete_intercept),
        Operation.substitute: (calibration.substitute_slope, calibration.substitute_intercept),
        Operation.insert: (calibration.insert_slope, calibration.insert_intercept),
    }[operation]
    return calibration.slope + slope, calibration.intercept + intercept


def _probability(log_odds: float) -> float:
    """The reverse of `logit`, as far from 0 and 1 as that sees."""
    return 1 / (1 + math.exp(-max(logit(0), min(logit(1), log_odds))))

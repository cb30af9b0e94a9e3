"""Platt scaling with partial pooling: one logistic map a kind of operation, drawn towards the map of all.

A hunk of operation o, raw probability p and evidence v (verified), s (suggested), i (instructed) is right with the log
odds

    (a + a_o) (logit p + c_v v + c_s s + c_i i) + b + b_o,

fitted by maximum a posteriori (Platt 1999; the deviations a_o, b_o have a Gaussian prior, Gelman and Hill 2007, chapter
12), so that an operation of which there are few hunks keeps the shared map.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from editflow.checkpoint import Calibration
from editflow.confidence import Operation, logit
from editflow_trainer.calibration.judgement import JudgedHunk

PRIOR = 0.1
"""Precision of the prior on the shared weights, which keeps them finite where the data separate."""
POOLING = 4.0
"""Precision of the prior on an operation's deviations: half a unit is one standard deviation."""
LEAST_SLOPE = 0.05
OPERATIONS = tuple(Operation)


def fit(hunks: Sequence[JudgedHunk]) -> Calibration:
    """The most probable maps given which hunks are right (L-BFGS, float64); `show` is left at its default."""
    if not hunks:
        return Calibration()
    data = torch.tensor(
        [[logit(h.probability), h.verified, h.suggested, h.instructed] for h in hunks], dtype=torch.float64
    )
    kind = torch.tensor([OPERATIONS.index(h.operation) for h in hunks])
    right = torch.tensor([h.right for h in hunks], dtype=torch.float64)
    shared = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0], dtype=torch.float64, requires_grad=True)
    own = torch.zeros(len(OPERATIONS), 2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [shared, own], max_iter=200, tolerance_change=1e-6, line_search_fn="strong_wolfe"
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(_scores(shared, own[kind], data), right, reduction="sum")
        loss = loss + _penalty(shared, own)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(objective)  # type: ignore[no-untyped-call]
    return _calibration(shared.detach(), own.detach())


def _scores(shared: Tensor, own: Tensor, data: Tensor) -> Tensor:
    """Log odds [N]; shared is a, b, c_v, c_s, c_i, own [N, 2] is a_o, b_o, data [N, 4] is logit p, v, s, i."""
    evidence = data[:, 0] + data[:, 1:] @ shared[2:]
    return (shared[0] + own[:, 0]) * evidence + shared[1] + own[:, 1]


def _penalty(shared: Tensor, own: Tensor) -> Tensor:
    """Negative log prior; of the evidence's weights in the unit of the score, a times c."""
    weights = torch.cat((shared[:2], shared[0] * shared[2:]))
    return PRIOR * (weights**2).sum() / 2 + POOLING * (own**2).sum() / 2


def _calibration(shared: Tensor, own: Tensor) -> Calibration:
    """Slopes are kept above zero, and evidence never counts against what it speaks for."""
    fitted, intercept, *evidence = shared.tolist()
    slope = max(fitted, LEAST_SLOPE)
    # In the unit of the score, which the prior bounds: a slope near zero leaves the weights themselves free.
    verified, suggested, instructed = (max(0.0, fitted * weight) / slope for weight in evidence)
    (delete, delete_at), (substitute, substitute_at), (insert, insert_at) = own.tolist()
    values = {
        "slope": slope,
        "intercept": intercept,
        "delete_slope": max(delete, LEAST_SLOPE - slope),
        "delete_intercept": delete_at,
        "substitute_slope": max(substitute, LEAST_SLOPE - slope),
        "substitute_intercept": substitute_at,
        "insert_slope": max(insert, LEAST_SLOPE - slope),
        "insert_intercept": insert_at,
        "verified": verified,
        "suggested": suggested,
        "instructed": instructed,
    }
    return Calibration(**{name: round(value, 4) for name, value in values.items()})

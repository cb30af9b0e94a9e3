"""Exact simulation of one row's flow, jump by jump: what other samplers are tested against.

In the time tau = -log(1 - kappa(t)) rates are base quantities (d tau = w dt). Jumps are proposed at a constant rate
that bounds their sum, and accepted with its share of the bound (thinning: Lewis and Shedler 1979); where the rates do
not change between jumps and the bound is their sum, that is Gillespie's algorithm (1977).
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log

import torch

from editflow.canvas import Canvas, Edits, apply_edits
from editflow.process.choice import draw, uniform
from editflow.process.jumps import Jumps
from editflow.process.schedule import Polynomial

END = 1e-6  # share of the slots that have not flipped yet when the simulation ends


def gillespie(
    jumps_at: Callable[[Canvas, float], Jumps],
    schedule: Polynomial,
    canvas: Canvas,
    bound: float,
    generator: torch.Generator,
    end: float = END,
) -> Canvas:
    """Simulate a canvas of one row from t = 0 to kappa(t) = 1 - end.

    `bound`: of the sum of all rates over w, at any time; ValueError where it is exceeded.
    """
    tau, last = 0.0, -log(end)
    while True:
        tau -= log(1 - float(uniform((1,), generator, canvas.ids.device))) / bound
        if tau >= last:
            return canvas
        t = float(schedule.inverse(torch.tensor(1 - exp(-tau))))
        jumps = jumps_at(canvas, t)
        chances = _chances(jumps)
        total = float(chances.sum())
        if total > bound * (1 + 1e-6):
            raise ValueError(f"rates sum to {total} w, above the bound {bound}")
        u = float(uniform((1,), generator, canvas.ids.device)) * bound
        if u < total:
            index = int((chances.cumsum(0) <= u).sum())
            canvas = apply_edits(canvas, _jump(jumps, canvas, index, generator), canvas.ids.shape[1] + 1)


def _chances(jumps: Jumps) -> torch.Tensor:
    """[3 L] float64: rates over w of insertions, deletions, substitutions."""
    rates, weight = jumps.rates, float(jumps.log_weight[0])
    return (torch.cat((rates.insert[0], rates.delete[0], rates.substitute[0])).double() - weight).exp()


def _jump(jumps: Jumps, canvas: Canvas, index: int, generator: torch.Generator) -> Edits:
    """The one edit of this index."""
    kind, column = divmod(index, canvas.ids.shape[1])
    one = torch.ones(canvas.ids.shape, device=canvas.ids.device)
    row, place = torch.tensor([0], device=one.device), torch.tensor([column], device=one.device)
    here = torch.zeros_like(canvas.live)
    here[row, place] = True
    nothing = torch.zeros_like(here)
    token = torch.zeros(1, dtype=torch.int64, device=one.device)
    if kind != 1:
        token = draw((jumps.substitutions if kind else jumps.insertions)(row, place), generator)
    substitute = torch.where(here & (kind == 2), token, -1)
    ids = torch.where(here, token, 0)[..., None]
    return Edits(here if kind == 1 else nothing, substitute, (here & (kind == 0)).long(), ids, one, one)

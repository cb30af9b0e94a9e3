"""Exact simulation: on enumerated flows its rows are distributed as the path, with no bias of a step at all."""

from functools import partial

import pytest
import torch

from editflow.canvas import FIRST_TEXT_ID, Canvas
from editflow.process.base import BLANK
from editflow.process.continuous import ContinuousEditFlow, FlowConfig
from editflow.process.gillespie import gillespie
from tests.core.enumeration import ExactHeads, Pairs
from tests.core.simulation import SIGMAS, fit, seeded

A, B, C = range(FIRST_TEXT_ID, FIRST_TEXT_ID + 3)
AMBIGUOUS = [
    [(A, B), (BLANK, C)],
    [(A, C), (BLANK, B)],
    [(A, A), (B, BLANK)],
    [(A, BLANK), (BLANK, A)],
]
INSERTED = [[(BLANK, A), (BLANK, B)], [(BLANK, B), (BLANK, A)], [(BLANK, C), (BLANK, C)], [(BLANK, B)]]
WEIGHT = torch.tensor([3, 2, 2, 3])


def simulated(
    pairs: Pairs, schedule: str, rows: int, bound: float, end: float, seed: int = 0
) -> tuple[ExactHeads, Canvas]:
    """Rows that start from x_0 ~ p_0, at kappa(t) = 1 - end."""
    process = ContinuousEditFlow(FlowConfig(schedule=schedule, shows_origin=0))
    heads = ExactHeads(pairs, process.schedule)
    generator = seeded(seed)
    sources = pairs.sources(rows, generator)
    ends = []
    with torch.inference_mode():
        for b in range(rows):
            row = sources.select(torch.tensor([b])).trimmed()
            after = gillespie(partial(process.jumps, heads), process.schedule, row, bound, generator, end)
            live = after.live[0]
            ends.append((after.ids[0, live].tolist(), after.role[0, live].tolist()))
    return heads, Canvas.from_rows(ends)


@pytest.mark.parametrize(
    ("slots", "schedule", "rows", "bound"),
    [(AMBIGUOUS, "cubic", 250, 2), (INSERTED, "linear", 250, 2), (AMBIGUOUS, "linear", 250, 3)],
    ids=["edits", "insertions", "loose bound"],
)
def test_rows_are_distributed_as_the_path(
    slots: list[list[tuple[int, int]]], schedule: str, rows: int, bound: float
) -> None:
    """And the test would see it if they were somewhere else on the path."""
    heads, canvas = simulated(Pairs.of(slots, WEIGHT), schedule, rows, bound, end=0.3)
    found = fit(heads.enumeration, canvas, 0.7)
    assert found.p_value > 1e-4
    assert found.outside == 0
    assert fit(heads.enumeration, canvas, 0.3).p_value < 1e-4


def test_in_the_end_every_row_is_a_target() -> None:
    heads, canvas = simulated(Pairs.of(AMBIGUOUS, WEIGHT), "cubic", 15, bound=2, end=1e-4)
    assert fit(heads.enumeration, canvas, 1.0).outside == 0


def test_a_slot_is_still_open_with_the_probability_of_the_schedule() -> None:
    rows, end = 300, 0.4
    _, canvas = simulated(Pairs.of([[(A, B)]], torch.tensor([1])), "linear", rows, bound=1, end=end)
    pending = float((canvas.ids[:, 2] == A).double().mean())
    assert abs(pending - end) < SIGMAS * (end * (1 - end) / rows) ** 0.5


def test_a_bound_below_the_rates_is_refused() -> None:
    pairs = Pairs.of([[(A, B), (BLANK, C)]], torch.tensor([1]))
    with pytest.raises(ValueError, match=r"rates sum to 2\.0.* w, above the bound 1\.5"):
        simulated(pairs, "linear", 1, bound=1.5, end=0.01)


def test_the_seed_decides_everything() -> None:
    pairs = Pairs.of(AMBIGUOUS, WEIGHT)
    first, again, other = (simulated(pairs, "linear", 10, 2, 0.5, seed)[1] for seed in (3, 3, 4))
    assert first.ids.equal(again.ids)
    assert not (first.ids.shape == other.ids.shape and first.ids.equal(other.ids))

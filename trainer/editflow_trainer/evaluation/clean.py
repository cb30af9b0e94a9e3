"""The suite `clean`: functions without a bug, of which every proposal is a false alarm."""

from __future__ import annotations

import random
from itertools import islice

from editflow_trainer.evaluation.case import Case, Fits, Fixer, Settings, answers, make_case, read_pool
from editflow_trainer.evaluation.exhibit import Exhibit, Measured
from editflow_trainer.evaluation.report import Row
from editflow_trainer.evaluation.statistics import Rate

FUNCTIONS = 600


def evaluate_clean(engine: Fixer, settings: Settings, fits: Fits) -> Measured:
    """One row: how many functions stay as they are, and how many hunks there are per 1,000 lines."""
    cases = draw_clean(settings, fits)
    steps = answers(engine, [case.request for case in cases], "clean functions")
    hunks = [len(step.proposal.hunks) for step in steps]
    lines = sum(_lines(case) for case in cases)
    rates = {
        "untouched": Rate.clustered((n == 0, case.cluster) for n, case in zip(hunks, cases, strict=True))
    }
    numbers = {"proposals_per_1000_lines": 1000 * sum(hunks) / lines if lines else 0.0}
    exhibits = [untouched(case, count) for case, count in zip(cases, hunks, strict=True)]
    return Measured([Row("group", "all", len(cases), rates, numbers)], exhibits)


def untouched(case: Case, hunks: int) -> Exhibit:
    """A case without a bug, for people."""
    verdict = "false alarm" if hunks else "untouched"
    return Exhibit(case.name, case.request, case.expected, verdict, right=not hunks, proposed=bool(hunks))


def draw_clean(settings: Settings, fits: Fits) -> list[Case]:
    """Functions as they are, drawn by the seed."""
    pool = read_pool(settings)
    drawn = random.Random(f"{settings.seed}:clean").sample(pool, len(pool))
    limit = FUNCTIONS if settings.limit is None else settings.limit
    chosen = islice((function for function in drawn if fits(function.text)), limit)
    return [make_case("clean", function, function.text, settings) for function in chosen]


def _lines(case: Case) -> int:
    first, last = case.request.lines or (1, 0)
    return last - first + 1

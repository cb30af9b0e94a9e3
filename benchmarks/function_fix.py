"""Times the promise that a function of up to 256 tokens is fixed within a second, model load excluded."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

import torch

from benchmarks.samples import files_without_colon
from editflow.engine import Engine
from editflow.step import Step

TOKENS = range(200, 257)
FUNCTIONS = 20


@dataclass(frozen=True, slots=True)
class FunctionFixes:
    """Wall times of `Engine.fix_last` on files with one function that lacks a colon."""

    functions: int
    exact: int
    """Functions that came out as they were before the bug."""
    passes: float
    """Over all rounds, median."""
    p50_ms: float
    p95_ms: float
    max_ms: float
    load_s: float
    """`Engine.load` in a process that has imported torch."""


def measure_functions(model: str, device: str, threads: int) -> FunctionFixes:
    """Load the model, fix one function to warm up, then time each; to be called in a fresh process."""
    torch.set_num_threads(threads)
    start = perf_counter()
    engine = Engine.load(model, device)
    load_s = perf_counter() - start
    cases = files_without_colon(engine.tokenizer, TOKENS, FUNCTIONS)
    engine.fix_last(cases[0].request)
    steps: list[Step] = []
    times: list[float] = []
    for case in cases:
        start = perf_counter()
        steps.append(engine.fix_last(case.request))
        times.append((perf_counter() - start) * 1000)
    exact = sum(step.proposal.text == case.expected for step, case in zip(steps, cases, strict=True))
    return FunctionFixes(
        functions=len(cases),
        exact=exact,
        passes=median(step.index for step in steps),
        p50_ms=round(median(times), 1),
        p95_ms=round(quantiles(times, n=20, method="inclusive")[-1], 1),
        max_ms=round(max(times), 1),
        load_s=round(load_s, 2),
    )

"""What is calibrated on: requests with the text that each should become, and what an engine proposes for them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from editflow.proposal import Proposal
from editflow.request import Request
from editflow_trainer.evaluation.case import Fixer, Settings, make_case
from editflow_trainer.injection import Injector
from editflow_trainer.sources import SourceFunction

LONGEST = 1000
"""Characters of the longest function used."""
BATCH = 32


@dataclass(frozen=True, slots=True)
class Sample:
    """A request and the text that it should become."""

    request: Request
    expected: str
    clean: bool


def samples(functions: Sequence[SourceFunction], count: int, seed: int) -> Iterator[Sample]:
    """`count` clean functions, then `count` others with one bug, each in a document of its own."""
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


def proposals(engine: Fixer, chosen: Sequence[Sample], threshold: float | None) -> Iterator[Proposal]:
    """What the engine proposes for each sample; `threshold` 0 keeps what it is unsure of, None is its own."""
    requests = [replace(sample.request, threshold=threshold) for sample in chosen]
    for start in range(0, len(requests), BATCH):
        for step in engine.fix_many(requests[start : start + BATCH]):
            yield step.proposal


def _sample(function: SourceFunction, text: str) -> Sample:
    case = make_case("", function, text, Settings())
    return Sample(case.request, case.expected, clean=text == function.text)

"""Runs samplers on canvases as they are, without engine, ranking or threshold on hunks, and scores what comes out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from math import sqrt
from statistics import fmean, stdev
from time import perf_counter
from typing import Any

import numpy as np
import torch

from benchmarks.sampler_cases import BATCH, Pair, canvases
from editflow.backbone import Backbone
from editflow.canvas import Canvas
from editflow.checkpoint import Checkpoint
from editflow.device import computes_bfloat16
from editflow.process.base import Heads
from editflow.process.choice import Sharpening
from editflow.process.continuous import LATEST, ContinuousEditFlow, FlowConfig, Sampling
from editflow.process.edit_flow import EditFlow, Thresholds
from editflow.process.grid import Corrector
from editflow.process.guidance import Guidance
from editflow.reuse import Reuse
from editflow.sampler import Sampler
from editflow.tokens import CodeTokenizer
from editflow_trainer.evaluation.statistics import Rate

TIMES = np.linspace(0, LATEST, 9)
"""Where base quantities of the source are asked for; a network without time answers once."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to sample; without `sampling` it is the few-pass decoder."""

    name: str
    sampling: Sampling | None = None


PLAIN = [Variant("few passes"), Variant("euler", Sampling())]
GUIDED = Variant("euler, guided", Sampling(guidance=Guidance(rates=1.0, tokens=1.0)))
UNTIMED_VARIANTS = [
    *PLAIN,
    Variant("euler, temperature 0", Sampling(sharpening=Sharpening(temperature=0.0))),
    GUIDED,
    Variant("euler, tokens guided", Sampling(guidance=Guidance(tokens=1.0))),
]
PUBLISHED_VARIANTS = [
    PLAIN[1],
    Variant("euler, corrector", Sampling(corrector=Corrector(scale=1.0, rise=0.25, fall=0.25))),
    GUIDED,
]
LOCALIZED_VARIANTS = [Variant("euler, localized", Sampling())]


@dataclass(frozen=True, slots=True)
class Model:
    """A checkpoint in memory and how its network is read."""

    name: str
    backbone: Backbone
    tokenizer: CodeTokenizer
    thresholds: Thresholds
    flow: FlowConfig

    @classmethod
    def load(cls, name: str, device: torch.device) -> Model:
        """Open a checkpoint by name or folder; EditFlowError says what is wrong with it."""
        checkpoint = Checkpoint.open(name)
        backbone = checkpoint.backbone().to(device)
        return cls(
            checkpoint.name, backbone, checkpoint.tokenizer(), checkpoint.thresholds(), checkpoint.flow()
        )

    def heads(self) -> Heads:
        """The network, which without time looks at no row twice."""
        return self.backbone if self.backbone.time is not None else Reuse(self.backbone)

    def process(self, variant: Variant, steps: int, seed: int) -> EditFlow | ContinuousEditFlow:
        """The variant's process on this network."""
        if variant.sampling is None:
            return EditFlow(self.thresholds)
        generator = torch.Generator().manual_seed(seed)
        return ContinuousEditFlow(self.flow, replace(variant.sampling, steps=steps), generator=generator)


@dataclass(frozen=True, slots=True)
class Result:
    """One way to sample with one number of steps, on buggy and on clean functions."""

    model: str
    sampler: str
    steps: int
    passes: int
    """Most that a row takes part in: more than steps with a corrector, or where the last steps get shorter."""
    exact: Rate
    """Buggy functions whose window came out as it was before the bug, byte for byte."""
    distance: float
    """Token edits from the buggy functions' result to the target, mean."""
    untouched: Rate
    """Clean functions whose tokens came out as they went in."""
    spurious: float
    """Token edits from the source to the result of a clean function, mean."""
    spurious_error: float
    """The standard error of that mean."""
    predicted: float | None
    """`spurious` to first order: rates at the clean source times the steps; None where edits are also taken back."""
    evaluations: float
    """Rows that the network ran on, a function."""
    seconds: float
    """A function."""

    def as_json(self) -> dict[str, Any]:
        """Plain values; rates also have their interval."""
        rates = {
            name: {**asdict(rate), "value": rate.value, "interval": rate.interval}
            for name, rate in (("exact", self.exact), ("untouched", self.untouched))
        }
        return asdict(self) | rates

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Result:
        """The inverse of `as_json`."""
        rates = {name: Rate(values[name]["hits"], values[name]["cases"]) for name in ("exact", "untouched")}
        return cls(**{**values, **rates})


def measure(
    model: Model,
    variant: Variant,
    steps: Sequence[int],
    buggy: Sequence[Pair],
    clean: Sequence[Pair],
    seed: int = 0,
) -> Iterator[Result]:
    """Results by the number of steps; of clean pairs there are at least two."""
    base = _base_edits(model, variant, clean)
    for count in steps:
        start = perf_counter()
        with _evaluations(model.backbone) as rows:
            fixed, kept = (_run(model, variant, count, pairs, seed) for pairs in (buggy, clean))
        seconds = perf_counter() - start
        process = model.process(variant, count, seed)
        edits = [pair.spurious(ids) for pair, ids in zip(clean, kept, strict=True)]
        yield Result(
            model=model.name,
            sampler=variant.name,
            steps=count,
            passes=_passes(process, count),
            exact=Rate.of(
                _bytes(ids, model.tokenizer) == pair.target for pair, ids in zip(buggy, fixed, strict=True)
            ),
            distance=round(fmean(pair.distance(ids) for pair, ids in zip(buggy, fixed, strict=True)), 3),
            untouched=Rate.of(count == 0 for count in edits),
            spurious=round(fmean(edits), 3),
            spurious_error=round(stdev(edits) / sqrt(len(edits)), 3),
            predicted=_expected_edits(process, base),
            evaluations=round(sum(rows) / (len(buggy) + len(clean)), 1),
            seconds=round(seconds / (len(buggy) + len(clean)), 3),
        )


def _run(model: Model, variant: Variant, steps: int, pairs: Sequence[Pair], seed: int) -> list[list[int]]:
    """The editable ids that sampling ends with, one list a pair; noise is drawn anew for every canvas."""
    results: list[list[int]] = []
    device = model.backbone.embedding.weight.device
    for number, canvas in enumerate(canvases(pairs, device)):
        process = model.process(variant, steps, seed + number)
        with _precision(device):
            rows = Sampler(process, model.heads(), _passes(process, steps)).run(canvas).rows
        together = pairs[number * BATCH : (number + 1) * BATCH]
        results += [pair.tokens_of(row) for pair, row in zip(together, rows, strict=True)]
    return results


def _base_edits(model: Model, variant: Variant, pairs: Sequence[Pair]) -> list[float] | None:
    """At each of TIMES, the edits that the network believes to be pending in a source, mean over pairs."""
    process = model.process(variant, 1, 0)
    if not isinstance(process, ContinuousEditFlow) or process.sampling.corrector is not None:
        return None
    sums = [0.0] * len(TIMES)
    device = model.backbone.embedding.weight.device
    for canvas in canvases(pairs, device):
        heads = model.heads()
        with torch.inference_mode(), _precision(device):
            sums = [
                total + _pending(process, heads, canvas, time)
                for total, time in zip(sums, TIMES.tolist(), strict=True)
            ]
    return [total / len(pairs) for total in sums]


def _pending(process: ContinuousEditFlow, heads: Heads, canvas: Canvas, time: float) -> float:
    """The sum of all rates over w(t)."""
    jumps = process.jumps(heads, canvas, time)
    return float((jumps.rates.exit_rate() / jumps.log_weight.exp()).sum())


def _expected_edits(process: EditFlow | ContinuousEditFlow, base: Sequence[float] | None) -> float | None:
    """Sum over steps of h w(t) times the pending edits: for linear kappa and constant ones, a harmonic number."""
    if base is None or not isinstance(process, ContinuousEditFlow):
        return None
    times = [move.time for move in process.moves]
    weights = process.schedule.weight(torch.tensor(times, dtype=torch.float64)).numpy()
    lengths = np.array([move.length for move in process.moves])
    return round(float((lengths * weights * np.interp(times, TIMES, base)).sum()), 3)


def _passes(process: EditFlow | ContinuousEditFlow, steps: int) -> int:
    return process.passes if isinstance(process, ContinuousEditFlow) else steps


@contextlib.contextmanager
def _evaluations(backbone: Backbone) -> Iterator[list[int]]:
    """The rows of every call of the network, as they are made."""
    rows: list[int] = []
    handle = backbone.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    try:
        yield rows
    finally:
        handle.remove()


def _bytes(ids: Sequence[int], tokenizer: CodeTokenizer) -> bytes:
    return b"".join(map(tokenizer.token_bytes, ids))


def _precision(device: torch.device) -> AbstractContextManager[object]:
    """As the engine computes: bfloat16 where the processor does."""
    if device.type == "cpu" and not computes_bfloat16():
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16)

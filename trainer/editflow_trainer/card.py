"""The model card that is written beside the weights: network, data, training, and the numbers of this very run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Self

from editflow.backbone import Backbone, BackboneConfig
from editflow.process.continuous import FlowConfig
from editflow.quantization import WeightsFormat
from editflow.window import EDITABLE_TOKENS
from editflow_trainer.calibration import Settled
from editflow_trainer.calibration.diagram import diagrams, table
from editflow_trainer.calibration.reliability import by_operation
from editflow_trainer.data.header import Header
from editflow_trainer.evaluation.statistics import Rate

NAMED_SOURCES = 8
"""Packages and repositories that are named; of the others their number is given."""
CURVE = 32  # characters
_BARS = "▁▂▃▄▅▆▇█"
_FORMATS = {
    WeightsFormat.bf16: "bfloat16",
    WeightsFormat.int8: "int8, a float32 scale for every row of a matrix; norms and biases bfloat16",
}

TEMPLATE = """# EditFlow checkpoint `{name}`

An Edit Flow model (insert, delete, substitute; arXiv 2506.09018) that repairs Python in a few deterministic passes.

| | |
|---|---|
| network | bidirectional transformer, {layers} layers, width {width}, {heads} heads, SwiGLU {hidden} |
| parameters | {millions:.1f}M |
| weights | {weights}; {megabytes:.1f} MB |
| heads | keep/delete/substitute per token, zero-inflated count per gap, token heads with a copy mechanism |
| tokenizer | byte-level BPE, {vocab} tokens |
| training | {steps} steps of at most {tokens} tokens, {minutes:.0f} minutes; {method} |
| loss | `{curve}` |
| licence | MIT, as the rest of EditFlow |

## Data

{data}

Functions that occur in the evaluation data, and packages and repositories kept for validation, are left out.

## Calibration

Firing thresholds: delete {thresholds.delete}, substitute {thresholds.substitute}, insert {thresholds.insert}. Hunks
of a confidence below {show} are not shown. These, and for each operation a logistic map from the model's probability to
a confidence, were chosen on {fitted} functions that were not trained on, half of them clean, the others with one
injected bug. On {kept} further functions, which had no part in it, {exact} of those with a bug came back exactly, and
{touched} of the clean ones were touched.

## Reliability

How often an edit is right, by the confidence that it is given, on those {kept} functions. Edits that fire but are too
unsure to be shown are counted too. ECE is the expected calibration error, over bins of equal mass.

{reliability}

## Limits

Measured on injected bugs, with the complaints of a Python checker: real bugs are harder, and there a confidence
promises too much. It sees at most {window} tokens of editable text at a time, so it repairs slips that can be seen
there far better than wrong logic. Numbers to compare with other models are those of `editflow eval`.

Reproduce: `{command}`.
"""


FLOW_TEMPLATE = """# EditFlow: an Edit Flow in continuous time

{millions:.1f}M parameters, {steps} steps of at most {tokens} tokens in {minutes:.0f} minutes. {flow}. Not calibrated:
confidences are the raw probabilities of the sampled edits.
"""


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What a run's log and configuration say of it."""

    steps: int
    tokens: int
    """Of one step, at most."""
    minutes: float
    method: str
    """Optimiser, precision, averaging, and the weights that the run started from, if any."""
    losses: Sequence[float]
    """In the order of the steps, at even distances."""

    @classmethod
    def of(cls, log: Sequence[Mapping[str, float]], tokens: int, method: str) -> Self:
        """From the lines of a run's log.jsonl, of which there is at least one."""
        last, losses = log[-1], [line["loss"] for line in log]
        return cls(int(last["step"]), tokens, last["elapsed"] / 60, method, losses)


@dataclass(frozen=True, slots=True)
class DataFacts:
    """What the shards say of their examples."""

    streams: Mapping[str, int]
    """Examples of each stream."""
    sources: Mapping[str, int]
    """Examples of each package or repository."""

    @classmethod
    def of(cls, shards: Iterable[Header]) -> Self:
        """From the headers of the shards of a run."""
        streams, sources = Counter[str](), Counter[str]()
        for header in shards:
            streams.update(header.streams)
            sources.update(header.sources)
        return cls(dict(streams), dict(sources))


@dataclass(frozen=True, slots=True)
class CardFacts:
    """All that a card tells."""

    name: str
    backbone: BackboneConfig
    weights: WeightsFormat
    size: int
    """Bytes of the weights' file."""
    training: TrainingFacts
    data: DataFacts
    settled: Settled
    command: str
    """What makes the checkpoint again."""


def model_card(facts: CardFacts) -> str:
    """The card of a network that decodes in a few passes, as Markdown."""
    shape, training, settled = facts.backbone, facts.training, facts.settled
    return TEMPLATE.format(
        name=facts.name,
        layers=shape.layers,
        width=shape.width,
        heads=shape.heads,
        hidden=shape.hidden,
        millions=_millions(shape),
        weights=_FORMATS[facts.weights],
        megabytes=facts.size / 1e6,
        vocab=shape.vocab_size,
        steps=training.steps,
        tokens=training.tokens,
        minutes=training.minutes,
        method=training.method,
        curve=curve(training.losses),
        data=_data(facts.data),
        thresholds=settled.thresholds,
        show=settled.calibration.show,
        fitted=settled.fitted,
        kept=settled.exact.cases + settled.touched.cases,
        exact=_share(settled.exact),
        touched=_share(settled.touched),
        reliability=_reliability(settled),
        window=EDITABLE_TOKENS,
        command=facts.command,
    )


def flow_card(backbone: BackboneConfig, flow: FlowConfig, training: TrainingFacts) -> str:
    """The card of a network that is sampled, not decoded."""
    return FLOW_TEMPLATE.format(
        millions=_millions(backbone),
        steps=training.steps,
        tokens=training.tokens,
        minutes=training.minutes,
        flow=flow,
    )


def curve(values: Sequence[float]) -> str:
    """A line of at most CURVE bars from the first value to the last, each the mean of its part, with both ends."""
    if not values:
        return "not logged"
    count = min(CURVE, len(values))
    cuts = [len(values) * i // count for i in range(count + 1)]
    means = [fmean(values[a:b]) for a, b in pairwise(cuts)]
    low, span = min(means), max(means) - min(means) or 1.0
    bars = "".join(_BARS[round((mean - low) / span * (len(_BARS) - 1))] for mean in means)
    return f"{values[0]:.3f} {bars} {values[-1]:.3f}"


def _millions(shape: BackboneConfig) -> float:
    return sum(p.numel() for p in Backbone(shape).parameters()) / 1e6


def _data(data: DataFacts) -> str:
    total = sum(data.streams.values())
    streams = ", ".join(f"{name} {count:,}" for name, count in _largest(data.streams))
    named = _largest(data.sources)[:NAMED_SOURCES]
    rest = len(data.sources) - len(named)
    others = f", and {rest} more" if rest else ""
    sources = ", ".join(f"{name} {count:,}" for name, count in named)
    return f"{total:,} examples: {streams}. From {len(data.sources)} packages and repositories: {sources}{others}."


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _share(rate: Rate) -> str:
    low, high = rate.interval
    return f"{100 * (rate.value or 0):.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _reliability(settled: Settled) -> str:
    groups = by_operation(settled.outcomes)
    return f"{table(groups)}\n\n```\n{diagrams(groups)}\n```" if groups else "No edit fired."

"""The model card that is written beside the weights: data, recipe, and the numbers of this very run."""

from __future__ import annotations

from editflow.backbone import Backbone
from editflow_trainer.calibration import Settled
from editflow_trainer.config import TrainConfig

TEMPLATE = """# EditFlow default checkpoint

An Edit Flow model (insert, delete, substitute; arXiv 2506.09018) that repairs Python in a few deterministic passes.

| | |
|---|---|
| network | bidirectional transformer, {layers} layers, width {width}, {heads} heads, SwiGLU {hidden} |
| parameters | {millions:.1f}M |
| heads | keep/delete/substitute per token, zero-inflated count per gap, token heads with a copy mechanism |
| tokenizer | byte-level BPE, {vocab} tokens, trained on the same corpus |
| training | {steps} steps of at most {batch} tokens, {minutes:.0f} minutes; Muon and AdamW, bfloat16, EMA |
| licence | MIT, as the rest of EditFlow |

## Data

Functions of the Python standard library and of the packages pinned in `editflow_trainer/corpus_packages.txt`, which
are downloaded as wheels and only parsed. Vendored copies, functions that occur in the evaluation data, and packages
of the validation and reserved repositories are left out. Bugs are injected by `editflow_trainer.injection` (29 typed
kinds, 20 % clean pairs, one or several bugs a row); placeholders to refill, random tokens and deleted spans make the
supervision dense. No commit history was used.

## Calibration

On {cases} functions that were not trained on, half of them clean: firing thresholds {thresholds}; confidence is
Platt-scaled (slope {slope}, intercept {intercept}) and hunks below {show} are not shown. There, {exact:.1f} % of the
single-bug functions came back exactly and {touched:.2f} % of the clean ones were touched. These functions chose the
thresholds, so the numbers to quote are those of `editflow eval`, in the project's README.

## Limits

A small model: it repairs slips that can be seen in one function (punctuation, brackets, misspelt or undefined names,
broken keywords) far better than wrong logic, and only Python. It sees at most 320 tokens of editable text at a time.
Diagnostics help it a great deal; without them it proposes little.

Reproduce: `make default-model`.
"""


FLOW_TEMPLATE = """# EditFlow: an Edit Flow in continuous time

{millions:.1f}M parameters, {steps} steps of at most {batch} tokens in {minutes:.0f} minutes. {flow}. Not calibrated:
confidences are the raw probabilities of the sampled edits.
"""


def flow_card(config: TrainConfig, last: dict[str, float]) -> str:
    """The card of a network that is sampled, not decoded; `last` is the last line of the training log."""
    return FLOW_TEMPLATE.format(
        millions=sum(p.numel() for p in Backbone(config.backbone).parameters()) / 1e6,
        steps=last["step"],
        batch=config.batch_tokens,
        minutes=last["elapsed"] / 60,
        flow=config.flow,
    )


def model_card(config: TrainConfig, settled: Settled, last: dict[str, float], cases: int) -> str:
    """The card as Markdown; `last` is the last line of the training log."""
    shape = config.backbone
    return TEMPLATE.format(
        layers=shape.layers,
        width=shape.width,
        heads=shape.heads,
        hidden=shape.hidden,
        millions=sum(p.numel() for p in Backbone(shape).parameters()) / 1e6,
        vocab=shape.vocab_size,
        steps=last["step"],
        batch=config.batch_tokens,
        minutes=last["elapsed"] / 60,
        cases=cases,
        thresholds=settled.thresholds.substitute,
        slope=settled.calibration.slope,
        intercept=settled.calibration.intercept,
        show=settled.calibration.show,
        exact=100 * settled.exact,
        touched=100 * settled.touched,
    )

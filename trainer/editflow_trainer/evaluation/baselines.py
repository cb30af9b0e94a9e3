"""What a flow is measured against, under the same harness: no change, a tagger of one pass, and causal models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from editflow.device import choose_device
from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.step import Step
from editflow_trainer.causal.fixer import CausalFixer
from editflow_trainer.causal.formats import FormatName
from editflow_trainer.causal.model import CausalCheckpoint
from editflow_trainer.evaluation.case import Subject


class Copy(Engine):
    """Leaves every document as it is."""

    def fix(self, request: Request) -> Iterator[Step]:
        """The empty proposal."""
        yield from self.fix_many([request])

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        """An empty proposal for each request."""
        return [Step(0, 0, Proposal(request.document, ()), done=True) for request in requests]


class OnePass(Engine):
    """The model as a tagger: one pass over each window, then nothing more.

    It keeps the thresholds and the refusal of hunks that break what parsed. What takes further passes, rounds or
    branches is left out: runs of missing tokens, repairs of what a repair uncovers, the checker as referee.
    """

    def fix(self, request: Request) -> Iterator[Step]:
        """The only pass."""
        return super().fix(_once(request))

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        """The step after the only pass."""
        return super().fix_many([_once(request) for request in requests])


def _once(request: Request) -> Request:
    return replace(request, steps=1, rounds=1, branches=False)


NOTES: Mapping[str, str] = {
    "copy": "baseline copy: nothing is changed",
    "one-pass": "baseline one-pass: one pass of the model, no further rounds, no branches that the checker judges",
    "rewrite": "baseline rewrite: a causal model writes each window anew, greedily; its confidence is the "
    "probability of the whole answer",
    "diff": "baseline diff: a causal model writes the changed lines by number, greedily; its confidence is the "
    "probability of the whole answer; an answer of which one hunk does not fit where it says is refused",
}
_ENGINES: Mapping[str, type[Engine]] = {"copy": Copy, "one-pass": OnePass}


def load(baseline: str, model: str, baseline_model: Path | None, device: str = "auto") -> Subject:
    """A baseline by name: copy and one-pass with the checkpoint `model`, rewrite and diff with a causal model's folder.

    Raises:
        EditFlowError: the folder is missing, was not asked for, or does not hold such a model.
    """
    if baseline in _ENGINES:
        if baseline_model is not None:
            raise EditFlowError(f"baseline {baseline} has no model of its own: leave out --baseline-model")
        return _ENGINES[baseline].load(model, device)
    if baseline_model is None:
        raise EditFlowError(f"baseline {baseline} needs --baseline-model DIR, the folder of a causal model")
    return CausalFixer(CausalCheckpoint(baseline_model), FormatName(baseline), choose_device(device))

"""What a flow is measured against, under the same harness: no change at all, and a tagger of one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from editflow.engine import Engine
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.step import Step


class Copy(Engine):
    """Leaves every document as it is."""

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        """An empty proposal for each request."""
        return [Step(0, 0, Proposal(request.document, ()), done=True) for request in requests]


class OnePass(Engine):
    """The model as a tagger: one pass over each window, then nothing more.

    It keeps the thresholds and the refusal of hunks that break what parsed. What takes further passes, rounds or
    branches is left out: runs of missing tokens, repairs of what a repair uncovers, the checker as referee.
    """

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        """The step after the only pass."""
        return super().fix_many([replace(r, steps=1, rounds=1, branches=False) for r in requests])


BASELINES: Mapping[str, type[Engine]] = {"copy": Copy, "one-pass": OnePass}
NOTES: Mapping[str, str] = {
    "copy": "baseline copy: nothing is changed",
    "one-pass": "baseline one-pass: one pass of the model, no further rounds, no branches that the checker judges",
}

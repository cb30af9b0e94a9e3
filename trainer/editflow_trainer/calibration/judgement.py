"""Verdicts on hunks: what the engine knew of each when it was proposed, and whether it is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from editflow.checkpoint import Calibration
from editflow.confidence import Operation, calibrated, operation_of, raised
from editflow.diagnostic import Diagnostic, suggestion
from editflow.diagnostics import check_python, faults
from editflow.proposal import Hunk, Proposal
from editflow_trainer.calibration.samples import Sample


@dataclass(frozen=True, slots=True)
class JudgedHunk:
    """A hunk's raw probability, its operation, the evidence of the checker, and whether it is right."""

    probability: float
    operation: Operation
    verified: bool
    """A complaint is back without it."""
    suggested: int
    """1 for a name that was suggested, -1 for another one in its place, 0 where nothing was suggested."""
    right: bool
    instructed: bool = False
    """The request said in words what to change."""

    def confidence(self, calibration: Calibration) -> float:
        """What the engine would say of it."""
        evidence = calibration.verified * self.verified + calibration.suggested * self.suggested
        evidence += calibration.instructed * self.instructed
        return calibrated(raised(self.probability, evidence), calibration, self.operation)


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample, what was proposed for it, and a verdict on each hunk."""

    sample: Sample
    proposal: Proposal
    hunks: tuple[JudgedHunk, ...]

    def shown(self, calibration: Calibration) -> str:
        """The text once the hunks that are not sure enough are left out."""
        pairs = zip(self.proposal.hunks, self.hunks, strict=True)
        kept = tuple(h for h, judged in pairs if judged.confidence(calibration) >= calibration.show)
        return replace(self.proposal, hunks=kept).text

    def sure(self, calibration: Calibration) -> float:
        """The highest confidence of a hunk, 0 without one."""
        return max((hunk.confidence(calibration) for hunk in self.hunks), default=0.0)


def judge(proposal: Proposal, sample: Sample) -> Judged:
    """Verdicts on the hunks of a proposal whose confidences are raw probabilities."""
    before, after = check_python(proposal.document.text), check_python(proposal.text)
    hunks = tuple(
        JudgedHunk(
            hunk.confidence,
            operation_of(hunk.start, hunk.end, hunk.new),
            _is_needed(proposal, hunk, faults(before), faults(after)),
            _is_suggested(proposal, hunk, before),
            is_right(proposal, hunk, sample),
            bool(sample.request.instruction),
        )
        for hunk in proposal.hunks
    )
    return Judged(sample, proposal, hunks)


def is_right(proposal: Proposal, hunk: Hunk, sample: Sample) -> bool:
    """A hunk is right when it alone, or with all others, gives the expected text; never in clean text."""
    alone = replace(proposal, hunks=(hunk,)).text
    return not sample.clean and sample.expected in (alone, proposal.text)


def _is_suggested(proposal: Proposal, hunk: Hunk, before: Sequence[Diagnostic]) -> int:
    """Whether the name that a hunk changes becomes the one suggested for it."""
    text = proposal.document.text
    for diagnostic in before:
        wanted = suggestion(diagnostic.message)
        if wanted and hunk.start <= diagnostic.end and diagnostic.start <= hunk.end:
            first, last = min(hunk.start, diagnostic.start), max(hunk.end, diagnostic.end)
            new = text[first : hunk.start] + hunk.new + text[hunk.end : last]
            expected = text[first : diagnostic.start] + wanted + text[diagnostic.end : last]
            return 1 if new == expected else -1
    return 0


def _is_needed(proposal: Proposal, hunk: Hunk, complaints: float, left: float) -> bool:
    """Whether the proposal removes complaints and one is back without this hunk."""
    if left >= complaints:
        return False
    without = replace(proposal, hunks=tuple(h for h in proposal.hunks if h is not hunk)).text
    return faults(check_python(without)) > left

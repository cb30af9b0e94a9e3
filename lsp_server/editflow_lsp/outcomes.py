"""What became of previewed hunks: remembered until the editor tells, and recorded if the person has asked for that."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

from editflow.outcomes import HunkOutcome, Outcome, record
from editflow_lsp.jobs import Job
from editflow_lsp.messages import FixResult, JobStatus, OutcomeParams

REMEMBERED = 16
"""Jobs whose outcome may still come."""


class Outcomes:
    """Remembers proposals, with the client's names of their hunks."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._proposed: OrderedDict[str, tuple[Outcome, tuple[str, ...]]] = OrderedDict()

    def propose(self, job: Job, result: FixResult, path: Path | None) -> None:
        """Remember what was proposed for a file, if anything was."""
        if job.latest is None or result.status is not JobStatus.done:
            return
        start, end = job.origin, job.origin + job.window[1] - job.window[0]
        text = job.latest.proposal.document.text[start:end]
        hunks = tuple(
            HunkOutcome(first - start, last - start, new, sure)
            for first, last, new, sure in job.original_edits()
        )
        where = None if path is None else str(path)
        outcome = Outcome(where, job.model, job.params.instruction, text, hunks)
        self._proposed[job.id] = outcome, tuple(hunk.id for hunk in result.hunks)
        while len(self._proposed) > REMEMBERED:
            self._proposed.popitem(last=False)

    def settle(self, said: OutcomeParams, *, keep: bool) -> None:
        """Take what became of a proposal; unknown jobs are ignored. OSError where it cannot be written."""
        if said.job_id not in self._proposed:
            return
        proposed, ids = self._proposed.pop(said.job_id)
        if not keep:
            return
        decided = dict.fromkeys(said.rejected, False) | dict.fromkeys(said.accepted, True)
        pairs = zip(proposed.hunks, ids, strict=True)
        hunks = tuple(replace(hunk, accepted=decided.get(name)) for hunk, name in pairs)
        record(replace(proposed, hunks=hunks), self._file)

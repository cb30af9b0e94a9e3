"""What became of previewed hunks: kept on this machine only, and only where the person has asked for it."""

from __future__ import annotations

import json
import os
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

from editflow_lsp.jobs import Job
from editflow_lsp.messages import FixResult, JobStatus, OutcomeParams

REMEMBERED = 16
"""Jobs whose outcome may still come."""
MAX_BYTES = 64 * 1024 * 1024
FILE = "outcomes.jsonl"


class Outcomes:
    """Remembers proposals until their outcome is told, and appends those to a file that only the person can read.

    A line is an object: `time` (Unix seconds), `instruction`, `text` (what the model was allowed to edit, as it was)
    and `hunks`, each with `start` and `end` in characters of that text, `new`, `confidence` and `accepted`, which is
    null where nothing was decided.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._proposed: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def propose(self, job: Job, result: FixResult) -> None:
        """Remember what was proposed, if anything was."""
        if job.latest is None or result.status is not JobStatus.done:
            return
        text, start = job.latest.proposal.document.text, job.origin
        hunks = [
            {"id": hunk.id, "start": first - start, "end": last - start, "new": new, "confidence": sure}
            for hunk, (first, last, new, sure) in zip(result.hunks, job.original_edits(), strict=True)
        ]
        end = start + job.window[1] - job.window[0]
        self._proposed[job.id] = {
            "instruction": job.params.instruction,
            "text": text[start:end],
            "hunks": hunks,
        }
        while len(self._proposed) > REMEMBERED:
            self._proposed.popitem(last=False)

    def settle(self, outcome: OutcomeParams, *, record: bool) -> None:
        """Take what became of a proposal; unknown jobs are ignored. OSError where it cannot be written."""
        proposed = self._proposed.pop(outcome.job_id, None)
        if proposed is None or not record:
            return
        decided = dict.fromkeys(outcome.rejected, False) | dict.fromkeys(outcome.accepted, True)
        hunks = [{**hunk, "accepted": decided.get(hunk["id"])} for hunk in proposed["hunks"]]
        self._append({"time": round(time.time()), **proposed, "hunks": hunks})

    def _append(self, line: dict[str, Any]) -> None:
        folder = self._folder or _data_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            if file.tell() < MAX_BYTES:
                file.write(json.dumps(line) + "\n")


def _data_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("editflow")

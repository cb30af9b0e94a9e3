"""A causal model in the engine's place: requests in, one Step each out.

Windows, line ends, the refusal of edits that break what parsed, and what a request confines are the engine's own
(editflow.attempt); only what turns a window into its edits differs. There is one round and one answer to a window.
An answer is one decision, so all its hunks have one confidence: the probability of the whole answer, the product of
its tokens' probabilities under greedy decoding.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from editflow.attempt import Attempt
from editflow.checkpoint import Calibration
from editflow.device import computes_bfloat16
from editflow.document import Document
from editflow.pieces import TextEdit
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.step import Step
from editflow.window import encode_window
from editflow_trainer.causal.decode import Answer, decode
from editflow_trainer.causal.formats import FormatName, make_format
from editflow_trainer.causal.model import CausalCheckpoint
from editflow_trainer.causal.parts import Parts
from editflow_trainer.causal.refusal import Reason, Refused

GROWTH = 64
"""Tokens that an answer may have beyond those of the editable region."""


class CausalFixer:
    """A causal model, ready to fix."""

    def __init__(
        self, checkpoint: CausalCheckpoint, form: FormatName, device: torch.device, lookup: int = 0
    ) -> None:
        """`lookup`: see editflow_trainer.causal.decode.decode."""
        checkpoint.check(form)
        self.checkpoint, self.device, self.lookup = checkpoint, device, lookup
        self.name = checkpoint.name
        self.tokenizer = checkpoint.tokenizer()
        self.format = make_format(form, self.tokenizer)
        native = device.type == "cuda" or computes_bfloat16()
        precision = torch.bfloat16 if native else torch.float32
        self.model = checkpoint.model().to(device, precision)  # type: ignore[arg-type]
        self.calibration = Calibration()
        self.refusals: Counter[Reason] = Counter()

    def fix(self, request: Request) -> Iterator[Step]:
        """Yield the only step: what a causal model has written before its end is no proposal."""
        yield from self.fix_many([request])

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        """The step of each request; `index` counts the tokens written."""
        once = [replace(request, rounds=1, candidates=1, branches=False) for request in requests]
        attempts = [Attempt(request, 0, self.calibration) for request in once]
        work = [
            (attempt, placed, Parts.of_window(encode_window(placed.window, self.tokenizer)))
            for attempt in attempts
            for placed in attempt.windows(self.tokenizer)
        ]
        written: Counter[int] = Counter()
        for (attempt, placed, parts), answer in zip(work, self._answers([p for *_, p in work]), strict=True):
            attempt.update(placed, self._edits(placed.window.text, parts, answer))
            written[id(attempt)] += len(answer.ids)
        return [_step(attempt, written[id(attempt)]) for attempt in attempts]

    def _answers(self, windows: Sequence[Parts]) -> list[Answer]:
        prompts = [self.format.prompt(parts) for parts in windows]
        return decode(self.model, prompts, [len(p.editable) + GROWTH for p in windows], self.lookup)

    def _edits(self, text: str, parts: Parts, answer: Answer) -> list[TextEdit]:
        """Edits of the window's text; none where the answer is refused, which is counted."""
        try:
            fixed = self._text(parts, answer)
        except Refused as refused:
            self.refusals[refused.reason] += 1
            return []
        hunks = Proposal.from_texts(Document.from_text(text), fixed, math.exp(answer.log_probability)).hunks
        return [(hunk.start, hunk.end, hunk.new, hunk.confidence) for hunk in hunks]

    def _text(self, parts: Parts, answer: Answer) -> str:
        if not answer.finished:
            raise Refused(Reason.unfinished)
        try:
            return self.tokenizer.decode(self.format.read(parts, answer.ids))
        except UnicodeDecodeError as error:
            raise Refused(Reason.not_text) from error


def _step(attempt: Attempt, written: int) -> Step:
    attempt.finish_round()
    return Step(written, written, attempt.proposal(), done=True)

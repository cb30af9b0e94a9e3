"""A warm model on its device: requests in, an iterator of Steps out.

The windows and candidates of all requests run as one batch. After a round of passes the new text is diagnosed
again, and what a repaired syntax error had hidden (a second one, an undefined name) is fixed in the next round. A
caller may stop between any two passes: it simply does not ask for the next step.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import torch

from editflow.attempt import Attempt, attempts_of, ranked
from editflow.canvas import Canvas
from editflow.checkpoint import Checkpoint
from editflow.device import choose_device, computes_bfloat16
from editflow.document import Document
from editflow.pieces import TextEdit
from editflow.process.edit_flow import EditFlow
from editflow.readout import canvas_of, read_edits
from editflow.request import Request
from editflow.sampler import Sampler
from editflow.scopes import PlacedWindow
from editflow.step import Step
from editflow.window import WindowTokens, encode_window

ROUNDS = 3
"""Times that the text is diagnosed and fixed again."""
BATCH_TOKENS = 16_384
"""Most tokens of one batch, padding included; more windows than fit run one batch after another."""


class Engine:
    """A model, ready to fix. One thread at a time iterates."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self.checkpoint, self.device = checkpoint, device
        self.name = checkpoint.name
        self.tokenizer = checkpoint.tokenizer()
        self.backbone = checkpoint.backbone().to(device)
        self.calibration = checkpoint.calibration()
        self.thresholds = checkpoint.thresholds()

    @classmethod
    def load(cls, name: str = "default", device: str = "auto") -> Engine:
        """Load a checkpoint by name or folder onto `auto`, `cpu` or `cuda`; EditFlowError says what is wrong."""
        return cls(Checkpoint.open(name), choose_device(device))

    def fix(self, request: Request) -> Iterator[Step]:
        """Yield the proposal after every pass; the last step's hunks are what is offered."""
        for steps in self._run([request]):
            yield steps[0]

    def fix_last(self, request: Request) -> Step:
        """The last step."""
        return self.fix_many([request])[0]

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        """The last step of each request; their windows run in common batches."""
        *_, last = self._run(requests)
        return last

    def suspicion(
        self, document: Document, lines: tuple[int, int] | None = None
    ) -> list[tuple[int, int, float]]:
        """(start, end, probability that an edit is due) of every token, in characters of the document."""
        attempt = attempts_of(Request(document, lines), self.calibration)[0]
        spans: list[tuple[int, int, float]] = []
        for placed in attempt.windows(self.tokenizer, everything=True):
            tokens = encode_window(placed.window, self.tokenizer)
            canvas = canvas_of([tokens]).to(self.device)
            with torch.inference_mode(), self._precision():
                rates = EditFlow().suspicion(self.backbone, canvas)[0].tolist()
            for (start, end), rate in zip(tokens.spans, rates[tokens.start : tokens.end], strict=True):
                ends = (attempt.breaks.to_source(placed.start + place) for place in (start, end))
                spans.append((*ends, rate))
        return spans

    def _run(self, requests: Sequence[Request]) -> Iterator[list[Step]]:
        """One step a request, after every pass; rounds go on while an attempt has something new to look at."""
        groups = [attempts_of(request, self.calibration) for request in requests]
        attempts = [attempt for group in groups for attempt in group]
        total, index = ROUNDS * max((request.steps for request in requests), default=1), 0
        for _ in range(ROUNDS):
            for _ in self._round(attempts):
                index += 1
                yield [Step(index, total, group[0].proposal(), done=False) for group in groups]
            attempts = [attempt for attempt in attempts if attempt.finish_round()]
            if not attempts:
                break
        yield [_last_step(group, index, total) for group in groups]

    def _round(self, attempts: Sequence[Attempt]) -> Iterator[None]:
        """Run the sampler over every window of the attempts, batch by batch; yields after each pass."""
        work = [
            (a, p, encode_window(p.window, self.tokenizer))
            for a in attempts
            for p in a.windows(self.tokenizer)
        ]
        found: dict[int, dict[int, tuple[PlacedWindow, list[TextEdit]]]] = {id(a): {} for a in attempts}
        for batch in _batches([tokens for _, _, tokens in work]):
            owners = [work[i][0] for i in batch]
            canvas = canvas_of(
                [work[i][2] for i in batch], [a.strictness for a in owners], [a.temperature for a in owners]
            )
            for rows in self._passes(canvas, attempts[0].request):
                for i, row in zip(batch, rows, strict=True):
                    attempt, placed, tokens = work[i]
                    found[id(attempt)][i] = (placed, read_edits(row, tokens, self.tokenizer))
                for attempt in {id(a): a for a in owners}.values():
                    attempt.update(found[id(attempt)].values())
                yield

    def _passes(self, canvas: Canvas, request: Request) -> Iterator[tuple[Canvas, ...]]:
        """The rows after each pass over one batch."""
        generator = torch.Generator().manual_seed(request.seed)
        process = EditFlow(self.thresholds, generator=generator)
        steps = Sampler(process, self.backbone, request.steps).steps(canvas.to(self.device))
        while True:
            with self._precision():
                step = next(steps, None)
            if step is None:
                return
            yield step.rows

    def _precision(self) -> AbstractContextManager[object]:
        """bfloat16 where the processor computes in it; rates and log-probabilities are float32 all the same."""
        if self.device.type == "cpu" and not computes_bfloat16():
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


def _last_step(group: list[Attempt], index: int, total: int) -> Step:
    proposals = ranked(group)
    return Step(
        index, total, proposals[0], done=True, alternatives=tuple(proposals) if len(group) > 1 else ()
    )


def _batches(windows: Sequence[WindowTokens]) -> Iterator[list[int]]:
    """Indices of windows of similar length, under the token budget."""
    batch: list[int] = []
    for i in sorted(range(len(windows)), key=lambda i: len(windows[i].ids)):
        if batch and len(windows[i].ids) * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch

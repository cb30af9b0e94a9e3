"""A warm model on its device: requests in, an iterator of Steps out.

The windows and candidates of all requests run as one batch. After a round of passes the new text is diagnosed
again, and what a repaired syntax error had hidden (a second one, an undefined name) is fixed in the next round. A
caller may stop between any two passes: it simply does not ask for the next step.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import copy

import torch

from editflow.adapters.adapter import Adapter, AdapterError
from editflow.adapters.apply import adapted
from editflow.attempt import Attempt, attempts_of, candidates_after, ranked
from editflow.checkpoint import Checkpoint
from editflow.device import choose_device, computes_bfloat16
from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.placed import PlacedWindow
from editflow.process.continuous import ContinuousEditFlow, Sampling
from editflow.process.edit_flow import EditFlow
from editflow.process.guidance import Guidance
from editflow.readout import canvas_of, read_edits
from editflow.request import DEFAULT_STEPS, Decoder, Request
from editflow.reuse import Reuse
from editflow.sampler import Sampler
from editflow.step import Step
from editflow.window import WindowTokens, encode_window

BATCH_TOKENS = {"cuda": 16_384, "cpu": 4_096}
"""Most tokens of one batch by device, padding included; more windows than fit run one batch after another.

A processor gains nothing from larger ones, and a caller can stop between any two batches only.
"""


Work = tuple[Attempt, PlacedWindow, WindowTokens]


class Engine:
    """A model, ready to fix. One thread at a time iterates."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self.checkpoint, self.device = checkpoint, device
        self.name = checkpoint.name
        self.tokenizer = checkpoint.tokenizer()
        self.backbone = checkpoint.backbone().to(device)
        self.calibration = checkpoint.calibration()
        self.thresholds = checkpoint.thresholds()
        self.flow = checkpoint.flow()
        self.batch_tokens = BATCH_TOKENS[device.type]

    @classmethod
    def load(cls, name: str = "default", device: str = "auto") -> Engine:
        """Load a checkpoint by name or folder onto `auto`, `cpu` or `cuda`; EditFlowError says what is wrong."""
        return cls(Checkpoint.open(name), choose_device(device))

    def adapted(self, adapter: Adapter) -> Engine:
        """A second engine with an adapter over this one's network; all that the adapter leaves is shared.

        Raises:
            AdapterError: the adapter is damaged or of another base, or this engine has an adapter already.
        """
        if self.name != self.checkpoint.name:
            raise AdapterError(f"{self.name} is adapted already: adapt its base")
        adapter.check_base(self.checkpoint)
        adapter.verify()
        engine = copy(self)
        engine.name = f"{self.name}+{adapter.name}"
        engine.calibration, engine.thresholds = adapter.calibration(), adapter.thresholds()
        try:
            engine.backbone = adapted(self.backbone, adapter.tensors())
        except AdapterError as error:
            raise AdapterError(f"{adapter.name}: {error}") from error
        return engine

    def fix(self, request: Request) -> Iterator[Step]:
        """Yield the proposal after every pass; the last step's hunks are what is offered."""
        group = self._attempts(request)
        index = total = 0
        for index, total in self._run_all([group]):
            yield Step(index, total, group[0].proposal(), done=False)
        yield _last_step(group, index, total)

    def fix_last(self, request: Request) -> Step:
        """The last step."""
        return self.fix_many([request])[0]

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        """The last step of each request; windows run in common batches where that changes nothing for them."""
        steps: dict[int, Step] = {}
        for together in self._companies(requests):
            groups = {i: self._attempts(requests[i]) for i in together}
            *_, (index, total) = [(0, 0), *self._run_all(list(groups.values()))]
            steps |= {i: _last_step(group, index, total) for i, group in groups.items()}
        return [steps[i] for i in range(len(requests))]

    def suspicion(
        self, document: Document, lines: tuple[int, int] | None = None
    ) -> list[tuple[int, int, float]]:
        """(start, end, probability that an edit is due) of every token, in order, in characters of the document.

        Tokens that share a character make one span, of their highest probability.
        """
        attempt = Attempt(Request(document, lines), 0, self.calibration)
        spans: list[tuple[int, int, float]] = []
        for placed in attempt.windows(self.tokenizer, everything=True):
            for start, end, rate in self._rates(placed):
                first, last = (attempt.breaks.to_source(placed.start + place) for place in (start, end))
                if spans and first < spans[-1][1]:
                    first, _, other = spans.pop()
                    rate = max(rate, other)
                if first < len(document.text):  # the newline that only the window has is not there
                    spans.append((first, min(last, len(document.text)), rate))
        return spans

    def _rates(self, placed: PlacedWindow) -> Iterator[tuple[int, int, float]]:
        """The suspicion of a window's tokens that may change, in characters of its text."""
        tokens = encode_window(placed.window, self.tokenizer)
        canvas = canvas_of([tokens]).to(self.device)
        with torch.inference_mode(), self.precision():
            timed = self.checkpoint.in_continuous_time
            process = ContinuousEditFlow(self.flow) if timed else EditFlow()
            rates = process.suspicion(self.backbone, canvas)[0].tolist()
        low, high = placed.allowed
        for (start, end), rate in zip(tokens.spans, rates[tokens.start : tokens.end], strict=True):
            if low <= start < high:
                yield start, end, rate

    def _run_all(self, groups: list[list[Attempt]]) -> Iterator[tuple[int, int]]:
        """Passes made and passes at most, after each; candidates asked for run last and join their group."""
        made = (0, 0)
        for made in self._run([attempt for group in groups for attempt in group]):
            yield made
        for group in groups:
            group += (asked := candidates_after(group))
            start = made[0]
            for made in self._run(asked, start, rounds=1):
                yield made

    def _run(
        self, attempts: Sequence[Attempt], index: int = 0, rounds: int | None = None
    ) -> Iterator[tuple[int, int]]:
        """Passes made from `index` on and passes at most; rounds go on while an attempt has something new to fix."""
        rounds = rounds or max((a.request.rounds for a in attempts), default=0)
        firsts = {id(a.request): a for a in attempts if not a.candidate}
        for rounds_left in range(rounds, 0, -1):
            work = [
                (a, p, encode_window(p.window, self.tokenizer))
                for a in attempts
                for p in a.windows(self.tokenizer)
            ]
            alone = Counter(id(attempt) for attempt, _, _ in work)
            batches = list(_batches([tokens for _, _, tokens in work], self.batch_tokens))
            steps = max((self._sampler(a.request).max_passes for a in attempts), default=0)
            total = index + rounds_left * len(batches) * steps
            for batch in batches:
                for _ in self._passes([work[i] for i in batch], alone):
                    index += 1
                    yield index, total
            for attempt in attempts:
                if not attempt.asked:
                    attempt.adopt(firsts[id(attempt.request)])
            attempts = [attempt for attempt in attempts if attempt.finish_round()]
            if not attempts:
                break

    def _passes(self, work: Sequence[Work], windows: Mapping[int, int]) -> Iterator[None]:
        """Run the sampler over one batch of windows; tells their attempts what each pass found.

        `windows` counts those of each attempt: a branch in every one of many would edit them all.
        """
        sampler = self._sampler(work[0][0].request)
        canvas = canvas_of(
            [tokens for _, _, tokens in work],
            [a.strictness for a, _, _ in work],
            [a.temperature for a, _, _ in work],
            [a.branch_in(placed, windows[id(a)] == 1) for a, placed, _ in work],
        )
        steps = sampler.steps(canvas.to(self.device))
        while True:
            with self.precision():
                step = next(steps, None)
            if step is None:
                return
            for (attempt, placed, tokens), row in zip(work, step.rows, strict=True):
                attempt.update(placed, read_edits(row, tokens, self.tokenizer))
            yield

    def decoder(self, request: Request) -> Decoder:
        """The one asked for, or the checkpoint's own; EditFlowError where it cannot run."""
        own = Decoder.ctmc if self.checkpoint.in_continuous_time else Decoder.passes
        if request.decoder is Decoder.passes and own is Decoder.ctmc:
            raise EditFlowError(f"{self.name} was trained for continuous time only: use the sampler ctmc")
        return request.decoder or own

    def _attempts(self, request: Request) -> list[Attempt]:
        branches = request.branches and self.decoder(request) is Decoder.passes
        return attempts_of(request, self.calibration, branches=branches)

    def _sampler(self, request: Request) -> Sampler:
        """A fresh sampler with the request's seed."""
        decoder, generator = self.decoder(request), torch.Generator().manual_seed(request.seed)
        steps = request.steps or DEFAULT_STEPS[decoder]
        if decoder is Decoder.passes:
            return Sampler(EditFlow(self.thresholds, generator=generator), self.backbone, steps)
        sampling = Sampling(steps, guidance=Guidance(request.guidance, request.guidance))
        process = ContinuousEditFlow(self.flow, sampling, generator=generator)
        timed = self.backbone.time is not None
        return Sampler(process, self.backbone if timed else Reuse(self.backbone), process.passes)

    def _companies(self, requests: Sequence[Request]) -> list[list[int]]:
        """Indices of requests that may share batches: those that draw no noise and make as many passes."""
        companies: dict[tuple[int | None, int], list[int]] = {}
        for i, request in enumerate(requests):
            noisy = request.candidates > 1 or self.decoder(request) is Decoder.ctmc
            companies.setdefault((request.steps, i if noisy else -1), []).append(i)
        return list(companies.values())

    def precision(self) -> AbstractContextManager[object]:
        """bfloat16 where the processor computes in it; rates and log-probabilities are float32 all the same."""
        if self.device.type == "cpu" and not computes_bfloat16():
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


def _last_step(group: list[Attempt], index: int, total: int) -> Step:
    proposals, asked = ranked(group), group[0].request.candidates
    return Step(index, total, proposals[0], done=True, alternatives=tuple(proposals) if asked > 1 else ())


def _batches(windows: Sequence[WindowTokens], most: int) -> Iterator[list[int]]:
    """Indices of windows of similar length, of at most `most` tokens a batch."""
    batch: list[int] = []
    for i in sorted(range(len(windows)), key=lambda i: len(windows[i].ids)):
        if batch and len(windows[i].ids) * (len(batch) + 1) > most:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch

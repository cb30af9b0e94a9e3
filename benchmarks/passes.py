"""Times one batch of equal windows: the bare backbone, a pass of the sampler, and whole runs to the end.

The bare backbone is `backbone(ids, role, live)`, the trunk without heads. A pass is the first one that the
sampler makes on the same canvas in the same precision: the trunk, the heads, `EditFlow.step`, `apply_edits`
and the sampler's own bookkeeping. All that a pass costs beyond the trunk counts as overhead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median

import torch

from benchmarks.timing import alternate, milliseconds, peak_bytes
from editflow.canvas import Canvas
from editflow.engine import Engine
from editflow.process.edit_flow import EditFlow
from editflow.readout import canvas_of
from editflow.sampler import Sampler, SamplerStep
from editflow.window import WindowTokens


@dataclass(frozen=True, slots=True)
class Job:
    """One configuration, measured in a process of its own so that its peak memory is its own."""

    model: str
    device: str
    threads: int
    bfloat16: bool
    batch: int
    windows: tuple[WindowTokens, ...]
    """All of one length; as many whole batches are run to the end as they fill."""
    seconds: float


@dataclass(frozen=True, slots=True)
class PassTimes:
    """Medians; a run ends when no row changes any more."""

    length: int
    """Tokens of a window."""
    batch: int
    precision: str
    forward_ms: float
    """The bare backbone."""
    pass_ms: float
    overhead: float
    """Of a pass over the bare backbone, as a share of the latter; median over pairs timed in turn."""
    passes: float
    """Passes that a window took part in, mean."""
    run_ms: float
    """A batch from the first pass to the last."""
    tokens_per_second: float
    """Tokens of windows that went through whole runs."""
    peak_mb: float
    """Above the most that loading the model took."""


class Bench:
    """A model and a batch, ready to be timed."""

    def __init__(self, job: Job) -> None:
        torch.set_num_threads(job.threads)
        engine = Engine.load(job.model, job.device)
        self.bfloat16, self.device, self.backbone = job.bfloat16, engine.device, engine.backbone
        self.process = EditFlow(engine.thresholds)

    def forward(self, canvas: Canvas) -> None:
        """The trunk alone."""
        with torch.inference_mode(), self._precision():
            self.backbone(canvas.ids, canvas.role, canvas.live)

    def first_pass(self, canvas: Canvas) -> None:
        """One pass of the sampler."""
        with self._precision():
            next(Sampler(self.process, self.backbone).steps(canvas))

    def run(self, canvas: Canvas) -> list[SamplerStep]:
        """All passes."""
        with self._precision():
            return list(Sampler(self.process, self.backbone).steps(canvas))

    def _precision(self) -> AbstractContextManager[object]:
        if not self.bfloat16:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)


def measure(job: Job) -> PassTimes:
    """Load the model and time everything; to be called in a fresh process."""
    bench = Bench(job)
    before = peak_bytes(bench.device)
    starts = range(0, len(job.windows) - job.batch + 1, job.batch)
    canvases = [canvas_of(job.windows[i : i + job.batch]).to(bench.device) for i in starts]
    first = canvases[0]
    forward, one = alternate(
        [lambda: bench.forward(first), lambda: bench.first_pass(first)], bench.device, job.seconds
    )
    row_passes: list[int] = []
    runs = [milliseconds(_counted(bench, canvas, row_passes), bench.device) for canvas in canvases]
    tokens = job.batch * len(job.windows[0].ids)
    return PassTimes(
        length=len(job.windows[0].ids),
        batch=job.batch,
        precision="bf16" if job.bfloat16 else "fp32",
        forward_ms=round(median(forward), 3),
        pass_ms=round(median(one), 3),
        overhead=round(median(b / a for a, b in zip(forward, one, strict=True)) - 1, 3),
        passes=round(sum(row_passes) / (job.batch * len(canvases)), 2),
        run_ms=round(median(runs), 3),
        tokens_per_second=round(1000 * tokens / median(runs)),
        peak_mb=round((peak_bytes(bench.device) - before) / 1e6, 1),
    )


def _counted(bench: Bench, canvas: Canvas, row_passes: list[int]) -> Callable[[], None]:
    """A run that also notes how many passes its rows took part in, together."""

    def run() -> None:
        steps = bench.run(canvas)
        row_passes.append(len(canvas.ids) + sum(step.unfinished for step in steps[:-1]))

    return run

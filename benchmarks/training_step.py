"""What a training step costs in continuous time, compared with the time-free process: time and memory.

Run from the repository's root as `python -m benchmarks.training_step`. A step is a fresh state, the forward pass, the
loss and the backward pass, as the trainer makes it, with and without the optimizers. All processes see the same
aligned rows at times drawn alike, so as many operations are pending; the way back is on top where there are heads.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, astuple, dataclass, fields, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import torch
import typer
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.machine import describe_machine
from benchmarks.report import print_facts, print_table, write_json
from benchmarks.timing import alternate, peak_bytes
from editflow.backbone import Backbone, BackboneConfig
from editflow.canvas import BOS, EOS, FIRST_TEXT_ID, Role
from editflow.device import computes_bfloat16
from editflow.process.base import BLANK, AlignedBatch, Terms
from editflow.process.continuous import ContinuousEditFlow, FlowConfig
from editflow.process.edit_flow import EditFlow
from editflow.window import EDIT
from editflow_trainer.data.batches import collate
from editflow_trainer.data.config import NoiseConfig
from editflow_trainer.data.noise import add_noise
from editflow_trainer.data.row import Row
from editflow_trainer.training.config import TrainConfig
from editflow_trainer.training.optimizer import make_optimizer

EDITED = 0.1
"""Share of a row's slots that are edits: substitutions, deletions and insertions alike."""
MASKS = NoiseConfig(mask_rows=1.0, mask_most=0.4, corrupt_rows=0.0, line_rows=0.0, tail_rows=0.0)
"""A fifth of the tokens, on average."""
LINE_END = np.zeros(MASKS.vocabulary + 1, bool)
"""No token ends a line."""
MEMORY_STEPS = 3
TIME_GOAL, MEMORY_GOAL = 1.25, 1.2
"""Of the process in continuous time over the time-free one."""
CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Setup:
    """A network and a process to train it with."""

    name: str
    backbone: BackboneConfig
    flow: FlowConfig | None = None


@dataclass(frozen=True, slots=True)
class StepCost:
    """Medians over steps timed in turn with those of the other processes."""

    process: str
    step_ms: float
    """State, forward, loss, backward."""
    whole_ms: float
    """The same with the optimizers."""
    time_ratio: float
    """Of `step_ms` to the time-free process's, median over pairs."""
    peak_mb: float
    """Growth of a process's peak memory over the model, with the optimizers."""
    memory_ratio: float


def training_step(
    rows: Annotated[int, typer.Option(min=1, help="Rows of a batch.")] = 32,
    length: Annotated[int, typer.Option(min=16, help="Slots of a row.")] = 256,
    seconds: Annotated[float, typer.Option(help="Time spent on repeated steps.")] = 120.0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of torch.")] = 2,
    output: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all results.")] = None,
) -> None:
    """Time a training step on synthetic rows, on the CPU."""
    torch.set_num_threads(threads)
    costs = compare(setups(BackboneConfig()), rows, length, seconds, threads)
    precision = "bf16" if computes_bfloat16() else "fp32"
    facts: dict[str, object] = {"rows": rows, "length": length, "threads": threads, "precision": precision}
    facts |= {"time_goal": TIME_GOAL, "memory_goal": MEMORY_GOAL, **describe_machine()}
    print_facts(facts)
    print_table([field.name for field in fields(StepCost)], [astuple(cost) for cost in costs])
    if output is not None:
        write_json(output, {**facts, "steps": [asdict(cost) for cost in costs]})


def setups(backbone: BackboneConfig) -> list[Setup]:
    """The time-free process, the exact one, which goals are for, and the exact one with the way back."""
    timed, flow = replace(backbone, time_features=64), FlowConfig(shows_origin=0)
    return [
        Setup("time-free", backbone),
        Setup("continuous", timed, flow),
        Setup("continuous, reverse heads", replace(timed, reverse=1), flow),
    ]


def compare(chosen: list[Setup], rows: int, length: int, seconds: float, threads: int) -> list[StepCost]:
    """Costs in order; ratios are to the first."""
    # Memory first: a process starts with the peak of the one that it was forked from.
    peaks = [_in_fresh_process(peak_growth, setup, rows, length, threads) for setup in chosen]
    batch = synthetic_batch(rows, length)
    benches = [Bench(setup, batch) for setup in chosen]
    calls: list[Callable[[], object]] = [bench.step for bench in benches]
    times = alternate([*calls, *(bench.whole for bench in benches)], CPU, seconds)
    return [
        StepCost(
            process=setup.name,
            step_ms=round(median(step), 1),
            whole_ms=round(median(whole), 1),
            time_ratio=round(median(a / b for a, b in zip(step, times[0], strict=True)), 3),
            peak_mb=round(peak / 1e6, 1),
            memory_ratio=round(peak / peaks[0], 3),
        )
        for setup, step, whole, peak in zip(chosen, times, times[len(chosen) :], peaks, strict=False)
    ]


def synthetic_batch(rows: int, length: int, seed: int = 0) -> AlignedBatch:
    """Random tokens with edits and masks, `length` slots a row, framed like windows."""
    rng = np.random.default_rng(seed)
    return collate([add_noise(_row(length, rng), LINE_END, MASKS, rng) for _ in range(rows)])


class Bench:
    """A network, its optimizer and a batch, ready to be trained on."""

    def __init__(self, setup: Setup, batch: AlignedBatch) -> None:
        torch.manual_seed(0)
        self.model, self.batch = Backbone(setup.backbone), batch
        self.process = EditFlow() if setup.flow is None else ContinuousEditFlow(setup.flow)
        self.optimizer = make_optimizer(self.model, TrainConfig(backbone=setup.backbone))
        self.generator = torch.Generator().manual_seed(0)

    def step(self) -> Terms:
        """A fresh state, forward, loss and backward."""
        self.model.zero_grad(set_to_none=True)
        time = torch.rand(len(self.batch.z0), generator=self.generator)
        with _precision(), sdpa_kernel(SDPBackend.MATH):
            terms = self._loss(time)
        terms.total.backward()  # type: ignore[no-untyped-call]
        return terms

    def whole(self) -> None:
        """A step with clipping and the optimizers."""
        self.step()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()

    def _loss(self, time: torch.Tensor) -> Terms:
        if isinstance(self.process, ContinuousEditFlow):
            timed = self.process.corrupt(self.batch, time, self.generator)
            return self.process.loss(self.model, timed)
        return self.process.loss(self.model, self.process.corrupt(self.batch, time, self.generator))


def peak_growth(setup: Setup, rows: int, length: int, threads: int) -> int:
    """Bytes by which whole steps raise a process's peak memory; to be called in a fresh process."""
    torch.set_num_threads(threads)
    bench = Bench(setup, synthetic_batch(rows, length))
    before = peak_bytes(CPU)
    for _ in range(MEMORY_STEPS):
        bench.whole()
    return peak_bytes(CPU) - before


def _row(length: int, rng: np.random.Generator) -> Row:
    """A framed row of random tokens, a share of them edited."""
    z1 = rng.integers(FIRST_TEXT_ID, MASKS.vocabulary, length).astype(np.int32)
    z0, role = z1.copy(), np.full(length, Role.ORIGINAL, np.uint8)
    kind = np.where(rng.random(length) < EDITED, rng.integers(0, 3, length), -1)
    kind[[0, 1, -1]] = -1
    z0[kind == 0] = rng.integers(FIRST_TEXT_ID, MASKS.vocabulary, int((kind == 0).sum()))
    z0[kind == 1], role[kind == 1], z1[kind == 2] = BLANK, 0, BLANK
    for place, token in ((0, BOS), (1, EDIT), (-1, EOS)):
        z0[place] = z1[place] = token
        role[place] = Role.CONTEXT
    return Row(z0, z1, role)


def _precision() -> AbstractContextManager[object]:
    return torch.autocast("cpu", torch.bfloat16) if computes_bfloat16() else nullcontext()


def _in_fresh_process(function: Callable[..., int], *arguments: object) -> int:
    """What the function returns in a new Python."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


if __name__ == "__main__":
    typer.run(training_step)

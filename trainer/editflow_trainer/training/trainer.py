"""The training loop on Accelerate: the same file runs plain, under torchrun, with FSDP, and on SLURM.

A step averages the losses of `micro_batches` micro-batches; of P processes each takes every P-th of them. What a
micro-batch holds and what is drawn for it depends on its index alone, so the number of processes does not change a
run, and a run resumes exactly from weights, averages, optimizer state and one number, the step.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate.utils import broadcast
from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule
from torch.nn.attention import SDPBackend, sdpa_kernel

from editflow.backbone import Backbone
from editflow.errors import EditFlowError
from editflow.process.base import Terms
from editflow_trainer.data.batches import Batch, Batches
from editflow_trainer.training.average import Average
from editflow_trainer.training.config import TrainConfig
from editflow_trainer.training.machine import Machine, accelerator
from editflow_trainer.training.meter import Meter, mean_record
from editflow_trainer.training.network import make_network, prepare, shard
from editflow_trainer.training.objective import Objective
from editflow_trainer.training.optimizer import make_optimizer
from editflow_trainer.training.state import read_state, write_state

Log = Callable[[dict[str, float]], None]
Evaluate = Callable[[Backbone, int], None]
WEIGHTS = "weights.safetensors"
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


@dataclass(frozen=True, slots=True)
class Update:
    """What one optimizer step was made of, on this process."""

    terms: list[Terms]
    norm: Tensor
    """Gradient norm before clipping, over all processes."""
    rate: float
    """Share of the peak learning rates."""
    progress: float
    """Of the run, in [0, 1], before the step."""


class Trainer:
    """One run in one folder: states to resume from, and the averaged weights when it ends."""

    def __init__(
        self, config: TrainConfig, shards: Path, folder: Path, machine: Machine, init: Path | None = None
    ) -> None:
        """`init`: weights to start from (safetensors), of the same network but for parts that were added to it."""
        self.config, self.folder = config, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.accelerator = accelerator(config, machine)
        self.device, self.world = self.accelerator.device, self.accelerator.num_processes
        self.network = self._start(init).to(self.device)
        self.objective = self._distributed(Objective(self.network, config), machine)
        self.average = Average(self.network, config.ema_decay)
        self.optimizer = self.accelerator.prepare_optimizer(make_optimizer(self.network, config))
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.batches = Batches(shards, config.data, config.batch_tokens, config.seed, machine.workers)
        self.meter = Meter(self.device)
        self.step, self.elapsed = 0, 0.0
        self._resume()

    @property
    def speaks(self) -> bool:
        """Whether this process writes and logs: the first of them."""
        return bool(self.accelerator.is_main_process)

    def run(
        self,
        log: Log,
        evaluate: Evaluate | None = None,
        budget: float | None = None,
        pause: float | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train to the last step, or until `budget` seconds in all are used; True when the run is complete.

        With a budget, learning rates follow time instead of steps where time is further along, so the weights are
        cooled down when it ends. `pause` ends this call alone after so many seconds, and `stopped` when it
        says so between two steps (one process only). `log` gets a line every `log_every` steps and `evaluate` the
        averaged network, both on the first process only.
        """
        started, leave = time.monotonic() - self.elapsed, self.elapsed + (pause or float("inf"))
        rank = self.accelerator.process_index
        first, every = self.step, self.config.evaluate_every
        stream = self.batches.stream(self.step * self.config.micro_batches, rank, self.world)
        while (progress := self._progress(budget)) < 1 and self.elapsed < leave and not stopped():
            update = self._update(stream, progress)
            self.elapsed = self._agreed(time.monotonic() - started, timed=bool(budget or pause))
            self._after(update, log, evaluate)
        self.save()
        if evaluate is not None and every and progress >= 1 and self.step > first and self.step % every:
            self._evaluate(evaluate)
        return progress >= 1

    def save(self) -> None:
        """Write everything that resumption needs; all processes must call it together."""
        state = {
            "config": self._identity(),
            "model": get_model_state_dict(self.objective, options=WHOLE),
            "optimizer": get_optimizer_state_dict(self.objective, self.optimizer.optimizer, options=WHOLE),
            "average": {name: value.cpu() for name, value in self.average.full().items()},
            "scaler": self.accelerator.scaler.state_dict() if self.accelerator.scaler else {},
            "step": self.step,
            "elapsed": self.elapsed,
        }
        if self.speaks:
            write_state(self.folder, self.step, state, self.config.keep)
        self.accelerator.wait_for_everyone()

    def save_weights(self) -> Path:
        """Write the averaged weights in bfloat16 to `weights.safetensors`; all processes must call it together."""
        path, values = self.folder / WEIGHTS, self.average.full()
        if self.speaks:
            save_file({k: v.to("cpu", torch.bfloat16).contiguous() for k, v in values.items()}, path)
        self.accelerator.wait_for_everyone()
        return path

    def _start(self, init: Path | None) -> Backbone:
        """The network as the run begins: drawn by the seed, or from weights."""
        torch.manual_seed(self.config.seed)
        network = make_network(self.config, init)
        prepare(network, self.config)
        return network

    def _distributed(self, objective: Objective, machine: Machine) -> Objective:
        """The objective as all processes train it together."""
        if machine.fsdp:
            return shard(objective, self.device, self.world)
        wrapped: Objective = self.accelerator.prepare_model(objective)
        return wrapped

    def _progress(self, budget: float | None) -> float:
        """Share of the run that is done, in [0, 1]."""
        by_time = self.elapsed / budget if budget else 0.0
        return min(1.0, max(self.step / self.config.steps, by_time))

    def _update(self, stream: Iterator[Batch], progress: float) -> Update:
        """One optimizer step."""
        count, terms = self.accelerator.gradient_accumulation_steps, []
        rate = self.config.rate(progress)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * rate
        if self.config.anneal_steps:
            self.network.open_share = min(1.0, (self.step + 1) / self.config.anneal_steps)
        with self._attention():
            for index in range(count):
                terms.append(self._backward(next(stream), progress, last=index == count - 1))
        norm = self.accelerator.clip_grad_norm_(self.objective.parameters(), self.config.clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.average.update(self.network, self.step)
        return Update(terms, norm, rate, progress)

    def _backward(self, batch: Batch, progress: float, *, last: bool) -> Terms:
        """Add a micro-batch's gradient; processes exchange gradients with the last one."""
        torch.manual_seed(batch.seed)  # of anything that a module draws itself
        self.meter.add(batch.aligned)
        with nullcontext() if last else self._accumulating():
            with self.accelerator.autocast():
                terms: Terms = self.objective(batch.aligned.to(self.device), batch.seed, progress)
            self.accelerator.backward(terms.total)
        return terms

    @contextmanager
    def _accumulating(self) -> Iterator[None]:
        """Gradients stay on their process."""
        if not isinstance(self.objective, FSDPModule):
            with self.accelerator.no_sync(self.objective):
                yield
            return
        self.objective.set_requires_gradient_sync(False)
        yield
        self.objective.set_requires_gradient_sync(True)

    def _attention(self) -> AbstractContextManager[None]:
        """On a CPU the plain kernel's backward pass is faster than the fused one at these lengths."""
        return sdpa_kernel(SDPBackend.MATH) if self.device.type == "cpu" else nullcontext()

    def _agreed(self, elapsed: float, *, timed: bool) -> float:
        """The first process's clock, where it decides anything."""
        if self.world == 1 or not timed:
            return elapsed
        return float(broadcast(torch.tensor(elapsed, dtype=torch.float64, device=self.device)))

    def _after(self, update: Update, log: Log, evaluate: Evaluate | None) -> None:
        """What is due after a step."""
        every = self.config
        if self.step % every.log_every == 0:
            record = self._record(update)
            if self.speaks:
                log(record)
        if self.step % every.checkpoint_every == 0:
            self.save()
        if evaluate is not None and every.evaluate_every and self.step % every.evaluate_every == 0:
            self._evaluate(evaluate)

    def _record(self, update: Update) -> dict[str, float]:
        """One line of the log; EditFlowError where the loss is no number any more."""
        loss = mean_record(self.accelerator, update.terms)
        if loss["loss"] != loss["loss"]:
            raise EditFlowError(f"the loss is not a number at step {self.step}: lower the learning rates")
        norm = update.norm.full_tensor() if hasattr(update.norm, "full_tensor") else update.norm
        return {
            "step": self.step,
            **loss,
            "norm": round(float(norm), 4),
            "rate": round(update.rate, 6),
            "progress": round(update.progress, 6),
            **self.meter.read(self.accelerator),
            "elapsed": round(self.elapsed, 1),
        }

    def _evaluate(self, evaluate: Evaluate) -> None:
        """Give the averaged network to the evaluation, on the first process; the others wait."""
        values = self.average.full()
        if self.speaks:
            network = make_network(self.config).to(self.device)
            network.load_state_dict(values)
            evaluate(network.eval().requires_grad_(False), self.step)
        self.accelerator.wait_for_everyone()

    def _identity(self) -> str:
        return json.dumps(self.config.as_dict(), sort_keys=True)

    def _resume(self) -> None:
        state = read_state(self.folder)
        if state is None:
            return
        if state["config"] != self._identity():
            raise EditFlowError(f"{self.folder} holds a run with another configuration: name another folder")
        set_model_state_dict(self.objective, state["model"], options=WHOLE)
        set_optimizer_state_dict(self.objective, self.optimizer.optimizer, state["optimizer"], options=WHOLE)
        self.average.load(state["average"])
        if self.accelerator.scaler:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.step, self.elapsed = state["step"], state["elapsed"]

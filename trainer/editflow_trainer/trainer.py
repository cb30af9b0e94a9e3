"""The training loop over prepared shards: Muon and AdamW, bf16 autocast, EMA, time budget, exact resumption.

It needs torch, numpy and safetensors alone, so the same loop runs on a machine without a package registry.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from editflow.backbone import Backbone
from editflow.process.base import AlignedBatch, Process, Terms
from editflow.process.continuous import ContinuousEditFlow
from editflow.process.edit_flow import EditFlow
from editflow_trainer.batches import Batches, draw_kappa
from editflow_trainer.config import TrainConfig

State = dict[str, object]
Log = Callable[[dict[str, float]], None]


def make_optimizers(model: Backbone, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the blocks' matrices, AdamW for all other parameters."""
    matrices = [p for p in model.blocks.parameters() if p.ndim == 2]
    taken = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in taken]
    muon = torch.optim.Muon(matrices, lr=config.muon_rate, weight_decay=config.weight_decay, momentum=0.95)
    adam = torch.optim.AdamW(others, lr=config.adam_rate, betas=(0.9, 0.98), weight_decay=0.0)
    return [muon, adam]


def start_from(model: Backbone, weights: Path) -> None:
    """Load weights; what they lack may only be time, adjacency and the reverse heads, which copy the others."""
    found = {name: value.float() for name, value in load_file(weights).items()}
    if model.reverse is not None and not any(name.startswith("reverse.") for name in found):
        own = {name for name, _ in model.reverse.named_parameters()}
        found |= {f"reverse.{name}": found[name].clone() for name in own}
    lacking = model.load_state_dict(found, strict=False)
    added = [name for name in lacking.missing_keys if not name.startswith(("time.", "adjacency"))]
    if added or lacking.unexpected_keys:
        raise ValueError(f"{weights} is of another network: {added + lacking.unexpected_keys}")


class Trainer:
    """One run in one folder: `log.jsonl`, `state.pt` to resume from, and the averaged weights when it ends."""

    def __init__(
        self,
        config: TrainConfig,
        shards: Path,
        folder: Path,
        device: torch.device,
        init: Path | None = None,
    ) -> None:
        """`init`: weights to start from (safetensors), of the same network but for parts that were added to it."""
        self.config, self.folder, self.device = config, folder, device
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(config.seed)
        self.model = Backbone(config.backbone)
        if init is not None:
            start_from(self.model, init)
        self.model.to(device)
        self.average = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        self.optimizers = make_optimizers(self.model, config)
        self.peaks = [group["lr"] for o in self.optimizers for group in o.param_groups]
        self.batches = Batches(shards, config.batch_tokens, config.noise, config.seed)
        self.process: Process[Any] = EditFlow() if config.flow is None else ContinuousEditFlow(config.flow)
        self.step = self.epoch = self.position = 0
        self.elapsed = 0.0
        if (folder / "state.pt").exists():
            self._resume()

    def run(self, log: Log, budget: float | None = None) -> bool:
        """Train to the last step, or until `budget` seconds in all are used; True when the run is complete.

        With a budget, learning rates follow time instead of steps where time is further along.
        """
        started = time.monotonic() - self.elapsed
        stream, progress = self._stream(), self._progress(budget)
        while progress < 1:
            batch, generator = next(stream)
            terms = self._update(batch, generator, progress)
            self.elapsed = time.monotonic() - started
            progress = self._progress(budget)
            if self.step % self.config.log_every == 0:
                log(self._record(terms, batch))
            if self.step % self.config.checkpoint_every == 0:
                self.save_state()
        self.save_state()
        return self.step >= self.config.steps

    def _progress(self, budget: float | None) -> float:
        """Share of the run that is done, in [0, 1]."""
        by_time = self.elapsed / budget if budget else 0.0
        return min(1.0, max(self.step / self.config.steps, by_time))

    def _stream(self) -> Iterator[tuple[AlignedBatch, torch.Generator]]:
        while True:
            for item in self.batches.epoch(self.epoch, self.position):
                self.position += 1
                yield item
            self.epoch, self.position = self.epoch + 1, 0

    def _update(self, batch: AlignedBatch, generator: torch.Generator, progress: float) -> Terms:
        with torch.autocast(self.device.type, torch.bfloat16), self._attention():
            terms = self._loss(batch, generator)
        terms.total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        groups = [group for o in self.optimizers for group in o.param_groups]
        for group, peak in zip(groups, self.peaks, strict=True):
            group["lr"] = peak * self.config.rate(progress)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self._average()
        return terms

    def _loss(self, batch: AlignedBatch, generator: torch.Generator) -> Terms:
        """The loss at a fresh state: kappa dense near deployment without time, t uniform with it."""
        rows = len(batch.z0)
        timed = self.config.flow is not None
        time = torch.rand(rows, generator=generator) if timed else draw_kappa(rows, generator)
        return self.process.loss(self.model, self.process.corrupt(batch, time, generator).to(self.device))

    def _attention(self) -> AbstractContextManager[None]:
        """On a CPU the plain kernel's backward pass is faster than the fused one at these lengths."""
        return sdpa_kernel(SDPBackend.MATH) if self.device.type == "cpu" else nullcontext()

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        names, values = zip(*self.model.named_parameters(), strict=True)
        torch._foreach_lerp_([self.average[n] for n in names], list(values), 1 - decay)

    def _record(self, terms: Terms, batch: AlignedBatch) -> dict[str, float]:
        """One line of the log: the loss by term, and throughput."""
        return {
            "step": self.step,
            "epoch": self.epoch,
            **terms.record(),
            "rate": round(self.optimizers[0].param_groups[0]["lr"], 6),
            "tokens": batch.z0.numel(),
            "elapsed": round(self.elapsed, 1),
        }

    def save_state(self) -> None:
        """Write everything that resumption needs, atomically."""
        state: State = {
            "config": json.dumps(self.config.as_dict(), sort_keys=True),
            "model": self.model.state_dict(),
            "average": self.average,
            "optimizers": [o.state_dict() for o in self.optimizers],
            "step": self.step,
            "epoch": self.epoch,
            "position": self.position,
            "elapsed": self.elapsed,
        }
        partial = self.folder / "state.partial"
        torch.save(state, partial)
        partial.replace(self.folder / "state.pt")

    def save_weights(self) -> Path:
        """Write the averaged weights in bfloat16 to `weights.safetensors`."""
        path = self.folder / "weights.safetensors"
        weights = {name: value.to("cpu", torch.bfloat16).contiguous() for name, value in self.average.items()}
        save_file(weights, path)
        return path

    def _resume(self) -> None:
        state = torch.load(self.folder / "state.pt", map_location=self.device, weights_only=True)
        if state["config"] != json.dumps(self.config.as_dict(), sort_keys=True):
            raise ValueError(f"{self.folder} holds a run with another configuration")
        self.model.load_state_dict(state["model"])
        self.average = {name: value.to(self.device) for name, value in state["average"].items()}
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.epoch, self.position = state["step"], state["epoch"], state["position"]
        self.elapsed = state["elapsed"]

"""What is measured beside the loss: throughput and memory, and means of loss terms over all processes."""

from __future__ import annotations

import resource
import time

import torch
from accelerate import Accelerator

from editflow.process.base import IGNORE, AlignedBatch, Terms


class Meter:
    """Tokens and time since the last reading."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._tokens = 0
        self._since: float | None = None

    def add(self, batch: AlignedBatch) -> None:
        """Count a batch that is about to be trained on; the clock runs from the first one on."""
        self._since = self._since or time.monotonic()
        self._tokens += int((batch.z0 != IGNORE).sum())

    def read(self, accelerator: Accelerator) -> dict[str, float]:
        """Slots a second over all processes, without padding, and this process's peak memory in MB; starts anew."""
        now = time.monotonic()
        tokens = torch.tensor(float(self._tokens), device=self._device)
        total = float(accelerator.reduce(tokens, "sum"))
        rate = total / max(now - (self._since or now), 1e-9)
        self._tokens, self._since = 0, now
        return {"tokens_per_second": round(rate, 1), "memory_mb": round(self._peak() / 1e6, 1)}

    def _peak(self) -> int:
        """Bytes; of the GPU where there is one."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB


def mean_record(accelerator: Accelerator, terms: list[Terms]) -> dict[str, float]:
    """Loss terms averaged over micro-batches and processes; all processes must call it together."""
    records = [term.record() | {"loss": float(term.total.detach())} for term in terms]
    names = list(records[0])
    table = torch.tensor([[record[name] for name in names] for record in records], device=accelerator.device)
    means = accelerator.reduce(table.mean(0), "mean")
    return {name: round(value, 6) for name, value in zip(names, means.tolist(), strict=True)}

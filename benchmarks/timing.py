"""Clocks and memory gauges that are right on processors which compute while Python goes on."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import torch

WARM_UPS = 2
MIN_ROUNDS, MAX_ROUNDS = 5, 100
_STATUS = Path("/proc/self/status")
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB


def milliseconds(call: Callable[[], object], device: torch.device) -> float:
    """Wall time of one call, until the device has finished."""
    _synchronize(device)
    start = perf_counter()
    call()
    _synchronize(device)
    return (perf_counter() - start) * 1000


def alternate(
    calls: Sequence[Callable[[], object]], device: torch.device, seconds: float
) -> list[list[float]]:
    """Milliseconds of each call, made in turns for about `seconds` so that all see the same machine."""
    for call in list(calls) * WARM_UPS:
        milliseconds(call, device)
    times: list[list[float]] = [[] for _ in calls]
    end = perf_counter() + seconds
    while len(times[0]) < MIN_ROUNDS or (perf_counter() < end and len(times[0]) < MAX_ROUNDS):
        for call, taken in zip(calls, times, strict=True):
            taken.append(milliseconds(call, device))
    return times


def peak_bytes(device: torch.device) -> int:
    """Most memory held so far: of PyTorch's tensors on a GPU, of the whole process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if _STATUS.is_file():
        # getrusage's maximum begins with that of the process it was started from, so growth below it is lost
        peak = next(line for line in _STATUS.read_text("utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

"""Which device computes, and in which precision."""

from __future__ import annotations

from functools import cache

import torch

from editflow.errors import EditFlowError

DEVICES = ("auto", "cpu", "cuda")


def choose_device(name: str) -> torch.device:
    """`cpu`, `cuda`, or `auto`: CUDA where there is one. EditFlowError for any other name, or no CUDA."""
    if name not in DEVICES:
        raise EditFlowError(f"unknown device {name!r}: use {', '.join(DEVICES)}")
    if name == "cuda" and not torch.cuda.is_available():
        raise EditFlowError("device 'cuda' asked for, but this machine offers none: use --device cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


@cache
def computes_bfloat16() -> bool:
    """Whether the CPU has bfloat16 instructions (AVX-512 BF16 or AMX); without them bfloat16 is emulated."""
    return any(
        getattr(torch.cpu, probe, lambda: False)()
        for probe in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )

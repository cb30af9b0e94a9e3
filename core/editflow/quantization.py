"""Weights in the form that a checkpoint's file has: bfloat16, or int8 with a scale for every row of a matrix.

Int8 is symmetric and rounds to the nearest of 255 levels, the largest weight of a row on the last one (row-wise absmax,
LLM.int8(), arXiv 2208.07339, section 2). It is for the download alone: a network computes in floating point.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import torch
from torch import Tensor

from editflow.checkpoint import SCALE

LEVELS = 127
SMALLEST = torch.finfo(torch.float32).tiny


class WeightsFormat(StrEnum):
    """How a file holds the weights."""

    bf16 = "bf16"
    int8 = "int8"


def encode(state: Mapping[str, Tensor], form: WeightsFormat) -> dict[str, Tensor]:
    """The tensors to save for the weights of a network; `dequantize` reads both forms."""
    if form is WeightsFormat.int8:
        return quantize(state)
    return {name: tensor.bfloat16().contiguous() for name, tensor in state.items()}


def quantize(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every matrix X [N, M] as int8 [N, M] and X_scale float32 [N], all else bfloat16; |w - w'| <= scale / 2.

    Raises:
        ValueError: a matrix holds a number that is not finite.
    """
    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if tensor.ndim == 2:
            packed[name], packed[name + SCALE] = _rows(name, tensor.detach().float())
        else:
            packed[name] = tensor.detach().bfloat16()
    return packed


def dequantize(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in float32, whichever form they were saved in.

    Raises:
        ValueError: a matrix lacks its scales, they do not fit or are not finite, or a tensor holds no weights.
    """
    scales = {name + SCALE for name, tensor in tensors.items() if tensor.dtype is torch.int8}
    weights: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.dtype is torch.int8:
            weights[name] = tensor.float() * _scale_of(name, tensor, tensors)[:, None]
        elif not tensor.is_floating_point():
            raise ValueError(f"{name} is {tensor.dtype}, neither int8 nor floating point")
        elif name not in scales:
            weights[name] = tensor.float()
    return weights


def _rows(name: str, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Levels [N, M] and scales [N]; the least scale is still a normal number."""
    if not bool(matrix.isfinite().all()):
        raise ValueError(f"{name} holds a number that is not finite")
    scale = (matrix.abs().amax(1) / LEVELS).clamp_min(SMALLEST)
    return (matrix / scale[:, None]).round().clamp(-LEVELS, LEVELS).to(torch.int8), scale


def _scale_of(name: str, matrix: Tensor, tensors: Mapping[str, Tensor]) -> Tensor:
    """The scales [N] of an int8 matrix [N, M], float32."""
    scale = tensors.get(name + SCALE)
    if scale is None or matrix.ndim != 2 or scale.shape != matrix.shape[:1] or not scale.is_floating_point():
        raise ValueError(f"{name} lacks a scale for each of its rows")
    scale = scale.float()
    if not bool(((scale > 0) & scale.isfinite()).all()):
        raise ValueError(f"{name} has a scale that is not a positive number")
    return scale

"""Durations as people write them."""

from __future__ import annotations

import re

from editflow.errors import EditFlowError

_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(text: str) -> float:
    """A duration like 90m, 1.5h or 300s; EditFlowError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if match is None:
        raise EditFlowError(f"{text!r} is not a duration: write 300s, 90m or 1.5h")
    return float(match[1]) * _UNITS[match[2]]

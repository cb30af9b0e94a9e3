"""Reads the JSON lines that public benchmarks of programs are kept in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from editflow.errors import EditFlowError

Item = TypeVar("Item")


def read_rows(suite: str, path: Path, make: Callable[[dict[str, Any]], Item]) -> list[Item]:
    """What `make` makes of every row; EditFlowError where the file is missing or has another form."""
    if not path.is_file():
        raise EditFlowError(f"{path} is missing; give --data the folder that holds {path.name}")
    try:
        lines = path.read_text("utf-8").splitlines()
        return [make(json.loads(line)) for line in lines if line.strip()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EditFlowError(f"{path} is not in the form of {suite} ({error!r}); get it again") from error

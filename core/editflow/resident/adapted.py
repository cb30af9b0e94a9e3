"""A few adapted models, each made from the base when a job first needs it: the base is never loaded for one."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from editflow.adapters.adapter import Adapter
from editflow.resident.job import Model
from editflow.resident.log import log

MOST = 4
"""Adapted models that are kept; the one that was not needed for the longest time makes room."""


class AdaptedModels:
    """Adapted models by the folders of their adapters. The engine's thread alone calls it."""

    def __init__(self) -> None:
        self._made: OrderedDict[Path, tuple[Adapter, Model]] = OrderedDict()

    def of(self, base: Model, folder: Path) -> Model:
        """The base with the adapter that lies in the folder now; AdapterError where that cannot be used."""
        adapter = Adapter.read(folder)
        kept = self._made.get(folder)
        if kept is None or kept[0] != adapter:
            self._made.pop(folder, None)
            while len(self._made) >= MOST:
                self._made.popitem(last=False)
            self._made[folder] = adapter, _made(base, adapter)
        self._made.move_to_end(folder)
        return self._made[folder][1]

    def clear(self) -> None:
        """Let go of all; a job that began with one keeps it until it ends."""
        self._made.clear()


def _made(base: Model, adapter: Adapter) -> Model:
    model = base.adapted(adapter)
    model.batch_tokens = base.batch_tokens  # smaller where memory ran out
    log.info("adapted: %s", model.name)
    return model

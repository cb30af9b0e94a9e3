"""Keeps the model: loads it when it is needed, drops it when it is not, and retreats where memory runs out.

Adapted models come and go with it: they share its weights.
"""

import gc
import sys
from collections.abc import Callable
from pathlib import Path

from editflow.resident.adapted import AdaptedModels
from editflow.resident.job import Load, Model
from editflow.resident.log import log, readable
from editflow.resident.status import EngineStatus, StatusKind

LEAST_BATCH = 1024
"""Tokens; a batch this small that does not fit goes to the CPU."""


class Keeper:
    """The model and what is known of it. The engine's thread alone calls it."""

    def __init__(self, load: Load, device: str, changed: Callable[[], None]) -> None:
        """`changed` is told when `status` is another one."""
        self._load, self._chosen, self._changed = load, device, changed
        self._device, self._note = device, ""
        self._model: Model | None = None
        self._adapted = AdaptedModels()
        self.status = EngineStatus(StatusKind.inactive)

    @property
    def loaded(self) -> bool:
        """Whether there is a model."""
        return self._model is not None

    def model(self, adapter: Path | None = None) -> Model:
        """The model, or that with the adapter in a folder; AdapterError where the adapter cannot be used."""
        base = self._base()
        return base if adapter is None else self._adapted.of(base, adapter)

    def unload(self) -> None:
        """Drop the model and give its memory back; the next one is loaded as if nothing had happened."""
        self._model, self._device, self._note = None, self._chosen, ""
        self._adapted.clear()
        _free_memory()
        log.info("unloaded")
        self._become(StatusKind.inactive, "unloaded after a long rest")

    def retreat(self) -> bool:
        """After memory ran out: smaller batches, then the CPU; False where nothing is left to try."""
        self._adapted.clear()
        device = str(self._model.device) if self._model else self._device
        if self._model and self._model.batch_tokens > LEAST_BATCH:
            self._model.batch_tokens = max(self._model.batch_tokens // 4, LEAST_BATCH)
            self._note = f"short of memory: batches of at most {self._model.batch_tokens} tokens"
            self._become_ready()
        elif device != "cpu":
            self._model, self._device = None, "cpu"
            self._note = f"out of memory on {device}: runs on the CPU"
        else:
            return False
        _free_memory()
        log.warning("%s", self._note)
        return True

    def _base(self) -> Model:
        """The model, loaded where there is none; what loading raises becomes the status and is raised."""
        if self._model is None:
            self._become(StatusKind.loading, "loading the model")
            try:
                self._model = self._load(self._device)
            except Exception as error:
                self._become(StatusKind.error, readable(error))
                raise
            log.info("loaded %s on %s", self._model.name, self._model.device)
            self._become_ready()
        return self._model

    def _become_ready(self) -> None:
        fallen_back = self._device != self._chosen
        self._become(StatusKind.warning if fallen_back else StatusKind.ready, self._note)

    def _become(self, kind: StatusKind, message: str) -> None:
        model = self._model
        name, device = (model.name, str(model.device)) if model else (None, None)
        self.status = EngineStatus(kind, name, device, message=message)
        self._changed()


def is_out_of_memory(error: Exception) -> bool:
    """Whether the device had too little memory; torch is not imported for the answer."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()

"""The resident engine, once there is something to compute: a server that only shakes hands does not even import it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from editflow.document import Document
from editflow.request import Request
from editflow.resident.status import EngineStatus

if TYPE_CHECKING:
    from editflow.resident.client import ResidentEngine
    from editflow.resident.remote import RemoteJob


class Engine:
    """A `Model` that is connected to when it is first needed."""

    def __init__(
        self, choose: Callable[[], tuple[str, str, bool]], on_status: Callable[[EngineStatus], None]
    ) -> None:
        """`choose` is called once: model, device, and whether a daemon may be shared."""
        self._choose, self._on_status = choose, on_status

    async def warm(self) -> None:
        """Start it and have the model loaded; what fails becomes a status."""
        await self._resident.warm()

    def start(self, request: Request, adapter: Path | None = None) -> RemoteJob:
        """Begin a fix, with the adapter in a folder if one is given, without waiting for anything."""
        return self._resident.start(request, adapter)

    async def suspicion(
        self, document: Document, lines: tuple[int, int] | None = None, adapter: Path | None = None
    ) -> list[tuple[int, int, float]]:
        """(start, end, probability) of spans where an edit seems due; EditFlowError where that fails."""
        return await self._resident.suspicion(document, lines, adapter)

    async def close(self) -> None:
        """End all jobs and hang up."""
        if "_resident" in vars(self):
            await self._resident.close()

    @cached_property
    def _resident(self) -> ResidentEngine:
        from editflow.resident.client import EngineChoice, ResidentEngine  # 0.1 s

        model, device, daemon = self._choose()
        return ResidentEngine(EngineChoice(model, device), daemon=daemon, on_status=self._on_status)

"""Work-done progress of a job, for clients that show it; the token is theirs, or one that we ask them to take."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from lsprotocol.types import WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport
from pygls.exceptions import JsonRpcException

from editflow_lsp.peer import Peer, ProgressValue

TITLE = "Edit Flow"
LAST = 99  # per cent: the end says the rest


class Progress:
    """Progress that begins when the client has taken the token, and whose percentage never falls."""

    def __init__(self, peer: Peer, token: str | int | None, *, supported: bool) -> None:
        self._peer = peer
        self.token: str | int = token if token is not None else f"editflow-{uuid4().hex[:12]}"
        self._begun = self._ended = False
        self._percentage = 0
        self._creation: asyncio.Task[None] | None = None
        if token is not None:
            self._begin()
        elif supported:
            self._creation = asyncio.get_running_loop().create_task(self._create(str(self.token)))

    def report(self, step: int, total: int, model: str | None) -> None:
        """After a pass of a model."""
        if self._begun and not self._ended:
            self._percentage = max(self._percentage, min(LAST, 100 * step // max(total, 1)))
            message = f"pass {step}" if model is None else f"pass {step} by {model}"
            self._say(WorkDoneProgressReport(message=message, percentage=self._percentage))

    def end(self, message: str) -> None:
        """At the end; a client that has not taken the token by then is not asked to show any."""
        if self._begun and not self._ended:
            self._say(WorkDoneProgressEnd(message=message))
        self._ended = True

    async def _create(self, token: str) -> None:
        try:
            await self._peer.create_progress(token)
        except JsonRpcException:
            return  # the client will not show progress, which is its right
        if not self._ended:
            self._begin()

    def _begin(self) -> None:
        self._begun = True
        self._say(WorkDoneProgressBegin(title=TITLE, cancellable=True, percentage=0))

    def _say(self, value: ProgressValue) -> None:
        self._peer.report_progress(self.token, value)

"""An edit that the editor was asked to apply, verified by the text: some editors say yes to what they dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from editflow_lsp.buffer import Buffer

PATIENCE = 0.5
"""Seconds from the editor's answer until its changes have to have arrived; Neovim gathers them for 0.15 s."""


class Withdrawn(Exception):
    """The request was cancelled while the editor had not answered."""


class Applying:
    """Waits for a document to read as it should."""

    def __init__(self, uri: str, expected: str, request_id: str | int | None = None) -> None:
        self.request_id = request_id
        self._uri, self._expected = uri, expected
        self._seen = asyncio.Event()
        self._contradicted = False
        self._asked: asyncio.Task[str | None] | None = None

    def withdraw(self) -> None:
        """Take back what the editor was asked, if it has not answered."""
        if self._asked is not None:
            self._asked.cancel()

    def look(self, buffer: Buffer) -> None:
        """A document changed."""
        if buffer.uri != self._uri:
            return
        if not buffer.closed and buffer.text == self._expected:
            self._seen.set()
        else:
            self._contradicted = True

    async def seen_after(self, asking: Coroutine[Any, Any, str | None]) -> str | None:
        """Why it was not applied, as the editor answers or as the text shows; None once the text was seen.

        An editor that says yes and sends no change at all is believed: eglot sends none before it has its answer.
        Withdrawn if that came first.
        """
        self._asked = asyncio.get_running_loop().create_task(asking)
        await asyncio.wait([self._asked])
        if self._asked.cancelled():
            raise Withdrawn("cancelled while the editor had not yet said whether it applies the edit")
        refusal = self._asked.result()
        if refusal is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._seen.wait(), PATIENCE)
        if self._seen.is_set():
            return None
        said_so = "the editor said that it applied the edit, but the document does not read so"
        return refusal or (said_so if self._contradicted else None)

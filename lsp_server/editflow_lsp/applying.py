"""An edit that the editor was asked to apply, verified by the text: some editors say yes to what they dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from editflow_lsp.buffer import Buffer

PATIENCE = 0.5
"""Seconds from the editor's answer until its changes have to have arrived; Neovim gathers them for 0.15 s."""


class Applying:
    """Waits for a document to read as it should."""

    def __init__(self, uri: str, expected: str) -> None:
        self._uri, self._expected = uri, expected
        self._seen = asyncio.Event()
        self._contradicted = False

    def look(self, buffer: Buffer) -> None:
        """A document changed."""
        if buffer.uri != self._uri:
            return
        if not buffer.closed and buffer.text == self._expected:
            self._seen.set()
        else:
            self._contradicted = True

    async def seen_after(self, answer: Awaitable[str | None]) -> str | None:
        """Why it was not applied, as the editor answers or as the text shows; None once the text was seen.

        An editor that says yes and sends no change at all is believed: eglot sends none before it has its answer.
        """
        refusal = await answer
        if refusal is None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._seen.wait(), PATIENCE)
        if self._seen.is_set():
            return None
        said_so = "the editor said that it applied the edit, but the document does not read so"
        return refusal or (said_so if self._contradicted else None)

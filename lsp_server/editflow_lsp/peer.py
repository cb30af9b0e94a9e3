"""What a session says to the editor; the server speaks it over JSON-RPC, tests play the editor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from lsprotocol.types import (
    ApplyWorkspaceEditResult,
    Diagnostic,
    MessageType,
    WorkDoneProgressBegin,
    WorkDoneProgressEnd,
    WorkDoneProgressReport,
    WorkspaceEdit,
)

ProgressValue = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd


class Peer(Protocol):
    """The editor at the other end. Nothing here blocks; what is awaited is the editor's answer."""

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Send one of our own notifications."""

    def replace(self, key: str, method: str, params: dict[str, Any]) -> None:
        """Send a notification that may be dropped for a newer one of the same key."""

    def discard(self, key: str) -> None:
        """Take back what `replace` has not sent yet."""

    async def apply_edit(self, label: str, edit: WorkspaceEdit) -> ApplyWorkspaceEditResult:
        """Ask to apply an edit."""

    async def create_progress(self, token: str) -> None:
        """Ask to show progress under a token."""

    def report_progress(self, token: str | int, value: ProgressValue) -> None:
        """Begin, go on with, or end progress."""

    def publish(self, uri: str, version: int | None, diagnostics: Sequence[Diagnostic]) -> None:
        """Show diagnostics of ours in place of the former ones."""

    def show(self, kind: MessageType, text: str) -> None:
        """Tell the person."""

"""What a surface asks of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from editflow.diagnostics import Diagnostic
from editflow.document import Document


@dataclass(frozen=True, slots=True)
class Request:
    """Fix a document, or some of its lines."""

    document: Document
    lines: tuple[int, int] | None = None
    """1-based, inclusive; None is the whole file."""
    instruction: str = ""
    diagnostics: tuple[Diagnostic, ...] | None = None
    """Ranges in the document's text; None checks the text itself where it is Python."""
    candidates: int = 1
    steps: int = 8
    """Passes at most."""
    seed: int = 0
    threshold: float | None = None
    """Confidence below which no hunk is proposed; None takes the checkpoint's."""

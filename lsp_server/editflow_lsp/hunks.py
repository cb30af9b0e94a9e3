"""Names for the hunks of a job that stay the same from step to step, so that a client can keep decisions about them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from editflow.pieces import TextEdit
from editflow_lsp.buffer import Change
from editflow_lsp.rebase import Placed, rebase


class HunkNames:
    """Gives h1, h2, ... to places in the text; a hunk that overlaps or touches one of the last step keeps its name."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._named: list[tuple[TextEdit, str]] = []

    def name(self, edits: Sequence[TextEdit]) -> list[str]:
        """One name an edit, each once; where several could have a name, the one that overlaps most of it has it."""
        kept: dict[int, str] = {}
        for new, old in self._pairs(edits):
            name = self._named[old][1]
            if new not in kept and name not in kept.values():
                kept[new] = name
        names = [kept.get(at) or f"h{next(self._numbers)}" for at in range(len(edits))]
        self._named = list(zip(edits, names, strict=True))
        return names

    def moved(self, change: Change) -> None:
        """Follow a change of the text beside the hunks; one that touches them makes all names new."""
        if not self._named:
            return
        edits = tuple(edit for edit, _ in self._named)
        hull = min(edit[0] for edit in edits), max(edit[1] for edit in edits)
        placed = rebase(Placed(hull, edits), change)
        names = [name for _, name in self._named]
        self._named = list(zip(placed.edits, names, strict=True)) if placed else []

    def _pairs(self, edits: Sequence[TextEdit]) -> list[tuple[int, int]]:
        """Indices of edits and of named hunks at the same place, best overlap first, then nearest."""
        pairs = [
            (-min(end, last) + max(start, first), abs(start - first) + abs(end - last), new, old)
            for new, (start, end, *_) in enumerate(edits)
            for old, ((first, last, *_), _) in enumerate(self._named)
            if start <= last and first <= end
        ]
        return [(new, old) for *_, new, old in sorted(pairs)]

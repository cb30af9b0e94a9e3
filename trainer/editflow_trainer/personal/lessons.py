"""Which edits of a history teach something: those whose change recurs in it, and those whose message spells it out.

Most edits can be foreseen from nothing: what they write occurs once, and no message names it. They cost as much time
as the others and drown them. What recurs is the repository's convention; what is spelled out teaches to read messages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from statistics import mean

from rapidfuzz.distance import Indel

from editflow_trainer.mining.edits import MinedEdit

RECURRING = 3
"""Edits of the history that make a change, from which on it is a convention."""
MOSTLY = 0.5
"""Share of edits that repeat older ones, from which on a history counts as nothing but conventions."""
MOST_CHANGES = 4
MOST_WORDS = 12
"""Words that go and come in all changes together of an edit that its message spells out."""
_WORD = re.compile(r"[A-Za-z_]\w*|\d+|[^\w\s]")
_NAME = re.compile(r"[A-Za-z_]")
Change = tuple[tuple[str, ...], tuple[str, ...]]
"""The words that go, and those that come in their place."""


def changes(before: str, after: str) -> list[Change]:
    """The places where two texts differ, in words and signs."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    places: list[tuple[int, int, int, int]] = []
    for op in Indel.opcodes(old, new):
        if op.tag == "equal":
            continue
        # Only deletions and insertions come; neighbours of them are one change.
        joins = bool(places) and (places[-1][1], places[-1][3]) == (op.src_start, op.dest_start)
        first = places.pop() if joins else (op.src_start, op.src_end, op.dest_start, op.dest_end)
        places.append((first[0], op.src_end, first[2], op.dest_end))
    return [(tuple(old[a:b]), tuple(new[c:d])) for a, b, c, d in places]


class Conventions:
    """The changes of a history, and how many of its edits make each."""

    def __init__(self, edits: Iterable[MinedEdit]) -> None:
        self._counts = Counter(change for edit in edits for change in set(changes(edit.before, edit.after)))

    def covers(self, edit: MinedEdit, least: int = RECURRING) -> bool:
        """Whether each change of an edit is made by at least so many edits of the history."""
        made = changes(edit.before, edit.after)
        return bool(made) and all(self._counts[change] >= least for change in made)

    def most_common(self, count: int) -> list[tuple[Change, int]]:
        """The changes made most often."""
        return self._counts.most_common(count)


def conventional(older: Iterable[MinedEdit], newer: Collection[MinedEdit]) -> float:
    """How far newer edits repeat older ones: from 0, where none does, to 1, where MOSTLY of them or more do."""
    conventions = Conventions(older)
    return min(1.0, mean(map(conventions.covers, newer)) / MOSTLY) if newer else 0.0


def spelled_out(edit: MinedEdit) -> bool:
    """Whether an edit is small and its message names all the names that come in."""
    made = changes(edit.before, edit.after)
    words = sum(len(old) + len(new) for old, new in made)
    names = [word for _, new in made for word in new if _NAME.match(word)]
    said = bool(names) and all(name in edit.message for name in names)
    return len(made) <= MOST_CHANGES and words <= MOST_WORDS and said


def lessons(edits: Sequence[MinedEdit]) -> list[MinedEdit]:
    """The edits that teach something, in their order."""
    conventions = Conventions(edits)
    return [edit for edit in edits if conventions.covers(edit) or spelled_out(edit)]

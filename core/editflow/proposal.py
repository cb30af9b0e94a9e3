"""A proposal: one document and the hunks that would change it, each pending, accepted or rejected.

Everything that shows or applies an edit is a projection of this value. It never changes; `editflow.decisions`
makes the next one.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import Self

from editflow.document import Document, split_lines

Confidence = Callable[[int, int], float] | float
TextEdit = tuple[int, int, str, float]  # start and end in the document's text, replacement, confidence

Change = tuple[int, int, int, int]  # old[i1:i2] becomes new[j1:j2]

_TOKEN = re.compile(r"\w+|\r?\n|\r|[^\S\r\n]+|[^\w\s]")  # "\r\n" is one: LSP has no place inside it
_MAX_PIECES = 2000  # difflib is quadratic: past this many tokens a block is replaced whole
_NEARBY = 8  # characters: changes this close on one line read as one


class HunkState(StrEnum):
    """What was decided about a hunk."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Hunk:
    """Replace `old`, the document's text at `start:end` and its bytes at `start_byte:end_byte`, by `new`."""

    start: int
    end: int
    start_byte: int
    end_byte: int
    old: str
    new: str
    confidence: float
    state: HunkState = HunkState.PENDING


@dataclass(frozen=True, slots=True)
class Proposal:
    """Hunks over one version of a document, in order and not overlapping, and the steps that led there."""

    document: Document
    hunks: tuple[Hunk, ...]
    steps: tuple[object, ...] = ()

    def __post_init__(self) -> None:
        for hunk in self.hunks:
            start, end = self.document.byte_offset(hunk.start), self.document.byte_offset(hunk.end)
            if (start, end) != (hunk.start_byte, hunk.end_byte):
                raise ValueError(f"bytes {hunk.start_byte}:{hunk.end_byte} are not where the hunk's text is")
            if self.document.text[hunk.start : hunk.end] != hunk.old:
                raise ValueError(f"the document does not hold {hunk.old!r} at {hunk.start}:{hunk.end}")
        for before, after in pairwise(self.hunks):
            if before.end > after.start:
                raise ValueError(f"hunks overlap or are out of order at {after.start}")

    @classmethod
    def from_texts(cls, document: Document, new_text: str, confidence: Confidence = 1.0) -> Self:
        """The hunks that turn the document's text into `new_text`, on token boundaries inside changed lines.

        `confidence` is one number, or a function of a hunk's character range in the document's text.
        """
        changes = _merge_nearby(document.text, _changes(document.text, new_text))
        rate = confidence if callable(confidence) else lambda start, end: confidence
        hunks = (make_hunk(document, i1, i2, new_text[j1:j2], rate(i1, i2)) for i1, i2, j1, j2 in changes)
        return cls(document, tuple(hunks))

    @classmethod
    def from_edits(cls, document: Document, edits: Iterable[TextEdit]) -> Self:
        """One hunk an edit; those that touch become one, of the lower confidence; those without effect, none.

        Edits may come in any order, insertions at one place in the order that they shall have there. Raises
        ValueError if two with an effect overlap or one is outside the text.
        """
        merged: list[TextEdit] = []
        for start, end, new, confidence in sorted(edits, key=lambda edit: edit[:2]):
            if not 0 <= start <= end <= len(document.text):
                raise ValueError(f"edit {start}:{end} is outside a text of {len(document.text)} characters")
            if document.text[start:end] == new:
                continue
            if merged and start < merged[-1][1]:
                raise ValueError(f"edits overlap at {start}")
            if merged and start == merged[-1][1]:
                first, _, text, lower = merged.pop()
                merged.append((first, end, text + new, min(lower, confidence)))
            else:
                merged.append((start, end, new, confidence))
        hunks = (make_hunk(document, *edit) for edit in merged)
        return cls(document, tuple(hunk for hunk in hunks if hunk.old != hunk.new))

    @property
    def text(self) -> str:
        """The document's text with every hunk applied, whatever was decided."""
        return self._apply(self.hunks)

    def accepted(self) -> tuple[Hunk, ...]:
        """The hunks that were accepted."""
        return tuple(hunk for hunk in self.hunks if hunk.state is HunkState.ACCEPTED)

    def decided_text(self) -> str:
        """The document's text with the accepted hunks applied."""
        return self._apply(self.accepted())

    def _apply(self, hunks: Sequence[Hunk]) -> str:
        pieces: list[str] = []
        at = 0
        for hunk in hunks:
            pieces += (self.document.text[at : hunk.start], hunk.new)
            at = hunk.end
        return "".join(pieces) + self.document.text[at:]


def make_hunk(document: Document, start: int, end: int, new: str, confidence: float) -> Hunk:
    """The pending hunk that replaces the characters `start:end` of the document."""
    start_byte, end_byte = document.byte_offset(start), document.byte_offset(end)
    return Hunk(start, end, start_byte, end_byte, document.text[start:end], new, confidence)


def changed_ranges(old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    """Differences between two sequences of pieces, as character ranges of the joined texts, in order."""
    large = max(len(old), len(new)) > _MAX_PIECES
    # A large file compared whole is quadratic: its equal ends and the anchors that recur most are left out.
    # A small text is not trimmed, because a longest equal end is not always the one a reader would choose.
    head = _common_prefix(old, new) if large else 0
    tail = _common_prefix(old[head:][::-1], new[head:][::-1]) if large else 0
    matcher = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=large)
    old_at, new_at = _offsets(old), _offsets(new)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            yield old_at[head + i1], old_at[head + i2], new_at[head + j1], new_at[head + j2]


def _changes(old: str, new: str) -> Iterator[Change]:
    """By lines first, then by tokens inside each block of changed lines."""
    for i1, i2, j1, j2 in changed_ranges(split_lines(old), split_lines(new)):
        a, b = _TOKEN.findall(old[i1:i2]), _TOKEN.findall(new[j1:j2])
        if max(len(a), len(b)) > _MAX_PIECES:
            yield i1, i2, j1, j2
            continue
        for a1, a2, b1, b2 in changed_ranges(a, b):
            yield i1 + a1, i1 + a2, j1 + b1, j1 + b2


def _merge_nearby(old: str, changes: Iterable[Change]) -> list[Change]:
    merged: list[Change] = []
    for i1, i2, j1, j2 in changes:
        gap = old[merged[-1][1] : i1] if merged else "\n"
        if len(gap) <= _NEARBY and "\n" not in gap:
            i1, _, j1, _ = merged.pop()
        merged.append((i1, i2, j1, j2))
    return merged


def _common_prefix(a: Sequence[str], b: Sequence[str]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _offsets(pieces: Sequence[str]) -> list[int]:
    return list(accumulate(map(len, pieces), initial=0))

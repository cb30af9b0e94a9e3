"""A window's tokens in the three parts that a causal model is prompted with, from a training row or a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from editflow.canvas import EOS, Role
from editflow.process.base import AlignedBatch
from editflow.window import AFTER, EDIT, WindowTokens


@dataclass(frozen=True, slots=True)
class Parts:
    """What precedes the editable region, the region, and what follows it."""

    head: list[int]
    """`<bos> <file> name ... <edit>`."""
    editable: list[int]
    marked: list[bool]
    """Whether a diagnostic underlines each editable token."""
    tail: list[int]
    """`<after> text <eos>`."""

    @classmethod
    def of_window(cls, window: WindowTokens) -> Parts:
        """The parts of an encoded window."""
        start, end = window.start, window.end
        marked = [role == Role.MARKED for role in window.roles[start:end]]
        return cls(window.ids[:start], window.ids[start:end], marked, window.ids[end:])


def read_pairs(batch: AlignedBatch) -> Iterator[tuple[Parts, list[int]]]:
    """Each row's source and the tokens that its editable region should become: z0 and z1 without blanks."""
    for z0, z1, role in zip(batch.z0.tolist(), batch.z1.tolist(), batch.role.tolist(), strict=True):
        ids = [token for token in z0 if token >= 0]
        roles = [kind for token, kind in zip(z0, role, strict=True) if token >= 0]
        target = [token for token in z1 if token >= 0]
        start, end = _region(ids)
        marked = [kind == Role.MARKED for kind in roles[start:end]]
        first, last = _region(target)
        yield Parts(ids[:start], ids[start:end], marked, ids[end:]), target[first:last]


def _region(ids: list[int]) -> tuple[int, int]:
    """Where the editable tokens start and end; text holds no special token, so the next one ends them."""
    start = ids.index(EDIT) + 1
    return start, next(i for i in range(start, len(ids)) if ids[i] in (AFTER, EOS))

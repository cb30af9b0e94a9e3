"""Carries a proposal over a change of the text, where the change leaves alone what the model looked at and may edit."""

from dataclasses import dataclass

from editflow.pieces import TextEdit
from editflow_lsp.buffer import Change


@dataclass(frozen=True, slots=True)
class Placed:
    """Edits that do not overlap, and the window that they stay in, as offsets of one text."""

    window: tuple[int, int]
    edits: tuple[TextEdit, ...]


def rebase(placed: Placed, change: Change) -> Placed | None:
    """The same edits of the changed text; None where the change touches the window.

    A change that ends where the window starts, or starts where it ends, does not touch it unless it only inserts.
    """
    low, high = placed.window
    start, end, new = change
    inserts_at_edge = start == end and start in placed.window
    if inserts_at_edge or (end > low and start < high):
        return None
    if start >= high:
        return placed
    shift = len(new) - (end - start)
    edits = tuple((first + shift, last + shift, text, sure) for first, last, text, sure in placed.edits)
    return Placed((low + shift, high + shift), edits)

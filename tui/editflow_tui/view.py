"""What the diff pane shows, as values: equal pictures paint the same."""

from dataclasses import dataclass
from enum import StrEnum

from editflow.proposal import Hunk, Proposal

Span = tuple[int, int, float]  # characters start:end of the document, probability that an edit is due
Range = tuple[int, int]


class Layout(StrEnum):
    """How old and new lines stand: below each other, side by side, or whichever the width has room for."""

    auto = "auto"
    unified = "unified"
    split = "split"  # type: ignore[assignment]  # a method of str, which no layout needs


@dataclass(frozen=True, slots=True)
class View:
    """How a proposal is laid out."""

    layout: Layout = Layout.auto
    wrap: bool = False
    context: int | None = 3  # unchanged lines around a hunk; None: the whole file
    whitespace: bool = False
    heat: bool = False
    open_folds: frozenset[int] = frozenset()  # first hidden line (0-based) of the folds that are open


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is on the diff pane."""

    proposal: Proposal
    view: View
    cursor: int | None = None  # the hunk under the cursor
    heat: tuple[Span, ...] = ()  # in order
    matches: tuple[Range, ...] = ()  # search hits in characters of the document, in order
    match: int | None = None  # the current one of them
    selection: Range | None = None  # 1-based inclusive lines of the document
    stale: tuple[Hunk, ...] = ()  # hunks whose text is gone: notes near their line, not to be decided
    draft: bool = False  # a frame of a flow that is not its last

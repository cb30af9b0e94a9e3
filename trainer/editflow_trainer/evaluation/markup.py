"""A proposal as HTML: the document's lines with what goes in `<del>` and what comes in `<ins>`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from editflow.document import Document
from editflow.patch import visible
from editflow.proposal import Proposal

AROUND = 3  # lines shown around a change
_LINE_END = "\u21b5"  # shows where a line end comes or goes


@dataclass(slots=True)
class MarkedLine:
    """One line of the source, with what is inserted in it; further lines that come with that are part of it."""

    number: int  # 1-based, in the document
    html: str = ""


def marked_excerpt(proposal: Proposal, touched: Sequence[Proposal]) -> str:
    """The lines that any of the `touched` proposals changes, and those around, with this proposal's marks.

    So that the passes of one case show the same lines. All text is escaped.
    """
    document = proposal.document
    wanted = _wanted(document, touched)
    shown: list[str] = []
    last = 0
    for line in marked_lines(proposal):
        if line.number in wanted:
            if line.number != last + 1:
                shown.append("<span class='gap'>\u22ee</span>")
            shown.append(f"<span class='n'>{line.number:>4} </span>{line.html}")
            last = line.number
    return "\n".join(shown) if shown else "<span class='gap'>no line changes</span>"


def marked_lines(proposal: Proposal) -> list[MarkedLine]:
    """All lines of the document, those of inserted text joined to the line they start on."""
    lines = [MarkedLine(1)]
    for text, tag in _pieces(proposal):
        for place, part in enumerate(text.split("\n")):
            if place:
                lines[-1].html += _wrapped(_LINE_END, tag) if tag else ""
                if tag == "ins":
                    lines[-1].html += "\n     "
                else:
                    lines.append(MarkedLine(lines[-1].number + 1))
            lines[-1].html += _wrapped(part, tag)
    return lines


def _pieces(proposal: Proposal) -> Iterator[tuple[str, str]]:
    """Text and its tag, in the order of the document."""
    at = 0
    for hunk in proposal.hunks:
        yield proposal.document.text[at : hunk.start], ""
        yield hunk.old, "del"
        yield hunk.new, "ins"
        at = hunk.end
    yield proposal.document.text[at:], ""


def _wrapped(text: str, tag: str) -> str:
    shown = escape(visible(text))
    return f"<{tag}>{shown}</{tag}>" if tag and shown else shown


def _wanted(document: Document, proposals: Iterable[Proposal]) -> set[int]:
    """1-based lines."""
    wanted: set[int] = set()
    for proposal in proposals:
        for hunk in proposal.hunks:
            first, last = (document.line_of(place) + 1 for place in (hunk.start, hunk.end))
            wanted.update(range(first - AROUND, last + AROUND + 1))
    return wanted

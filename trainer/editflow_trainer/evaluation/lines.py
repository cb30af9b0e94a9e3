"""Which lines a change touches, and requests that are limited to them."""

from __future__ import annotations

from dataclasses import replace

from editflow.document import Document
from editflow.proposal import Proposal
from editflow.request import Request


def changed_lines(document: Document, text: str) -> set[int]:
    """0-based lines of the document that a change to `text` touches; an insertion touches where it stands."""
    touched: set[int] = set()
    for hunk in Proposal.from_texts(document, text).hunks:
        last = max(hunk.start, hunk.end - 1)
        touched.update(range(document.line_of(hunk.start), document.line_of(last) + 1))
    return touched


def pointed(request: Request, expected: str) -> Request:
    """The request for the lines from the first to the last that the right fix changes, within its own."""
    touched = changed_lines(request.document, expected)
    if not touched:
        return request
    first, last = request.lines or (1, request.document.text.count("\n") + 1)
    return replace(
        request, lines=(max(first, min(last, min(touched) + 1)), max(first, min(last, max(touched) + 1)))
    )

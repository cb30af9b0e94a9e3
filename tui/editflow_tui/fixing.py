"""What is asked of the engine: fixes of a file, of some of its lines, or onward from what was decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from editflow.carry import forbidden_in
from editflow.commands.fix_options import Options
from editflow.document import Document, check_line_lengths, split_lines
from editflow.errors import EditFlowError
from editflow.proposal import Proposal
from editflow.request import Request
from editflow_tui.actions import Started
from editflow_tui.file_review import FileReview
from editflow_tui.following import Lines
from editflow_tui.runner import RunnerEvent

CANDIDATES = 4
"""Attempts where something else is wanted than what was proposed."""


class Fixer(Protocol):
    """What is needed of a `Runner`."""

    def fix(self, key: int, request: Request) -> None: ...
    def suspect(self, key: int, document: Document) -> None: ...
    def cancel(self, key: int) -> None: ...
    async def close(self) -> None: ...


MakeFixer = Callable[[Callable[[RunnerEvent], None]], Fixer]
"""A fixer that tells its events to the function given."""


def request_for(file: FileReview, started: Started, options: Options) -> Request:
    """The request that a started fix stands for; EditFlowError where there is no text that a model could read."""
    run, document = started.run, file.document
    steered = run.steered
    if steered is not None:
        document = _decided(steered)
    check_line_lengths(document)
    request = options.request(document)
    return replace(
        request,
        seed=started.seed,
        candidates=CANDIDATES if run.other else request.candidates,
        lines=_within(run.lines or _moved(options.lines, steered), document),
        forbidden=() if steered is None else forbidden_in(steered),
    )


def _decided(steered: Proposal) -> Document:
    """The document with what was accepted, which must read the same once it is bytes."""
    text, before = steered.decided_text(), steered.document
    document = Document.from_bytes(before.encode(text), before.path)
    if document.text != text:
        raise EditFlowError("an accepted hunk declares another encoding: take it back to go on without it")
    return document


def _moved(lines: Lines | None, steered: Proposal | None) -> Lines | None:
    """The lines that were asked for, with those that accepted hunks added to them or took away."""
    if lines is None or steered is None:
        return lines
    added = sum(hunk.new.count("\n") - hunk.old.count("\n") for hunk in steered.accepted())
    return lines[0], lines[1] + added


def _within(lines: Lines | None, document: Document) -> Lines | None:
    """Only lines that there are: others may have shortened the file."""
    last = max(1, len(split_lines(document.text)))
    return None if lines is None else (min(lines[0], last), max(min(lines[0], last), min(lines[1], last)))

"""A client's fix as a request to the engine, with what other tools complain about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from editflow.diagnostic import Diagnostic
from editflow.request import Request
from editflow_lsp.buffer import Buffer
from editflow_lsp.messages import FixParams
from editflow_lsp.rules import Rules
from editflow_lsp.target import Target

MAX_REPORTED = 64
MAX_MESSAGE = 500  # characters of a diagnostic
OURS = "editflow"
ALTERNATIVES = 4
"""Candidates that are drawn for each further seed."""
MOST_CANDIDATES = 16
_MAGIC = re.compile(r"^\s*[%!]", re.MULTILINE)


def request_of(params: FixParams, buffer: Buffer, target: Target, rules: Rules) -> Request:
    """What to ask of the engine."""
    request = Request(
        target.document,
        lines=target.lines,
        instruction=params.instruction,
        reported=tuple(_reported(params, buffer)),
        candidates=min(1 + ALTERNATIVES * params.seed, MOST_CANDIDATES),
        seed=params.seed,
        threshold=rules.threshold,
        threshold_floor=rules.threshold_floor,
    )
    if not target.is_cell:
        return request
    # A cell sees the names of the other cells, which the checker does not: only its syntax is checked, once.
    return replace(request, diagnostics=tuple(_cell_syntax(buffer.text)), rounds=1)


def _cell_syntax(text: str) -> list[Diagnostic]:
    from editflow.diagnostics import check_python  # 50 ms that `initialize` need not wait for

    return [] if _MAGIC.search(text) else check_python(text, known_names={"*"})


def _reported(params: FixParams, buffer: Buffer) -> Iterator[Diagnostic]:
    for diagnostic in params.diagnostics[:MAX_REPORTED]:
        if diagnostic.source != OURS:
            start, end = buffer.index.offsets(diagnostic.range)
            message = " ".join(diagnostic.message.split())[:MAX_MESSAGE]
            yield Diagnostic(start, max(end, start + 1), message, diagnostic.source or "editor")

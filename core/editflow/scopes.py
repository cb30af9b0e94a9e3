"""Which parts of a document become windows: functions by tree-sitter, lines where there is no tree to trust.

A whole file is cut into its functions, each one window. Code outside functions becomes a window only where a
diagnostic or the requested range asks for it. Files that are not Python, and Python too broken for a tree, are cut by
lines. Regions longer than the model's window are cut at line ends, with the lines around as frozen context.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

from editflow.diagnostic import Diagnostic
from editflow.functions import Region, functions_of
from editflow.placed import PlacedWindow
from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS, Window

PYTHON_SUFFIXES = frozenset({".py", ".pyi", ".pyw", ""})
IMPORT_CHARACTERS = 600
AROUND_LINES = 12
"""Lines before and after a region that are offered as context (cut to its token budget later)."""
POINTED_LINES = 3
"""A selection of at most this many lines of a region says where the fault is, a longer one what may change."""
_IMPORT = re.compile(r"(?:import|from)\s")


def place_windows(
    text: str,
    tokenizer: CodeTokenizer,
    *,
    suffix: str = ".py",
    file: str = "",
    lines: tuple[int, int] | None = None,
    instruction: str = "",
    diagnostics: Sequence[Diagnostic] = (),
) -> list[PlacedWindow]:
    """Windows over `text` ("\\n" line ends): those that overlap `lines` (1-based, inclusive), else all."""
    if not text.strip():
        return []
    rows = text.split("\n")
    starts = _line_starts(rows)
    wanted = range(max(0, lines[0] - 1), min(len(rows), lines[1])) if lines else range(len(rows))
    noted = {_line_at(starts, d.start) for d in diagnostics}
    python = suffix in PYTHON_SUFFIXES
    shared = Window(text="", file=file, instruction=instruction, imports=_imports(rows) if python else "")

    def is_due(region: Region, anyway: bool) -> bool:
        covered = _common(region, wanted)
        return bool(covered) and (anyway or not noted.isdisjoint(covered))

    placed: list[PlacedWindow] = []
    for region, is_function in _regions(text, rows, python):
        anyway = is_function or lines is not None or not python
        if is_due(region, anyway):
            parts = (part for part in _parts(region, rows, tokenizer) if is_due(part, anyway))
            placed += [
                _place(part, region, _common(part, wanted), rows, starts, shared, diagnostics)
                for part in parts
            ]
    return placed


def _common(region: Region, lines: range) -> range:
    return range(max(region.first, lines.start), min(region.last, lines.stop))


def _place(
    part: Region,
    region: Region,
    allowed: range,
    rows: list[str],
    starts: list[int],
    shared: Window,
    diagnostics: Sequence[Diagnostic],
) -> PlacedWindow:
    start, end = starts[part.first], starts[part.last]
    body = "\n".join(rows[part.first : part.last]) + "\n"
    inside = tuple(
        replace(d, start=max(d.start, start) - start, end=min(d.end, end) - start)
        for d in diagnostics
        if start <= d.start < end
    )
    cut = part != region
    window = replace(
        shared,
        text=body,
        diagnostics=inside,
        scope=part.scope,
        before="\n".join(rows[max(0, part.first - AROUND_LINES) : part.first]) + "\n"
        if cut and part.first
        else "",
        after="\n".join(rows[part.last : part.last + AROUND_LINES]) if cut else "",
    )
    place = (starts[allowed.start] - start, starts[allowed.stop] - start)
    if len(allowed) <= min(POINTED_LINES, part.last - part.first - 1):
        window = replace(window, pointed=place)
    return PlacedWindow(window, start, place)


def _line_starts(rows: list[str]) -> list[int]:
    """Offset of every line, and of the end of a newline after the last one."""
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row) + 1)
    return starts


def _line_at(starts: list[int], offset: int) -> int:
    return max(0, min(bisect_left(starts, offset + 1) - 1, len(starts) - 2))


def _imports(rows: list[str]) -> str:
    """The import lines at the margin, cut as training cuts them."""
    return "".join(row + "\n" for row in rows if _IMPORT.match(row))[:IMPORT_CHARACTERS]


def _regions(text: str, rows: list[str], python: bool) -> Iterator[tuple[Region, bool]]:
    """Regions in order, and whether each is a function; together they cover every line that is not blank."""
    functions = functions_of(text, rows) if python else []
    at = 0
    for region in functions:
        yield from _plain(rows, at, region.first)
        yield region, True
        at = region.last
    yield from _plain(rows, at, len(rows))


def _plain(rows: list[str], first: int, last: int) -> Iterator[tuple[Region, bool]]:
    while first < last and not rows[first].strip():
        first += 1
    while last > first and not rows[last - 1].strip():
        last -= 1
    if first < last:
        yield Region(first, last), False


def _parts(region: Region, rows: list[str], tokenizer: CodeTokenizer) -> Iterator[Region]:
    """The region, or runs of its lines that fit the model's window; a line that does not fit alone is in none."""
    sizes = [len(ids) for ids in tokenizer.encode_batch([r + "\n" for r in rows[region.first : region.last]])]
    first, used = region.first, 0
    for line, size in enumerate(sizes, region.first):
        if used + size > EDITABLE_TOKENS:
            if first < line:
                yield replace(region, first=first, last=line)
            first, used = line, 0
        if size > EDITABLE_TOKENS:
            first = line + 1
        else:
            used += size
    if first < region.last:
        yield replace(region, first=first, last=region.last)

"""Which parts of a document become windows: functions by tree-sitter, lines where there is no tree to trust.

A whole file is cut into its functions, each one window. Code outside functions becomes a window only where a
diagnostic or the requested range asks for it. Files that are not Python, and Python too broken for a tree, are cut by
lines. Regions longer than the model's window are cut at line ends, with the lines around as frozen context.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import tree_sitter_python
from tree_sitter import Language, Node, Parser

from editflow.diagnostics import Diagnostic
from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS, Window

PYTHON_SUFFIXES = frozenset({".py", ".pyi", ".pyw", ""})
IMPORT_CHARACTERS = 600
AROUND_LINES = 12
"""Lines before and after a region that are offered as context (cut to its token budget later)."""
_HEAD = re.compile(r"([ \t]*)(?:@|def\b|async\s+def\b|class\b)")
_IMPORT = re.compile(r"(?:import|from)\s")


@dataclass(frozen=True, slots=True)
class Region:
    """Lines first to last (0-based, last exclusive) that form one window, and their enclosing class lines."""

    first: int
    last: int
    scope: str = ""


@dataclass(frozen=True, slots=True)
class PlacedWindow:
    """A window and where it starts in the text; its own text always ends in a newline, the text's may not."""

    window: Window
    start: int


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_python.language()))


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
    wanted = set(range(lines[0] - 1, lines[1])) if lines else None
    noted = {_line_at(starts, d.start) for d in diagnostics}
    python = suffix in PYTHON_SUFFIXES
    shared = Window(text="", file=file, instruction=instruction, imports=_imports(rows) if python else "")
    placed: list[PlacedWindow] = []
    for region, is_function in _regions(text, rows, python):
        covered = range(region.first, region.last)
        touched = not noted.isdisjoint(covered)
        asked = wanted is not None and not wanted.isdisjoint(covered)
        if asked or (wanted is None and (is_function or touched or not python)):
            for part in _parts(region, rows, tokenizer):
                if wanted is None or not wanted.isdisjoint(range(part.first, part.last)):
                    placed.append(_place(part, rows, starts, shared, diagnostics, region))
    return placed


def _place(
    part: Region,
    rows: list[str],
    starts: list[int],
    shared: Window,
    diagnostics: Sequence[Diagnostic],
    region: Region,
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
    return PlacedWindow(window, start)


def _line_starts(rows: list[str]) -> list[int]:
    """Offset of every line, and of the text's end."""
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row) + 1)
    starts[-1] -= 1
    return starts


def _line_at(starts: list[int], offset: int) -> int:
    return max(0, min(bisect_left(starts, offset + 1) - 1, len(starts) - 2))


def _imports(rows: list[str]) -> str:
    """The import lines at the margin, cut as training cuts them."""
    return "".join(row + "\n" for row in rows if _IMPORT.match(row))[:IMPORT_CHARACTERS]


def _regions(text: str, rows: list[str], python: bool) -> Iterator[tuple[Region, bool]]:
    """Regions in order, and whether each is a function; together they cover every line that is not blank."""
    functions = _functions(text, rows) if python else []
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


def _functions(text: str, rows: list[str]) -> list[Region]:
    tree = _parser().parse(text.encode())
    if tree.root_node.has_error:
        return _functions_by_indentation(rows)
    return list(_functions_of(tree.root_node, rows, ""))


def _functions_of(node: Node, rows: list[str], scope: str) -> Iterator[Region]:
    """Functions below a node, those inside other functions left to their outer one."""
    for child in node.children:
        inner = child.child_by_field_name("definition") if child.type == "decorated_definition" else child
        if inner is None:
            continue
        if inner.type == "function_definition":
            yield Region(child.start_point[0], inner.end_point[0] + 1, scope)
        elif inner.type == "class_definition":
            body = inner.child_by_field_name("body")
            last = body.start_point[0] if body else inner.end_point[0]
            head = "".join(
                row + "\n" for row in rows[inner.start_point[0] : max(last, inner.start_point[0] + 1)]
            )
            yield from _functions_of(body or inner, rows, scope + head)
        else:
            yield from _functions_of(child, rows, scope)


def _functions_by_indentation(rows: list[str]) -> list[Region]:
    """A `def` line and the deeper lines below it; enough where a syntax error blinds the parser."""
    regions: list[Region] = []
    scope: list[tuple[int, str]] = []
    at = 0
    while at < len(rows):
        head = _HEAD.match(rows[at])
        if head is None:
            at += 1
            continue
        depth = len(head[1])
        scope = [(d, line) for d, line in scope if d < depth]
        if rows[at].lstrip().startswith("class"):
            scope.append((depth, rows[at] + "\n"))
            at += 1
            continue
        end = _block_end(rows, at, depth)
        regions.append(Region(at, end, "".join(line for _, line in scope)))
        at = end
    return regions


def _block_end(rows: list[str], first: int, depth: int) -> int:
    """Line after the block whose head (decorators included) starts at `first` with this indentation."""
    at = first
    while at < len(rows) and rows[at].lstrip().startswith("@"):
        at += 1
    end = at + 1
    for line in range(at + 1, len(rows)):
        row = rows[line]
        indentation = len(row) - len(row.lstrip())
        if row.strip() and indentation <= depth and row.lstrip()[0] not in ")]}":
            break
        if row.strip():
            end = line + 1
    return min(end, len(rows))


def _parts(region: Region, rows: list[str], tokenizer: CodeTokenizer) -> Iterator[Region]:
    """The region, or runs of its lines that fit the model's window."""
    sizes = [len(ids) for ids in tokenizer.encode_batch([r + "\n" for r in rows[region.first : region.last]])]
    first, used = region.first, 0
    for line, size in enumerate(sizes, region.first):
        if used and used + size > EDITABLE_TOKENS:
            yield replace(region, first=first, last=line)
            first, used = line, 0
        used += size
    yield replace(region, first=first, last=region.last)

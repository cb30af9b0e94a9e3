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
from itertools import chain, pairwise

import tree_sitter_python
from tree_sitter import Language, Node, Parser

from editflow.diagnostics import Diagnostic
from editflow.placed import PlacedWindow
from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS, Window

PYTHON_SUFFIXES = frozenset({".py", ".pyi", ".pyw", ""})
IMPORT_CHARACTERS = 600
AROUND_LINES = 12
"""Lines before and after a region that are offered as context (cut to its token budget later)."""
POINTED_LINES = 3
"""A selection of at most this many lines of a region says where the fault is, a longer one what may change."""
_HEAD = re.compile(r"([ \t]*)(?:@|def\b|async\s+def\b|class\b)")
_IMPORT = re.compile(r"(?:import|from)\s")
_NESTING = ("_definition", "_statement", "_clause", "block")
"""Ends of the node types under which a function can stand."""


@dataclass(frozen=True, slots=True)
class Region:
    """Lines first to last (0-based, last exclusive) that form one window, and their enclosing class lines."""

    first: int
    last: int
    scope: str = ""


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
    return list(_functions_of(tree.root_node, rows))


def _functions_of(module: Node, rows: list[str]) -> Iterator[Region]:
    """Functions of a module, those inside other functions left to their outer one."""
    pending = [(module, "")]
    while pending:
        node, scope = pending.pop()
        inner = node.child_by_field_name("definition") if node.type == "decorated_definition" else node
        if inner is None:
            continue
        if inner.type == "function_definition":
            yield Region(node.start_point[0], inner.end_point[0] + 1, scope)
            continue
        if inner.type == "class_definition":
            scope += _class_head(inner, rows)
        pending += [(child, scope) for child in reversed(inner.children) if child.type.endswith(_NESTING)]


def _class_head(node: Node, rows: list[str]) -> str:
    body = node.child_by_field_name("body")
    first, last = node.start_point[0], (body or node).start_point[0]
    return "".join(row + "\n" for row in rows[first : max(last, first + 1)])


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
        named = _after_decorators(rows, at)
        scope = [(d, line) for d, line in scope if d < depth]
        if rows[named].lstrip().startswith("class"):
            scope.append((depth, rows[named] + "\n"))
            at = named + 1
            continue
        end = _block_end(rows, named, depth)
        regions.append(Region(at, end, "".join(line for _, line in scope)))
        at = end
    return regions


def _after_decorators(rows: list[str], first: int) -> int:
    """The line that decorators from line `first` on stand above, or the last line."""
    at = first
    while at < len(rows) - 1 and rows[at].lstrip().startswith("@"):
        at += 1
    return at


def _block_end(rows: list[str], first: int, depth: int) -> int:
    """Line after the block whose `def` line is `first` and has this indentation."""
    end = first + 1
    filled = (line for line in range(first + 1, len(rows)) if rows[line].strip())
    for line, following in pairwise(chain(filled, [len(rows)])):
        if _depth(rows[line]) <= depth:
            opens = line == first + 1 and rows[first].rstrip().endswith(":")
            continues = following < len(rows) and _depth(rows[following]) > depth
            if not _is_stray(rows[line], inside=opens or continues):
                break
        end = line + 1
    return end


def _is_stray(row: str, *, inside: bool) -> bool:
    """Whether a line that is not indented enough is part of the function above all the same.

    A closing bracket is, and a `return`; and a line `inside`, which is one right below the function's head or one
    above a deeper line, unless a colon or bracket explains that.
    """
    text = row.strip()
    if text[0] in ")]}" or text.startswith("return"):
        return True
    explains = text[-1] in ":([{,\\" and not text.startswith("#")
    return inside and not explains and _HEAD.match(row) is None


def _depth(row: str) -> int:
    return len(row) - len(row.lstrip())


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

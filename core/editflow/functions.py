"""Where the functions of Python text are: by tree-sitter, by indentation where a syntax error blinds the parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, pairwise

import tree_sitter_python
from tree_sitter import Language, Node, Parser

_HEAD = re.compile(r"([ \t]*)(?:@|def\b|async\s+def\b|class\b)")
_NESTING = ("_definition", "_statement", "_clause", "block")
"""Ends of the node types under which a function can stand."""


@dataclass(frozen=True, slots=True)
class Region:
    """Lines first to last (0-based, last exclusive) that form one window, and their enclosing class lines."""

    first: int
    last: int
    scope: str = ""


def enclosing_function(text: str, first: int, last: int) -> tuple[int, int] | None:
    """The function that holds some of the lines `first` to `last` (1-based, inclusive): its lines, None outside of any.

    Of several functions it is the first. "\\r\\n" line ends are no obstacle.
    """
    for region in functions_of(text, text.split("\n")):
        if region.first < last and first <= region.last:
            return region.first + 1, region.last
    return None


def functions_of(text: str, rows: list[str]) -> list[Region]:
    """The outermost functions of the text, whose lines are `rows`, in order, decorators included."""
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


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_python.language()))

"""Syntax colours of the lines on the screen: tree-sitter over the few lines around them, never the whole file.

A large file takes seconds to parse and the parser holds the interpreter meanwhile, so lines are coloured in
chunks that begin, where possible, at a definition or a statement of the outermost level. Text before the chunk is
not seen: a string that is still open from there is coloured as code.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path

import tree_sitter

from editflow.document import Document
from editflow_tui.headings import DEFINITION
from editflow_tui.rows import line_count, line_text

Colour = tuple[int, int, str]  # characters start:end of a line, and a name among `NAMES`
Colours = tuple[Colour, ...]  # the inner ones last

CHUNK = 48  # lines
_BACK = 400  # lines: how far before its place a chunk may begin
_LONGEST = 2000  # characters: longer lines are data, and are not coloured
NAMES = frozenset(
    {"comment", "constant", "function", "keyword", "number", "operator", "property", "string", "tag", "type"}
)
_ALIASES = {
    "constructor": "type",
    "boolean": "constant",
    "escape": "constant",
    "float": "number",
    "method": "function",
    "attribute": "property",
    "module": "type",
}
_GRAMMARS = {  # suffix: module, its function
    ".bash": ("tree_sitter_bash", "language"),
    ".css": ("tree_sitter_css", "language"),
    ".go": ("tree_sitter_go", "language"),
    ".html": ("tree_sitter_html", "language"),
    ".java": ("tree_sitter_java", "language"),
    ".js": ("tree_sitter_javascript", "language"),
    ".json": ("tree_sitter_json", "language"),
    ".mjs": ("tree_sitter_javascript", "language"),
    ".py": ("tree_sitter_python", "language"),
    ".pyi": ("tree_sitter_python", "language"),
    ".pyw": ("tree_sitter_python", "language"),
    ".rs": ("tree_sitter_rust", "language"),
    ".sh": ("tree_sitter_bash", "language"),
    ".sql": ("tree_sitter_sql", "language"),
    ".toml": ("tree_sitter_toml", "language"),
    ".yaml": ("tree_sitter_yaml", "language"),
    ".yml": ("tree_sitter_yaml", "language"),
}


@dataclass(frozen=True, slots=True)
class Grammar:
    """A language's parser and the query that names what to colour."""

    parser: tree_sitter.Parser
    query: tree_sitter.Query


@cache
def grammar_of(suffix: str) -> Grammar | None:
    """The grammar for files with this suffix; None for one that has none."""
    module_name, function = _GRAMMARS.get(suffix, ("", ""))
    if not module_name:
        return None
    module = import_module(module_name)
    language = tree_sitter.Language(getattr(module, function)())
    return Grammar(tree_sitter.Parser(language), tree_sitter.Query(language, module.HIGHLIGHTS_QUERY))


def suffix_of(path: Path | None) -> str:
    """What decides about the grammar; text without a name is taken for Python."""
    return path.suffix.lower() if path is not None else ".py"


def line_colours(document: Document, line: int) -> Colours:
    """Colours of a 0-based line of the document."""
    first, last = _chunk(document, line)
    return coloured(suffix_of(document.path), "", _between(document, first, last), "")[line - first]


def block_colours(document: Document, first: int, last: int, text: str) -> tuple[Colours, ...]:
    """Colours of each line of `text`, which stands in place of the document's lines `first:last`."""
    start = _chunk(document, first - 1)[0] if first else 0
    end = max(last, _chunk(document, last)[1])
    before, after = _between(document, start, first), _between(document, last, end)
    return coloured(suffix_of(document.path), before, text, after)


@lru_cache(maxsize=256)
def coloured(suffix: str, before: str, text: str, after: str) -> tuple[Colours, ...]:
    """Colours of each line of `text`, read between the lines `before` and `after`."""
    lines = text.split("\n")
    grammar = grammar_of(suffix)
    if grammar is None or max(map(len, lines)) > _LONGEST:
        return ((),) * len(lines)
    head, body = before.encode(errors="replace"), text.encode(errors="replace")
    tree = grammar.parser.parse(head + body + after.encode(errors="replace"))
    cursor = tree_sitter.QueryCursor(grammar.query)
    cursor.set_byte_range(len(head), len(head) + len(body))
    found: list[tuple[int, int, str, tree_sitter.Node]] = []
    for pattern, captures in cursor.matches(tree.root_node):
        for capture, nodes in captures.items():
            if name := _name(capture):
                found += ((node.start_byte - node.end_byte, pattern, name, node) for node in nodes)
    found.sort(key=lambda item: item[:2])  # outer before inner, a later pattern over an earlier
    return _by_line(lines, before.count("\n"), found)


def _by_line(
    lines: list[str], above: int, found: list[tuple[int, int, str, tree_sitter.Node]]
) -> tuple[Colours, ...]:
    colours: list[list[Colour]] = [[] for _ in lines]
    data = [line.encode(errors="replace") for line in lines]
    for *_, name, node in found:
        (first, start), (last, end) = node.start_point, node.end_point
        for row in range(max(first - above, 0), min(last - above, len(data) - 1) + 1):
            low = start if row == first - above else 0
            high = end if row == last - above else len(data[row])
            colours[row].append((_characters(data[row], low), _characters(data[row], high), name))
    return tuple(map(tuple, colours))


def _characters(line: bytes, offset: int) -> int:
    return offset if line.isascii() else len(line[:offset].decode(errors="ignore"))


@cache
def _name(capture: str) -> str:
    """The first known name in a dotted capture."""
    parts = (_ALIASES.get(part, part) for part in capture.split("."))
    return next((part for part in parts if part in NAMES), "")


def _between(document: Document, first: int, last: int) -> str:
    starts, size = document.line_starts, len(document.text)
    start, end = (starts[line] if line < len(starts) else size for line in (first, last))
    return document.text[start:end]


def _chunk(document: Document, line: int) -> tuple[int, int]:
    """The lines that are parsed together with this one."""
    count = line_count(document)
    if line >= count:
        return count, count
    number = line // CHUNK
    while line >= _boundary(document, number + 1):
        number += 1
    return _boundary(document, number), _boundary(document, number + 1)


@lru_cache(maxsize=1024)
def _boundary(document: Document, number: int) -> int:
    """The last line up to a multiple of the chunk where a chunk may well begin."""
    at, count = number * CHUNK, line_count(document)
    if at >= count:
        return count
    lines = range(at, max(-1, at - _BACK), -1)
    return next((line for line in lines if _begins(line_text(document, line))), at)


def _begins(line: str) -> bool:
    """Whether a statement of the outermost level, a definition or its decorator is likely to start here."""
    return line[:1].isalpha() or line.lstrip()[:1] == "@" or DEFINITION.match(line) is not None

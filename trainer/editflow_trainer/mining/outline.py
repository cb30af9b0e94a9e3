"""The functions and classes of a file by their lines, as its tree-sitter grammar finds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from tree_sitter import Node, Parser, Query, QueryCursor

from editflow_trainer.mining.languages import Grammar, grammar_of, tree_sitter_language


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class: lines `first` up to `last` (0-based, last exclusive), decorators included."""

    name: str  # with the enclosing classes: Outer.Inner.method
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Outline:
    """What a file defines, in its order."""

    functions: tuple[Definition, ...]
    """Outermost functions and methods; each has its lines to itself."""
    classes: tuple[Definition, ...]
    parses: bool

    def scope(self, first: int, last: int) -> str:
        """The name of the innermost definition around these lines, or ""."""
        around = [d for d in (*self.classes, *self.functions) if d.first <= first and last <= d.last]
        return max(around, key=lambda definition: definition.first).name if around else ""


@lru_cache(maxsize=256)
def outline(text: str, language: str) -> Outline | None:
    """The outline of a file, None where no grammar is installed for its language."""
    grammar = grammar_of(language)
    if grammar is None:
        return None
    root = _parser(grammar).parse(text.encode("utf-8", "surrogatepass")).root_node
    functions: list[Definition] = []
    classes: list[Definition] = []
    for definition, is_class in _definitions(root, grammar):
        if is_class:
            classes.append(definition)
        elif not functions or functions[-1].last <= definition.first:
            functions.append(definition)
    return Outline(tuple(functions), tuple(classes), not root.has_error)


@cache
def _parser(grammar: Grammar) -> Parser:
    return Parser(tree_sitter_language(grammar))


@cache
def _query(grammar: Grammar) -> Query:
    types = " ".join(f"({name})" for name in (*grammar.functions, *grammar.classes))
    return Query(tree_sitter_language(grammar), f"[{types}] @definition")


def _definitions(root: Node, grammar: Grammar) -> Iterator[tuple[Definition, bool]]:
    """Definitions with whether each is a class; what stands in a function is left out."""
    found = QueryCursor(_query(grammar)).captures(root).get("definition", [])
    scopes: list[tuple[Node, str]] = []
    inside = 0  # byte where the latest function ends
    for node in sorted(found, key=lambda node: (node.start_byte, -node.end_byte)):
        if node.start_byte < inside or (name := node.child_by_field_name("name")) is None:
            continue
        while scopes and scopes[-1][0].end_byte <= node.start_byte:
            scopes.pop()
        own = (name.text or b"").decode("utf-8", "replace")
        qualified = f"{scopes[-1][1]}.{own}" if scopes else own
        is_class = node.type in grammar.classes
        if is_class:
            scopes.append((node, qualified))
        else:
            inside = node.end_byte
        yield _definition(node, qualified, grammar), is_class


def _definition(node: Node, name: str, grammar: Grammar) -> Definition:
    outer = node.parent
    whole = outer if outer is not None and outer.type in grammar.wrappers else node
    # A node that ends with its newline ends in column 0 of the line after.
    last = whole.end_point.row + (whole.end_point.column > 0)
    return Definition(name, whole.start_point.row, last)

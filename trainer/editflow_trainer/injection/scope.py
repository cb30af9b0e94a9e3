"""One walk over a function's tree: its nodes by class, their parents, and the names it binds and reads."""

import ast
import builtins
from functools import cache
from typing import NamedTuple

_ANNOTATIONS = {"annotation", "returns", "type_params", "type_comment"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_INNER = (*_FUNCTIONS, ast.Lambda, ast.comprehension)


@cache
def builtin_names() -> frozenset[str]:
    """The names that every module can read, with those that only a module's own dictionary has."""
    return frozenset(dir(builtins)) | {
        "__file__",
        "__path__",
        "__module__",
        "__qualname__",
        "__annotations__",
    }


class _Place(NamedTuple):
    annotation: bool = False  # in a type annotation
    protected: bool = False  # in a `try` that catches NameError: linters say nothing there
    inner: int = 0  # depth of functions and comprehensions around, the text's own function counting 1


class Scope:
    """The part of `tree` from line `first_line` on; names are collected from all of it."""

    def __init__(self, tree: ast.Module, first_line: int) -> None:
        self.nodes: dict[type[ast.AST], list[ast.AST]] = {}
        self.parents: dict[ast.AST, ast.AST] = {}
        self.bound: set[str] = set()
        self.variables: dict[str, None] = {}
        """The function's own parameters and assigned names, in the order they are found."""
        self.loads: list[ast.Name] = []
        """The reads of names, annotations included, where a linter would report an unbound name."""
        self.function = ""
        self._first_line = first_line
        for statement in tree.body:
            self._visit(statement, tree, _Place())

    def _visit(self, node: ast.AST, parent: ast.AST, place: _Place) -> None:
        if isinstance(node, ast.expr_context | ast.JoinedStr) or type(node).__name__ == "TemplateStr":
            return
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return
        inside = getattr(node, "lineno", self._first_line) >= self._first_line
        self._bind(node, place, inside)
        if inside:
            self._record(node, parent, place)
        if isinstance(node, _INNER) and inside:
            place = place._replace(inner=place.inner + 1)
        self._descend(node, place)

    def _descend(self, node: ast.AST, place: _Place) -> None:
        for field in node._fields:
            value = getattr(node, field, None)
            if not isinstance(value, list | ast.AST):
                continue
            below = place
            if field in _ANNOTATIONS:
                below = place._replace(annotation=True)
            elif field == "body" and isinstance(node, ast.Try) and _catches_name_error(node):
                below = place._replace(protected=True)
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, ast.AST):
                    self._visit(child, node, below)

    def _record(self, node: ast.AST, parent: ast.AST, place: _Place) -> None:
        self.parents[node] = parent
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and not place.protected:
            self.loads.append(node)
        if not place.annotation:
            self.nodes.setdefault(type(node), []).append(node)
        if isinstance(node, _FUNCTIONS) and not self.function:
            self.function = node.name

    def _bind(self, node: ast.AST, place: _Place, inside: bool) -> None:
        if isinstance(node, ast.Name):
            names = [] if isinstance(node.ctx, ast.Load) else [node.id]
        elif isinstance(node, ast.arg):
            names = [node.arg]
        else:
            self.bound.update(_declared(node))
            return
        self.bound.update(names)
        if inside and place.inner <= 1 and not place.annotation:
            self.variables.update(dict.fromkeys(names))


def _declared(node: ast.AST) -> list[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [node.name]
        case ast.alias():
            return [node.asname or node.name.partition(".")[0]]
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            return [node.name] if node.name else []
        case ast.MatchMapping():
            return [node.rest] if node.rest else []
        case ast.Global() | ast.Nonlocal():
            return node.names
    return []


def _catches_name_error(node: ast.Try) -> bool:
    """A bare `except` counts, as it does for pyflakes."""
    return any(
        handler.type is None
        or any(isinstance(n, ast.Name) and n.id == "NameError" for n in ast.walk(handler.type))
        for handler in node.handlers
    )

"""A function's source, parsed once and tokenised once, with positions as character offsets in its text."""

import ast
import io
import tokenize
import warnings
from bisect import bisect_left
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import NamedTuple, TypeVar

from editflow_trainer.injection.scope import Scope, builtin_names

Node = TypeVar("Node", bound=ast.AST)
_LAYOUT = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


class Token(NamedTuple):
    """One lexical token; an f-string is one token whatever the Python version."""

    type: int
    string: str
    start: int
    end: int


def parse(text: str) -> ast.Module | None:
    """The tree of `text`, None where it does not parse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


class Source:
    """What the finders look at: `text`, which the lines of `header` (enclosing `class`, `def`) make parse."""

    def __init__(self, text: str, header: str, names: Collection[str], tree: ast.Module) -> None:
        self.text = text
        self.header = header
        self.full = header + text
        self.tree = tree
        self._outer_names = names
        self._lines = self.full.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self.scope = Scope(tree, first_line=header.count("\n") + 1)

    @classmethod
    def read(cls, text: str, header: str = "", names: Collection[str] = ()) -> "Source | None":
        """None for what does not parse, or has a carriage return or a form feed (no plain columns)."""
        full = header + text
        tree = None if "\r" in full or "\f" in full else parse(full)
        return None if tree is None else cls(text, header, names, tree)

    def of(self, kind: type[Node]) -> list[Node]:
        """The nodes of exactly this class in the text, outside annotations, docstrings and f-strings."""
        return self.scope.nodes.get(kind, [])  # type: ignore[return-value]

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where the node stands in the text."""
        return self.start(node), self.end(node)

    def start(self, node: ast.AST) -> int:
        """Offset of the node's first character."""
        return self._offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> int:
        """Offset just past the node's last character."""
        return self._offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def code(self, node: ast.AST) -> str:
        """The node's own source text."""
        return self.text[self.start(node) : self.end(node)]

    def line_start(self, offset: int) -> int:
        """Offset of the first character of the line that holds `offset`."""
        return self.text.rfind("\n", 0, offset) + 1

    def line_end(self, offset: int) -> int:
        """Offset just past the newline that ends the line that holds `offset`."""
        found = self.text.find("\n", offset)
        return len(self.text) if found < 0 else found + 1

    def is_bound(self, name: str) -> bool:
        """Whether a read of `name` could succeed: bound in the text, its header, its module or by Python."""
        return name in self.scope.bound or name in self._outer_names or name in builtin_names()

    @property
    def has_open_scope(self) -> bool:
        """Whether a star import may bind any name."""
        return "*" in self._outer_names or "*" in self.scope.bound

    def edited(self, start: int, end: int, replacement: str) -> str:
        """Header and text with one range of the text replaced."""
        return f"{self.header}{self.text[:start]}{replacement}{self.text[end:]}"

    @cached_property
    def tokens(self) -> list[Token]:
        """The text's tokens without layout (newlines, indentation) and comments."""
        return [
            token for token in self._lexed if token.type not in _LAYOUT and token.type != tokenize.COMMENT
        ]

    @cached_property
    def line_heads(self) -> list[Token]:
        """The first token of each logical line."""
        heads, fresh = [], True
        for token in self._lexed:
            if token.type == tokenize.NEWLINE:
                fresh = True
            elif fresh and token.type not in _LAYOUT and token.type != tokenize.COMMENT:
                heads.append(token)
                fresh = False
        return heads

    def between(self, start: int, end: int) -> list[Token]:
        """The tokens that start in the range."""
        return self.tokens[bisect_left(self._token_starts, start) : bisect_left(self._token_starts, end)]

    def has_comment(self, start: int, end: int) -> bool:
        """Whether a comment stands in the range."""
        if "#" not in self.text[start:end]:
            return False
        return any(t.type == tokenize.COMMENT and t.start < end and start < t.end for t in self._lexed)

    @cached_property
    def _token_starts(self) -> list[int]:
        return [token.start for token in self.tokens]

    @cached_property
    def _lexed(self) -> list[Token]:
        return list(self._positioned(tokenize.generate_tokens(io.StringIO(self.full).readline)))

    def _positioned(self, raw: Iterator[tokenize.TokenInfo]) -> Iterator[Token]:
        base = len(self.header)
        opened: list[int] = []
        for kind, string, (row, column), (end_row, end_column), _ in raw:
            start, end = self._starts[row - 1] + column - base, self._starts[end_row - 1] + end_column - base
            name = tokenize.tok_name[kind]
            if name in ("FSTRING_START", "TSTRING_START"):
                opened.append(start)
            elif name in ("FSTRING_END", "TSTRING_END"):
                start = opened.pop()
                if not opened and start >= 0:
                    yield Token(tokenize.STRING, self.text[start:end], start, end)
            elif not opened and start >= 0:
                yield Token(kind, string, start, end)

    def _offset(self, line: int, column: int) -> int:
        """Character offset in the text of an `ast` position, whose columns count UTF-8 bytes."""
        content = self._lines[line - 1]
        if not content.isascii():
            column = len(content.encode()[:column].decode())
        return self._starts[line - 1] + column - len(self.header)

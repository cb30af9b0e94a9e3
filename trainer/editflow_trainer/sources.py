"""Functions of Python source trees, each with the context an editor would know about it.

A function is cut out as whole lines in its original indentation, together with the class headers that
enclose it, the module's imports and the module's names. `header + text` parses on its own.
"""

import ast
import io
import re
import symtable
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MIN_FUNCTION = 40  # characters
MAX_FUNCTION = 2400  # characters
MAX_LINE = 300  # characters
MAX_IMPORTS = 600  # characters
STAR = "*"

_VENDORED = re.compile(
    r"_?vendor(ed)?|.*_vendor|extern|externals|_external|.*third_?party.*|packages|node_modules|site-packages"
)
_TEST_DATA = Path("lib2to3/tests/data")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class SourceFunction:
    """A function or method as it stands in a package's source."""

    package: str
    path: str  # relative to the package's root, with forward slashes
    name: str
    text: str  # whole lines with decorators and original indentation; ends with a newline
    header: str  # lines of the enclosing class statements, "" at the top level
    imports: str  # the module's top-level import statements, at most MAX_IMPORTS characters
    module_names: tuple[str, ...]  # bound at module level, sorted; STAR stands for a star import


def functions_under(folder: Path, *, package: str) -> Iterator[SourceFunction]:
    """Yields the functions of every `*.py` under `folder` in sorted order, vendored folders left out."""
    for file in sorted(folder.rglob("*.py")):
        relative = file.relative_to(folder)
        if file.is_file() and not _is_foreign(relative):
            yield from functions_of_file(file, package=package, path=relative.as_posix())


def functions_of_file(file: Path, *, package: str, path: str) -> Iterator[SourceFunction]:
    """Yields the functions of a file, as `functions_in` does; none where it cannot be decoded."""
    text = _read_source(file)
    if text is not None:
        yield from functions_in(text, package=package, path=path)


def functions_in(text: str, *, package: str, path: str) -> Iterator[SourceFunction]:
    """Yields the top-level functions and methods of a module; nested ones stay part of their outer one.

    Modules that do not parse or call themselves generated give nothing, and so do functions with nothing
    but a docstring, a very long line, or a length outside MIN_FUNCTION to MAX_FUNCTION characters.
    """
    text = re.sub(r"\r\n?", "\n", text)
    tree = _parse(text)
    if tree is None or "generated" in text[:500].lower():
        return
    lines = text.split("\n")
    imports = _imports(tree, lines)
    names = _module_names(text, tree)
    if names is None:
        return
    for node, header in _definitions(tree.body, lines, ""):
        source = _lines(lines, _first_line(node), node.end_lineno)
        if _is_usable(node, source) and _parse(header + source) is not None:
            yield SourceFunction(package, path, node.name, source, header, imports, names)


def body_statements(node: FunctionNode) -> list[ast.stmt]:
    """The statements of a function without its docstring."""
    has_docstring = ast.get_docstring(node, clean=False) is not None
    return node.body[1:] if has_docstring else node.body


def _is_foreign(relative: Path) -> bool:
    folders = relative.parts[:-1]
    return relative.is_relative_to(_TEST_DATA) or any(_VENDORED.fullmatch(folder) for folder in folders)


def _read_source(file: Path) -> str | None:
    data = file.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        return None


def _parse(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _lines(lines: list[str], first: int, last: int | None) -> str:
    """Lines `first` to `last`, both counted from one, each with its newline."""
    return "\n".join(lines[first - 1 : last]) + "\n"


def _first_line(node: FunctionNode) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _definitions(body: list[ast.stmt], lines: list[str], header: str) -> Iterator[tuple[FunctionNode, str]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, header
        elif isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, lines, header + _class_header(node, lines))


def _class_header(node: ast.ClassDef, lines: list[str]) -> str:
    """The lines of the class statement up to its colon."""
    parts: list[ast.expr | ast.keyword] = [*node.bases, *node.keywords]
    last = max([node.lineno, *(part.end_lineno or 0 for part in parts)])
    while last + 1 < node.body[0].lineno and not lines[last - 1].partition("#")[0].rstrip().endswith(":"):
        last += 1
    return _lines(lines, node.lineno, last)


def _imports(tree: ast.Module, lines: list[str]) -> str:
    text = ""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            statement = _lines(lines, node.lineno, node.end_lineno)
            if len(text) + len(statement) <= MAX_IMPORTS and not text.endswith(statement):
                text += statement
    return text


def _module_names(text: str, tree: ast.Module) -> tuple[str, ...] | None:
    """The names bound at module level, or None where the compiler refuses the module."""
    names = _bound_at_top(text)
    if names is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            names.update(node.names)
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == STAR:
            names.add(STAR)
    return tuple(sorted(names))


def _bound_at_top(text: str) -> set[str] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            table = symtable.symtable(text, "<source>", "exec")
        except (SyntaxError, RecursionError):
            return None
    bound = (s for s in table.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace())
    return {symbol.get_name() for symbol in bound}


def _is_usable(node: FunctionNode, source: str) -> bool:
    longest = max(map(len, source.split("\n")))
    fits = MIN_FUNCTION <= len(source) <= MAX_FUNCTION and longest <= MAX_LINE
    return fits and bool(body_statements(node))

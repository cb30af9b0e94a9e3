"""Which files are code, and where functions stand in them, by tree-sitter where a grammar is installed.

Python's grammar always is. The others are used when their package is there (`pip install
tree-sitter-javascript`); without it, and for languages not in `_GRAMMARS`, edits are hunks only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePosixPath

import tree_sitter

_SUFFIXES = {
    "python": ".py .pyi .pyw .pyx",
    "javascript": ".js .jsx .mjs .cjs",
    "typescript": ".ts .mts .cts",
    "tsx": ".tsx",
    "go": ".go",
    "rust": ".rs",
    "java": ".java",
    "c": ".c .h",
    "cpp": ".cc .cpp .cxx .hh .hpp .hxx",
    "csharp": ".cs",
    "ruby": ".rb",
    "php": ".php",
    "kotlin": ".kt .kts",
    "swift": ".swift",
    "scala": ".scala",
    "lua": ".lua",
    "perl": ".pl .pm",
    "bash": ".sh .bash",
    "sql": ".sql",
}
_LANGUAGES = {suffix: name for name, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}


@dataclass(frozen=True, slots=True)
class Grammar:
    """Where a grammar comes from, and the types of its nodes that matter here."""

    module: str
    functions: tuple[str, ...]
    classes: tuple[str, ...] = ()
    wrappers: tuple[str, ...] = ()  # parents that belong to a definition, such as its decorators
    entry: str = "language"  # the module's function that gives the grammar


_JS_FUNCTIONS = ("function_declaration", "generator_function_declaration", "method_definition")
_TS_CLASSES = ("class_declaration", "abstract_class_declaration", "interface_declaration")
_GRAMMARS = {
    "python": Grammar(
        "tree_sitter_python", ("function_definition",), ("class_definition",), ("decorated_definition",)
    ),
    "javascript": Grammar(
        "tree_sitter_javascript", _JS_FUNCTIONS, ("class_declaration",), ("export_statement",)
    ),
    "typescript": Grammar(
        "tree_sitter_typescript", _JS_FUNCTIONS, _TS_CLASSES, ("export_statement",), "language_typescript"
    ),
    "tsx": Grammar(
        "tree_sitter_typescript", _JS_FUNCTIONS, _TS_CLASSES, ("export_statement",), "language_tsx"
    ),
    "go": Grammar("tree_sitter_go", ("function_declaration", "method_declaration")),
    "rust": Grammar("tree_sitter_rust", ("function_item",), ("trait_item", "mod_item")),
    "java": Grammar(
        "tree_sitter_java",
        ("method_declaration", "constructor_declaration"),
        ("class_declaration", "interface_declaration", "enum_declaration"),
    ),
    "bash": Grammar("tree_sitter_bash", ("function_definition",)),
}


def language_of(path: str) -> str | None:
    """The name of a file's language; None for what is no code."""
    return _LANGUAGES.get(PurePosixPath(path).suffix.lower())


def grammar_of(language: str) -> Grammar | None:
    """The language's grammar where it is known and installed."""
    grammar = _GRAMMARS.get(language)
    return grammar if grammar is not None and _is_installed(grammar.module) else None


@cache
def tree_sitter_language(grammar: Grammar) -> tree_sitter.Language:
    """The grammar, loaded."""
    return tree_sitter.Language(getattr(import_module(grammar.module), grammar.entry)())


@cache
def _is_installed(module: str) -> bool:
    return find_spec(module) is not None

"""What a parser and a name checker say about Python text: syntax errors and undefined names, with ranges.

Suggestions follow CPython's own rule and wording, so a message made here reads like the one an editor shows.
"""

import ast
import builtins
import math
import re
import unicodedata
import warnings
from collections.abc import Collection, Iterable
from itertools import islice

from pyflakes import messages
from pyflakes.checker import Builtin, Checker, ClassScope, ModuleScope
from rapidfuzz.distance import OSA

from editflow.diagnostic import Diagnostic

_BUILTINS = tuple(sorted(dir(builtins)))
_WORD = re.compile(r"\w+")
_PARSER_NEWLINE = re.compile(r"\r\n?|\n")  # the parser ends a line at a lone "\r" too

_MOVE_COST = 2
_MAX_NAME_LENGTH = 40
_MAX_CANDIDATES = 750


def check_python(text: str, known_names: Collection[str] = ()) -> list[Diagnostic]:
    """Return the syntax error of `text`, or else its undefined names, sorted by position.

    `known_names` are bound outside the text, as by the rest of the file it was cut from; `"*"` among them
    stands for a star import, after which no name is reported.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a bad escape in the text is not our caller's warning
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            return [_syntax_diagnostic(text, error)]
        except UnicodeEncodeError as error:
            return [_diagnostic(text, error.start, error.end, "lone surrogate in source", "python")]
        except ValueError as error:
            return [_null_byte_diagnostic(text, str(error))]
        except (RecursionError, MemoryError):
            return [_diagnostic(text, 0, 1, "too deeply nested to parse", "python")]
        return [] if "*" in known_names else _undefined_names(text, tree, known_names)


def faults(diagnostics: Collection[Diagnostic]) -> float:
    """How bad a text is by what `check_python` says of it: undefined names, and infinity if it does not parse."""
    return math.inf if any(d.source == "python" for d in diagnostics) else len(diagnostics)


def suggest_name(wrong: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that is closest to `wrong`, the first one on ties, or None.

    The rule is `_compute_suggestion_error` of CPython 3.12's Lib/traceback.py: at most a third of the
    characters may change. Three things are more generous: two neighbours exchanged are one edit, a name of two
    letters may have one wrong (CPython offers nothing for them), and of more than 750 names the first 750 are tried.
    """
    if len(wrong) > _MAX_NAME_LENGTH:
        return None
    best, best_cost = None, _MOVE_COST + 1 if len(wrong) == 2 else len(wrong)
    for candidate in islice(candidates, _MAX_CANDIDATES):
        limit = min((len(candidate) + len(wrong) + 3) * _MOVE_COST // 6, best_cost - 1)
        if candidate == wrong or abs(len(candidate) - len(wrong)) * _MOVE_COST > limit:
            continue
        cost = _edit_cost(wrong, candidate, limit)
        if cost <= limit:
            best, best_cost = candidate, cost
    return best


def _edit_cost(a: str, b: str, limit: int) -> int:
    """Optimal string alignment at 2 an edit and 1 a change of case; any cost above `limit` means too far."""
    if len(b) > _MAX_NAME_LENGTH:
        return limit + 1
    folded: int = OSA.distance(a.lower(), b.lower(), score_cutoff=limit // _MOVE_COST)
    if folded * _MOVE_COST > limit:
        return limit + 1
    return folded + int(OSA.distance(a, b))  # a change of case counts in the second term only


class _NameChecker(Checker):  # type: ignore[misc]
    """pyflakes' checker, keeping undefined names only, worded with what is in scope at that point."""

    def __init__(self, tree: ast.Module, known_names: Collection[str]) -> None:
        self.known_names = frozenset(known_names)
        self.wording: dict[messages.Message, str] = {}
        super().__init__(tree, withDoctest=False)

    def report(self, message_class: type[messages.Message], *args: object) -> None:
        undefined = message_class is messages.UndefinedName and args[1] not in self.known_names
        if not undefined and message_class is not messages.UndefinedLocal:
            return
        # pyflakes takes a message back when a later `global` statement binds the name.
        super().report(message_class, *args)
        message = self.messages[-1]
        self.wording[message] = self._word(message, str(args[1]), undefined)

    def _word(self, message: messages.Message, name: str, undefined: bool) -> str:
        if not undefined:
            return f"local variable '{name}' referenced before assignment"
        suggestion = suggest_name(name, self._names_in_scope(message.lineno))
        return f"undefined name '{name}'" + (f". Did you mean: '{suggestion}'?" if suggestion else "")

    def _names_in_scope(self, line: int) -> list[str]:
        """Names of the enclosing functions, the module, `known_names`, builtins; each group nearest first."""
        rank: dict[str, tuple[bool, int]] = {}
        for scope in reversed(self.scopeStack):
            if isinstance(scope, ClassScope) and scope is not self.scope:
                continue  # a method does not see the names of its class
            for name, binding in scope.items():
                if not isinstance(binding, Builtin) and name.isidentifier():
                    lines_away = abs(getattr(binding.source, "lineno", 0) - line)
                    rank.setdefault(name, (isinstance(scope, ModuleScope), lines_away))
        return list(
            dict.fromkeys([*sorted(rank, key=rank.__getitem__), *sorted(self.known_names), *_BUILTINS])
        )


def _undefined_names(text: str, tree: ast.Module, known_names: Collection[str]) -> list[Diagnostic]:
    try:
        checker = _NameChecker(tree, known_names)
    except RecursionError:  # nested deeper than pyflakes can walk: nothing is known about its names
        return []
    found = {_name_diagnostic(text, message, checker.wording[message]) for message in checker.messages}
    return sorted(found, key=lambda diagnostic: (diagnostic.start, diagnostic.end, diagnostic.message))


def _name_diagnostic(text: str, message: messages.Message, wording: str) -> Diagnostic:
    name = message.message_args[0]
    start = _offset_of_bytes(text, _parser_lines(text), message.lineno, message.col)
    word = _WORD.match(text, start)
    if word is None or unicodedata.normalize("NFKC", word[0]) != name:
        # Names in a quoted annotation are placed at its opening quote.
        word = re.compile(rf"\b{re.escape(name)}\b").search(text, start)
    start, end = word.span() if word else (start, start + 1)
    return _diagnostic(text, start, end, wording, "pyflakes")


def _syntax_diagnostic(text: str, error: SyntaxError) -> Diagnostic:
    if error.lineno is None:
        return _null_byte_diagnostic(text, error.msg)
    lines = _parser_lines(text)
    start = _offset(text, lines, error.lineno, (error.offset or 1) - 1)
    end = _offset(text, lines, error.end_lineno or error.lineno, (error.end_offset or 0) - 1)
    line = text[slice(*_line_range(text, lines, error.lineno))]
    if error.text is not None and error.text.rstrip("\r\n") != line:
        # Before 3.12 an error inside an f-string is placed in the replacement field alone.
        start = _offset(text, lines, error.lineno, len(line) - len(line.lstrip()))
        end = _offset(text, lines, error.lineno, len(line.rstrip()))
    return _diagnostic(text, start, end, error.msg, "python")


def _null_byte_diagnostic(text: str, message: str) -> Diagnostic:
    at = max(text.find("\0"), 0)
    return _diagnostic(text, at, at + 1, message, "python")


def _diagnostic(text: str, start: int, end: int, message: str, source: str) -> Diagnostic:
    """Clamp the range into the text and make it at least one character long."""
    start = min(max(start, 0), max(len(text) - 1, 0))
    end = min(max(end, start + 1), len(text))
    return Diagnostic(start, end, message, source)


def _parser_lines(text: str) -> list[int]:
    """Start offset of every line, counted as the parser counts them."""
    return [0, *(match.end() for match in _PARSER_NEWLINE.finditer(text))]


def _line_range(text: str, lines: list[int], line: int) -> tuple[int, int]:
    """Offsets of the 1-based `line` without its line end; the end of the text past the last line."""
    if line > len(lines):
        return len(text), len(text)
    start = lines[max(line, 1) - 1]
    newline = _PARSER_NEWLINE.search(text, start)
    return start, newline.start() if newline else len(text)


def _offset(text: str, lines: list[int], line: int, column: int) -> int:
    """Character offset of a 1-based line and a 0-based column in characters."""
    start, end = _line_range(text, lines, line)
    return min(start + max(column, 0), end)


def _offset_of_bytes(text: str, lines: list[int], line: int, column: int) -> int:
    """Character offset of a 1-based line and a 0-based column in UTF-8 bytes, which is how `ast` counts."""
    start, end = _line_range(text, lines, line)
    prefix = text[start:end].encode("utf-8")[:column]
    return start + len(prefix.decode("utf-8"))

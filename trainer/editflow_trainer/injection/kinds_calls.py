"""Bugs in calls: arguments swapped, missing or extra, and a call left out."""

import ast
import random
from collections.abc import Iterator

from editflow_trainer.injection.edit import Edit, shuffled
from editflow_trainer.injection.source import Source

_LONGEST = 160  # characters that one bug may remove or rewrite


def argument_swap(source: Source, rng: random.Random) -> Iterator[Edit]:
    """Two neighbouring positional arguments change places."""
    for node in shuffled(rng, source.of(ast.Call)):
        plain = [not isinstance(arg, ast.Starred) for arg in node.args]
        pairs = [at for at in range(len(plain) - 1) if plain[at] and plain[at + 1]]
        if not pairs:
            continue
        at = rng.choice(pairs)
        first, second = node.args[at], node.args[at + 1]
        start, end = source.start(first), source.end(second)
        if end - start <= _LONGEST and ast.dump(first) != ast.dump(second):
            gap = source.text[source.end(first) : source.start(second)]
            yield Edit(start, end, source.code(second) + gap + source.code(first), _name(node))


def missing_argument(source: Source, rng: random.Random) -> Iterator[Edit]:
    """One argument is left out; a lone one seldom."""
    for node in shuffled(rng, source.of(ast.Call)):
        arguments = _arguments(source, node)
        if not arguments or (len(arguments) == 1 and rng.random() < 0.7):
            continue
        at = rng.randrange(len(arguments))
        start, end = source.span(arguments[at])
        thing = source.text[start:end]
        if at:
            start = source.end(arguments[at - 1])
        elif len(arguments) > 1:
            end = source.start(arguments[1])
        if end - start <= _LONGEST:
            yield Edit(start, end, "", thing)


def extra_argument(source: Source, rng: random.Random) -> Iterator[Edit]:
    """A variable of the function, or a constant, is passed as well."""
    names = [name for name in source.scope.variables if name not in ("self", "cls")]
    for node in shuffled(rng, source.of(ast.Call)):
        extra = rng.choice([*names, "None", "True"])
        arguments = _arguments(source, node)
        if not arguments and not _is_generator(node):
            yield Edit(source.end(node) - 1, source.end(node) - 1, extra, extra)
        elif node.args and (rng.random() < 0.7 or isinstance(node.args[-1], ast.Starred)):
            yield Edit(source.end(node.args[-1]), source.end(node.args[-1]), ", " + extra, extra)
        elif arguments:
            yield Edit(source.start(arguments[0]), source.start(arguments[0]), extra + ", ", extra)


def missing_call(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`f(x)` becomes `x`; `x.f()` becomes `x` or `x.f`."""
    for node in shuffled(rng, source.of(ast.Call)):
        if isinstance(source.scope.parents[node], ast.Expr) or _is_generator(node):
            continue
        start, end = source.span(node)
        arguments = _arguments(source, node)
        if len(arguments) == 1 and len(node.args) == 1 and isinstance(node.func, ast.Name | ast.Attribute):
            if end - start <= _LONGEST and not isinstance(node.args[0], ast.Starred):
                yield Edit(start, end, source.code(node.args[0]), _name(node))
        elif not arguments and isinstance(node.func, ast.Attribute):
            kept = node.func if rng.random() < 0.5 else node.func.value
            yield Edit(source.end(kept), end, "", _name(node))


def _arguments(source: Source, node: ast.Call) -> list[ast.expr | ast.keyword]:
    """In the order of the text; none where the only argument is a generator without its own parentheses."""
    if _is_generator(node):
        return []
    return sorted([*node.args, *node.keywords], key=source.start)


def _is_generator(node: ast.Call) -> bool:
    return len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp)


def _name(node: ast.Call) -> str:
    return ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""

"""Bugs of missing parts: a `return`, an `await`, a guard clause, one side of a condition."""

import ast
import random
from collections.abc import Iterator

from editflow_trainer.injection.edit import Edit, shuffled
from editflow_trainer.injection.source import Source

_LONGEST = 240  # characters that one bug may remove
_EXITS = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def missing_return(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`return x` becomes `x`, or is left out altogether."""
    for node in shuffled(rng, source.of(ast.Return)):
        if node.value is None:
            continue
        start, end = source.span(node)
        if rng.random() < 0.3:
            yield from _without_lines(source, node)
        else:
            yield Edit(start, start + len("return "), "", source.text[start:end])


def missing_await(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`await x` becomes `x`."""
    for node in shuffled(rng, source.of(ast.Await)):
        start = source.start(node)
        yield Edit(start, start + len("await "), "", source.code(node.value))


def missing_guard(source: Source, rng: random.Random) -> Iterator[Edit]:
    """An early exit, or one of the conditions joined by `and`/`or`, is left out."""
    guards: list[ast.AST] = [node for node in source.of(ast.If) if _is_guard(node)]
    exits = [node for kind in _EXITS for node in source.of(kind) if not isinstance(node, ast.Return)]
    for node in shuffled(rng, [*guards, *guards, *exits, *source.of(ast.BoolOp)]):
        if isinstance(node, ast.BoolOp):
            yield _without_operand(source, node, rng)
        elif isinstance(node, ast.stmt):
            yield from _without_lines(source, node)


def _is_guard(node: ast.If) -> bool:
    return not node.orelse and len(node.body) <= 2 and isinstance(node.body[-1], _EXITS)


def _without_operand(source: Source, node: ast.BoolOp, rng: random.Random) -> Edit:
    at = rng.randrange(len(node.values))
    thing = source.code(node.values[at])
    if at:
        return Edit(source.end(node.values[at - 1]), source.end(node.values[at]), "", thing)
    return Edit(source.start(node.values[0]), source.start(node.values[1]), "", thing)


def _without_lines(source: Source, node: ast.stmt) -> Iterator[Edit]:
    """The statement's lines deleted, where they hold nothing else."""
    start, end = source.line_start(source.start(node)), source.line_end(source.end(node))
    around = source.text[start : source.start(node)] + source.text[source.end(node) : end]
    is_elif = source.text.startswith("elif", source.start(node))
    if end - start <= _LONGEST and not around.strip() and not is_elif:
        thing = f"if {source.code(node.test)}" if isinstance(node, ast.If) else source.code(node)
        yield Edit(start, end, "", thing)

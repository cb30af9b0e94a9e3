"""Bugs in values: a wrong literal, and bounds that are one off."""

import ast
import random
import re
from collections.abc import Iterator

from editflow_trainer.injection.edit import Edit, shuffled
from editflow_trainer.injection.source import Source

_PLAIN_STRING = re.compile(r"""([rRbBuU]{0,2})(["'])([^"'\\\n]*)\2""")
_COUNTED = (ast.Subscript, ast.Slice, ast.Compare, ast.BinOp, ast.UnaryOp)
_WHOLE = (ast.Slice, ast.Subscript, ast.Compare, ast.Assign, ast.Return, ast.Call)


def wrong_literal(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`True` for `False`, another number, another string."""
    constants = source.of(ast.Constant)
    for node in shuffled(rng, constants):
        code = source.code(node)
        match node.value:
            case None | bool():
                wrong = rng.choice([word for word in ("True", "False", "None") if word != code])
            case int() | float():
                wrong = _wrong_number(node.value, rng)
            case str() | bytes():
                wrong = _wrong_string(
                    code, [source.code(n) for n in constants if type(n.value) is type(node.value)], rng
                )
            case _:
                continue
        if wrong and wrong != code:
            yield Edit(*source.span(node), wrong, code)


def off_by_one(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`n` for `n - 1` and the like, in subscripts, slices, ranges, comparisons and sums."""
    places: list[ast.AST] = [*source.of(ast.Constant), *source.of(ast.BinOp), *source.of(ast.Slice)]
    for node in shuffled(rng, [*places, *source.of(ast.Call)]):
        match node:
            case ast.Constant(value=int(value)) if not isinstance(value, bool) and _is_count(source, node):
                yield Edit(*source.span(node), str(max(value + rng.choice((-1, 1)), 0)), source.code(node))
            case ast.BinOp(op=ast.Add() | ast.Sub(), right=ast.Constant(value=1)):
                yield Edit(source.end(node.left), source.end(node), "", source.code(node))
            case ast.Slice():
                for bound in (node.lower, node.upper):
                    if isinstance(bound, ast.Name | ast.Call | ast.Attribute):
                        yield _shifted(source, bound, rng)
            case ast.Call(func=ast.Name(id="len")) if isinstance(source.scope.parents[node], _WHOLE):
                yield _shifted(source, node, rng)
            case ast.Call(func=ast.Name(id="range")) if node.args:
                yield _shifted(source, rng.choice(node.args[:2]), rng)


def _is_count(source: Source, node: ast.Constant) -> bool:
    parent = source.scope.parents[node]
    in_range = (
        isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "range"
    )
    return in_range or isinstance(parent, _COUNTED)


def _shifted(source: Source, node: ast.expr, rng: random.Random) -> Edit:
    return Edit(source.end(node), source.end(node), rng.choice((" - 1", " + 1")), source.code(node))


def _wrong_number(value: float, rng: random.Random) -> str:
    choices = (0, 1, 2, 10, value * 2, value * 10) if isinstance(value, int) else (0.0, 1.0, 0.5, value * 10)
    return str(rng.choice([choice for choice in choices if choice != value] or [value + 3]))


def _wrong_string(code: str, others: list[str], rng: random.Random) -> str:
    """Another short string of the function, or a change of this one; "" where this is not a plain one."""
    found = _PLAIN_STRING.fullmatch(code)
    choices = [
        other for other in others if other != code and len(other) <= 30 and _PLAIN_STRING.fullmatch(other)
    ]
    if not found:
        return ""
    if choices and rng.random() < 0.6:
        return rng.choice(choices)
    prefix, quote, inside = found.groups()
    return f"{prefix}{quote}{_altered(inside, rng)}{quote}"


def _altered(inside: str, rng: random.Random) -> str:
    if not inside:
        return " "
    word = inside[0].swapcase() + inside[1:]
    return rng.choice(["", inside[:-1], inside[1:], word, inside.replace("_", "-"), inside.strip(" .:,")])

"""Bugs in operators: comparisons, arithmetic, `and`/`or`, `not`, assignment operators."""

import ast
import random
from collections.abc import Iterator

from editflow_trainer.injection.edit import Edit, shuffled
from editflow_trainer.injection.source import Source

_COMPARISONS: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Eq: ("==", ("!=", "!=", "is", ">=", "<=")),
    ast.NotEq: ("!=", ("==", "==", "is not")),
    ast.Lt: ("<", ("<=", "<=", ">", ">=")),
    ast.LtE: ("<=", ("<", "<", ">=", ">")),
    ast.Gt: (">", (">=", ">=", "<", "<=")),
    ast.GtE: (">=", (">", ">", "<=", "<")),
    ast.Is: ("is", ("==",)),
    ast.IsNot: ("is not", ("!=", "==")),
    ast.In: ("in", ("==", "is")),
    ast.NotIn: ("not in", ("!=", "is not")),
}
_NEGATIONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_BINARY: dict[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-", "-", "*")),
    ast.Sub: ("-", ("+", "+", "*")),
    ast.Mult: ("*", ("/", "+", "**", "//")),
    ast.Div: ("/", ("//", "*", "%")),
    ast.FloorDiv: ("//", ("/", "/", "%")),
    ast.Mod: ("%", ("//", "/")),
    ast.Pow: ("**", ("*",)),
    ast.LShift: ("<<", (">>",)),
    ast.RShift: (">>", ("<<",)),
    ast.BitAnd: ("&", ("|", "^", "and")),
    ast.BitOr: ("|", ("&", "^", "or")),
    ast.BitXor: ("^", ("|", "&", "**")),
    ast.MatMult: ("@", ("*",)),
}


def wrong_comparison(source: Source, rng: random.Random) -> Iterator[Edit]:
    """One comparison operator for another: `<` for `<=`, `is` for `==`."""
    for op, start, end in _comparisons(source, rng):
        words, wrong = _COMPARISONS[type(op)]
        if found := _operator(source, words, start, end):
            yield Edit(*found, rng.choice(wrong), words)


def negation(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`is` for `is not`, `in` for `not in`, and the reverse."""
    for op, start, end in _comparisons(source, rng):
        words, wrong = _NEGATIONS.get(type(op), ("", ""))
        if words and (found := _operator(source, words, start, end)):
            yield Edit(*found, wrong, words)


def missing_equals(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`=` for `==`."""
    for op, start, end in _comparisons(source, rng):
        if isinstance(op, ast.Eq) and (found := _operator(source, "==", start, end)):
            yield Edit(*found, "=", "==")


def wrong_binary_operator(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`-` for `+` and the like; string concatenation and formatting are left alone."""
    for node in shuffled(rng, source.of(ast.BinOp)):
        if _is_text(node.left) or _is_text(node.right):
            continue
        symbol, wrong = _BINARY[type(node.op)]
        if found := _operator(source, symbol, source.end(node.left), source.start(node.right)):
            yield Edit(*found, rng.choice(wrong), symbol)


def wrong_boolean_operator(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`or` for `and`, `and` for `or`."""
    for node in shuffled(rng, source.of(ast.BoolOp)):
        right, wrong = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        at = rng.randrange(len(node.values) - 1)
        gap = source.end(node.values[at]), source.start(node.values[at + 1])
        if found := _operator(source, right, *gap):
            yield Edit(*found, wrong, right)


def wrong_augmented_operator(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`-=` or `=` for `+=`, `+=` for `=`."""
    assignments: list[tuple[ast.expr, str, list[str], ast.expr]] = []
    for node in source.of(ast.AugAssign):
        symbol, others = _BINARY[type(node.op)]
        wrong = ["=", *(other + "=" for other in others if not other.isalpha())]
        assignments.append((node.target, symbol + "=", wrong, node.value))
    for plain in source.of(ast.Assign):
        if len(plain.targets) == 1 and isinstance(plain.targets[0], ast.Attribute | ast.Subscript):
            assignments.append((plain.targets[0], "=", ["+="], plain.value))
    for target, right, wrong, value in shuffled(rng, assignments):
        if found := _operator(source, right, source.end(target), source.start(value)):
            yield Edit(*found, rng.choice(wrong), right)


def missing_not(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`not x` becomes `x`."""
    for node in shuffled(rng, source.of(ast.UnaryOp)):
        if isinstance(node.op, ast.Not):
            start = source.start(node)
            end = start + len("not")
            blank = len(source.text[end:]) - len(source.text[end:].lstrip(" "))
            yield Edit(start, end + blank, "", source.code(node))


def extra_not(source: Source, rng: random.Random) -> Iterator[Edit]:
    """A condition, or a part of one, gets a `not`."""
    tested: list[ast.If | ast.While | ast.IfExp | ast.Assert] = []
    for kind in (ast.If, ast.While, ast.IfExp, ast.Assert):
        tested += source.of(kind)
    conditions = [node.test for node in tested]
    conditions += [test for node in source.of(ast.comprehension) for test in node.ifs]
    conditions += [part for test in conditions if isinstance(test, ast.BoolOp) for part in test.values]
    for node in shuffled(rng, conditions):
        if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Compare | ast.Subscript):
            yield Edit(source.start(node), source.start(node), "not ", source.code(node))


def _comparisons(source: Source, rng: random.Random) -> Iterator[tuple[ast.cmpop, int, int]]:
    """Each comparison operator with the gap between its operands."""
    for node in shuffled(rng, source.of(ast.Compare)):
        at = rng.randrange(len(node.ops))
        left = node.comparators[at - 1] if at else node.left
        yield node.ops[at], source.end(left), source.start(node.comparators[at])


def _operator(source: Source, words: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the operator stands in the gap between two operands, which may also hold parentheses."""
    wanted = words.split()
    tokens = [token for token in source.between(start, end) if token.string in wanted]
    if [token.string for token in tokens] != wanted:
        return None
    return tokens[0].start, tokens[-1].end


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )

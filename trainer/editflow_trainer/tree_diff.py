"""The smallest places where two syntax trees differ, found by walking both of them in parallel."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

Path = tuple[tuple[ast.AST, str], ...]
_TESTS = (ast.If, ast.While, ast.IfExp, ast.Assert)


@dataclass(frozen=True, slots=True)
class Change:
    """One place: a node, a run of a list's items, or a plain value, as it was and as it became."""

    before: object
    after: object
    path: Path
    """From the root, each node of the old tree with the field that leads on; never empty."""

    @property
    def parent(self) -> ast.AST:
        """The node that holds the place."""
        return self.path[-1][0]

    @property
    def field(self) -> str:
        """Where the parent holds it."""
        return self.path[-1][1]

    @property
    def in_test(self) -> bool:
        """Whether it is a condition, or a part of one."""
        return any(
            (field == "test" and isinstance(node, _TESTS))
            or (field == "ifs" and isinstance(node, ast.comprehension))
            or (field == "guard" and isinstance(node, ast.match_case))
            for node, field in self.path
        )


def changes(before: ast.Module, after: ast.Module) -> Iterator[Change]:
    """The places in the order of the old tree; layout, comments and parentheses do not count."""
    yield from _compare(before, after, ())


def same(left: object, right: object) -> bool:
    """Whether two nodes, lists of nodes or plain values are equal, positions aside."""
    return _key(left) == _key(right)


def wraps(outer: object, inner: object) -> bool:
    """Whether the expression `inner` is an operand of `outer`, or an argument or receiver of calls in it."""
    if not isinstance(outer, ast.expr) or not isinstance(inner, ast.expr):
        return False
    parts = list(ast.iter_child_nodes(outer))
    if isinstance(outer, ast.Call):
        parts += [part.value for part in parts if isinstance(part, ast.Attribute | ast.keyword)]
    return any(same(part, inner) or (isinstance(part, ast.Call) and wraps(part, inner)) for part in parts)


def guards(outer: object, inner: list[object]) -> bool:
    """Whether `outer` is an `if` with the statements `inner` as one of its branches."""
    return isinstance(outer, ast.If) and (same(outer.body, inner) or same(outer.orelse, inner))


def is_permuted(before: ast.Call, after: ast.Call) -> bool:
    """Whether two calls of one function have the same arguments in other places."""
    names = [[keyword.arg for keyword in call.keywords] for call in (before, after)]
    old, new = ([*call.args, *(keyword.value for keyword in call.keywords)] for call in (before, after))
    kept = same(before.func, after.func) and names[0] == names[1] and len(before.args) == len(after.args)
    return kept and not same(old, new) and sorted(map(_key, old)) == sorted(map(_key, new))


def operators_between(before: object, after: object) -> list[tuple[ast.AST, ast.AST]]:
    """The operators, from left to right, of two expressions with equal operands; none for any others."""
    if not isinstance(before, ast.expr) or not isinstance(after, ast.expr):
        return []
    (old_operands, old), (new_operands, new) = _flat(before), _flat(after)
    return list(zip(old, new, strict=True)) if same(old_operands, new_operands) else []


def _flat(node: ast.expr) -> tuple[list[ast.expr], list[ast.AST]]:
    """Operands and operators in the order of the text: that of `a + b * c` is also that of `a * b + c`."""
    match node:
        case ast.BinOp():
            parts: list[ast.expr] = [node.left, node.right]
            between: list[ast.AST] = [node.op]
        case ast.BoolOp():
            parts, between = node.values, [node.op for _ in pairwise(node.values)]
        case ast.Compare():
            parts, between = [node.left, *node.comparators], [*node.ops]
        case _:
            return [node], []
    operands, operators = _flat(parts[0])
    for operator, part in zip(between, parts[1:], strict=True):
        more, inner = _flat(part)
        operands += more
        operators += [operator, *inner]
    return operands, operators


def _compare(before: object, after: object, path: Path) -> Iterator[Change]:
    if same(before, after):
        return
    if isinstance(before, list) and isinstance(after, list):
        yield from _compare_lists(before, after, path)
    elif isinstance(before, ast.AST) and isinstance(after, ast.AST) and not _is_whole(before, after):
        for field in before._fields:
            below = (*path, (before, field))
            yield from _compare(getattr(before, field, None), getattr(after, field, None), below)
    else:
        yield Change(before, after, path)


def _compare_lists(before: list[object], after: list[object], path: Path) -> Iterator[Change]:
    matcher = SequenceMatcher(None, [*map(_key, before)], [*map(_key, after)], autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        old, new = before[start:end], after[new_start:new_end]
        if len(old) == len(new):
            for left, right in zip(old, new, strict=True):
                yield from _compare(left, right, path)
        elif tag != "equal":
            yield Change(old, new, path)


def _is_whole(before: ast.AST, after: ast.AST) -> bool:
    """Whether two unequal nodes are best seen as one change, rather than as the changes of their parts."""
    match before, after:
        case (ast.Name(), ast.Name()) | (ast.Constant(), ast.Constant()):
            return True
        case (ast.Attribute(attr=old), ast.Attribute(attr=new)) if old != new:
            return True
        case (ast.Call(), ast.Call()) if is_permuted(before, after):
            return True
        case (ast.If(), ast.If()) if guards(before, [after]) or guards(after, [before]):
            return True
    if type(before) is not type(after) or wraps(before, after) or wraps(after, before):
        return True
    return bool(operators_between(before, after))


def _key(part: object) -> str:
    if isinstance(part, list):
        return "\n".join(map(_key, part))
    return ast.dump(part) if isinstance(part, ast.AST) else repr(part)

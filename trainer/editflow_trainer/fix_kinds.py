"""What a small fix of one Python function is, judged from the function's text before and after it.

Where a kind has a published definition, that one is meant: SStuBs (Karampatsis and Sutton 2020,
arxiv.org/abs/1905.13334), PyPIBugs (Allamanis et al. 2021, arxiv.org/abs/2105.12787) and TSSB-3M (Richter
and Wehrheim 2022, arxiv.org/abs/2201.12046). Like theirs, the kinds are named for what was wrong before.
"""

import ast
from collections.abc import Collection
from enum import StrEnum

from editflow_trainer.injection.scope import Scope
from editflow_trainer.injection.source import parse
from editflow_trainer.tree_diff import Change, changes, guards, is_permuted, operators_between, same, wraps


class FixKind(StrEnum):
    """What was wrong."""

    wrong_literal = "wrong_literal"
    """Another number, string, f-string text or docstring; a display of literals with other items."""
    condition = "condition"
    """A test changed, an operand of `and`/`or`, an `elif` or an `if` around statements came or went."""
    missing_argument = "missing_argument"
    """SStuBs: same function more arguments."""
    extra_argument = "extra_argument"
    """SStuBs: same function less arguments."""
    argument_swap = "argument_swap"
    """SStuBs and PyPIBugs: the same arguments in another order."""
    wrong_attribute_or_call = "wrong_attribute_or_call"
    """TSSB-3M: another attribute or called function, an attribute for a name or a name for an attribute."""
    missing_statement = "missing_statement"
    """Statements were added, or `return` or `raise` in front of an expression."""
    extra_statement = "extra_statement"
    missing_wrapping_call = "missing_wrapping_call"
    """TSSB-3M: `x` became `f(x)` or `x.f()`."""
    missing_none_check = "missing_none_check"
    """A comparison with None was added: in a condition, or as one with its statements."""
    variable_misuse = "variable_misuse"
    """PyPIBugs: a name for another, both bound in the function before."""
    wrong_name = "wrong_name"
    """A name for another of which one or both are not bound in the function before."""
    exception_type = "exception_type"
    """Other exceptions caught, or another one raised."""
    off_by_one = "off_by_one"
    """`+ 1` or `- 1` came or went, or a number in an index, slice, range, comparison or sum moved by one."""
    wrong_operator = "wrong_operator"
    """PyPIBugs: same operands, another arithmetic, comparison, boolean, sign or assignment operator."""
    negation = "negation"
    """`not` came or went, that of `not in` and `is not` included."""
    syntax = "syntax"
    """The text before does not parse."""
    formatting = "formatting"
    """Equal trees: layout, comments, quotes, parentheses."""
    other = "other"


_NEGATIONS = {(ast.Is, ast.IsNot), (ast.IsNot, ast.Is), (ast.In, ast.NotIn), (ast.NotIn, ast.In)}
_DISPLAYS = (ast.List, ast.Tuple, ast.Set, ast.Dict)


def classify(before: str, after: str) -> FixKind:
    """The kind of a fix of one function, whose texts are dedented.

    A fix in several places is `condition` if all are in conditions, else `other` unless all are of one kind.
    So is one whose text after does not parse, or that is nested too deeply to compare.
    """
    old, new = _tree(before), _tree(after)
    if old is None or new is None:
        return FixKind.syntax if old is None else FixKind.other
    try:
        found = list(changes(old, new))
        bound = Scope(old, first_line=1).bound
        kinds = {_kind(change, bound) for change in found}
    except RecursionError:
        return FixKind.other
    if len(kinds) <= 1:
        return kinds.pop() if kinds else FixKind.formatting
    return FixKind.condition if all(change.in_test for change in found) else FixKind.other


def _tree(text: str) -> ast.Module | None:
    """Without the mark of `u""`, which means nothing."""
    tree = parse(text)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Constant):
            node.kind = None
    return tree


def _kind(change: Change, bound: Collection[str]) -> FixKind:
    if any(field in ("annotation", "returns") for _, field in change.path):
        return FixKind.other
    if change.field == "handlers" or any(
        isinstance(n, ast.ExceptHandler) and f == "type" for n, f in change.path
    ):
        return FixKind.exception_type
    if (statement := _statement(change)) is not None:
        return statement
    expression = _literal(change) or _name(change, bound) or _operator(change) or _call(change)
    return expression or _condition(change) or FixKind.other


def _statement(change: Change) -> FixKind | None:
    """None for what is no statement."""
    old, new = _items(change.before), _items(change.after)
    if not all(isinstance(item, ast.stmt) for item in (*old, *new)):
        return None
    is_elif = change.field == "orelse" and isinstance(change.parent, ast.If)
    match old, new:
        case ([], [ast.Expr(value=ast.Constant())]) | ([ast.Expr(value=ast.Constant())], []):
            return FixKind.wrong_literal
        case [], [ast.If() as added] if is_elif or _none_checks(added.test):
            return FixKind.missing_none_check if _none_checks(added.test) else FixKind.condition
        case [ast.If()], [] if is_elif:
            return FixKind.condition
        case ([], _) | (_, []):
            return FixKind.extra_statement if old else FixKind.missing_statement
        case [ast.Expr(value=value)], [ast.Return(value=kept) | ast.Raise(exc=kept)] if same(value, kept):
            return FixKind.missing_statement
        case [ast.Assign() | ast.AugAssign() as left], [ast.Assign() | ast.AugAssign() as right]:
            return FixKind.wrong_operator if _same_sides(left, right) else FixKind.other
        case _, [ast.If() as added] if guards(added, old):
            return FixKind.missing_none_check if _none_checks(added.test) else FixKind.condition
        case [ast.If() as removed], _ if guards(removed, new):
            return FixKind.condition
    return FixKind.other


def _same_sides(left: ast.Assign | ast.AugAssign, right: ast.Assign | ast.AugAssign) -> bool:
    """Whether only the operator of an assignment differs, as in `x = y` and `x += y`."""
    old, new = (node.targets if isinstance(node, ast.Assign) else [node.target] for node in (left, right))
    return same(old, new) and same(left.value, right.value)


def _literal(change: Change) -> FixKind | None:
    items = [*_items(change.before), *_items(change.after)]
    if isinstance(change.before, list):
        in_text = isinstance(change.parent, ast.JoinedStr)
        in_display = isinstance(change.parent, _DISPLAYS) and all(map(_is_literal, items))
        return FixKind.wrong_literal if in_text or in_display else None
    if not all(map(_is_literal, items)):
        return None
    old, new = map(_integer, items)
    moved_by_one = old is not None and new is not None and abs(old - new) == 1
    return FixKind.off_by_one if moved_by_one and _is_count(change) else FixKind.wrong_literal


def _is_literal(part: object) -> bool:
    match part:
        case ast.Constant() | ast.JoinedStr():
            return True
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _is_literal(operand)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return all(map(_is_literal, items))
        case ast.Dict(keys=keys, values=values):
            return all(map(_is_literal, [*keys, *values]))
    return False


def _integer(part: object) -> int | None:
    match part:
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
            return -value
    return None


def _is_count(change: Change) -> bool:
    """Whether the number counts or bounds something."""
    path = change.path
    if isinstance(change.parent, ast.UnaryOp):
        path = path[:-1]
    match path[-1]:
        case (ast.Slice() | ast.Compare() | ast.BinOp(op=ast.Add() | ast.Sub()), _):
            return True
        case (ast.Subscript(), "slice") | (ast.Call(func=ast.Name(id="range")), "args"):
            return True
    return False


def _name(change: Change, bound: Collection[str]) -> FixKind | None:
    match change.before, change.after:
        case str(), str() if isinstance(change.parent, ast.keyword | ast.arg):
            return FixKind.wrong_name
        case ast.Name(id=old), ast.Name(id=new) if old in bound and new in bound:
            return FixKind.variable_misuse
        case (ast.Name() | ast.Attribute(), ast.Name() | ast.Attribute()) if _is_raised(change):
            return FixKind.exception_type
        case ast.Name(), ast.Name():
            called = isinstance(change.parent, ast.Call) and change.field == "func"
            return FixKind.wrong_attribute_or_call if called else FixKind.wrong_name
        case (ast.Name() | ast.Attribute(), ast.Name() | ast.Attribute()):
            return FixKind.wrong_attribute_or_call
    return None


def _is_raised(change: Change) -> bool:
    *_, (outer, _), (parent, field) = change.path
    raised = outer if isinstance(parent, ast.Call) and field == "func" else parent
    return isinstance(raised, ast.Raise)


def _operator(change: Change) -> FixKind | None:
    old, new = change.before, change.after
    if isinstance(old, ast.operator | ast.unaryop):
        return FixKind.wrong_operator
    for outer, inner in ((old, new), (new, old)):
        match outer:
            case ast.UnaryOp(op=op, operand=operand) if same(operand, inner):
                return FixKind.negation if isinstance(op, ast.Not) else FixKind.wrong_operator
            case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=ast.Constant(value=1)) if same(
                left, inner
            ):
                return FixKind.off_by_one
            case ast.BinOp(op=ast.Add(), left=ast.Constant(value=1), right=right) if same(right, inner):
                return FixKind.off_by_one
    pairs = {(type(left), type(right)) for left, right in operators_between(old, new)}
    swapped = {pair for pair in pairs if pair[0] is not pair[1]}
    if not swapped:
        return None
    return FixKind.negation if swapped <= _NEGATIONS else FixKind.wrong_operator


def _call(change: Change) -> FixKind | None:
    old, new = change.before, change.after
    if isinstance(change.parent, ast.Call) and isinstance(old, list) and not (old and new):
        return FixKind.extra_argument if old else FixKind.missing_argument
    if isinstance(old, ast.Call) and isinstance(new, ast.Call) and is_permuted(old, new):
        return FixKind.argument_swap
    return FixKind.missing_wrapping_call if isinstance(new, ast.Call) and wraps(new, old) else None


def _condition(change: Change) -> FixKind | None:
    old, new = change.before, change.after
    choices = ast.BoolOp | ast.IfExp
    joined = isinstance(change.parent, ast.BoolOp) and isinstance(old, list)
    wrapped = (isinstance(new, choices) and wraps(new, old)) or (isinstance(old, choices) and wraps(old, new))
    if not (joined or wrapped or change.in_test):
        return None
    return FixKind.missing_none_check if _none_checks(new) > _none_checks(old) else FixKind.condition


def _none_checks(part: object) -> int:
    """How many comparisons with None there are."""
    trees = [item for item in _items(part) if isinstance(item, ast.AST)]
    comparisons = [n for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Compare)]
    operands = [operand for node in comparisons for operand in (node.left, *node.comparators)]
    return sum(isinstance(operand, ast.Constant) and operand.value is None for operand in operands)


def _items(part: object) -> list[object]:
    return part if isinstance(part, list) else [part]

"""Whether two Python syntax trees mean the same, told at their first difference: most edits differ early."""

import ast
from itertools import starmap

from editflow_trainer.sources import FunctionNode


def equal_trees(left: object, right: object, *, docstrings: bool = True) -> bool:
    """Whether two nodes, lists of nodes or plain values are equal, positions and the mark of `u""` aside.

    Raises:
        RecursionError: they are nested too deeply.
    """
    if type(left) is not type(right):
        return False
    if isinstance(left, ast.AST):
        fields = (field for field in left._fields if field != "kind")
        pairs = [(_part(left, field, docstrings), _part(right, field, docstrings)) for field in fields]
    elif isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            return False
        pairs = list(zip(left, right, strict=True))
    else:
        return left == right
    return all(starmap(lambda one, other: equal_trees(one, other, docstrings=docstrings), pairs))


def _part(node: object, field: str, docstrings: bool) -> object:
    value = getattr(node, field, None)
    if docstrings or field != "body" or not isinstance(node, FunctionNode | ast.ClassDef):
        return value
    return node.body[1:] if ast.get_docstring(node, clean=False) is not None else value

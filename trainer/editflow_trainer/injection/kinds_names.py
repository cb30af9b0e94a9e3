"""Bugs in names: another variable, another attribute, a misspelt or unbound name, a lost `self`."""

import ast
import keyword
import random
from collections.abc import Iterator

from editflow_trainer.injection.edit import Edit, shuffled
from editflow_trainer.injection.source import Source
from editflow_trainer.injection.typo import mistype

_RECEIVERS = {"self", "cls"}
_TWINS = {
    "append": "extend", "extend": "append", "startswith": "endswith", "endswith": "startswith",
    "lower": "upper", "upper": "lower", "strip": "rstrip", "lstrip": "strip", "rstrip": "strip",
    "split": "rsplit", "rsplit": "split", "keys": "values", "values": "keys", "items": "values",
    "read": "readline", "get": "pop", "pop": "get", "add": "update", "update": "add", "join": "split",
    "index": "find", "find": "rfind", "insert": "append", "remove": "discard", "search": "match",
    "match": "search", "encode": "decode", "decode": "encode", "write": "writelines", "start": "end",
    "end": "start", "popleft": "pop", "exists": "isfile", "isfile": "isdir", "isdir": "exists",
    "dirname": "basename", "basename": "dirname",
}  # fmt: skip
_COMMON = (
    "data", "result", "value", "item", "index", "name", "key", "args", "path", "line", "node", "obj", "text",
    "count", "values", "items", "kwargs", "res", "val", "idx", "tmp", "x", "i", "n",
)  # fmt: skip


def variable_misuse(source: Source, rng: random.Random) -> Iterator[Edit]:
    """A read of one of the function's variables becomes a read of another."""
    variables = [name for name in source.scope.variables if name not in _RECEIVERS]
    for node in shuffled(rng, source.of(ast.Name)):
        others = [name for name in variables if name != node.id]
        if isinstance(node.ctx, ast.Load) and node.id in variables and others:
            yield Edit(*source.span(node), rng.choice(others), node.id)


def wrong_attribute(source: Source, rng: random.Random) -> Iterator[Edit]:
    """An attribute or method becomes another one that the function uses, or its usual twin."""
    nodes = source.of(ast.Attribute)
    called = {node.func for node in source.of(ast.Call)}
    for node in shuffled(rng, nodes):
        others = dict.fromkeys(
            n.attr for n in nodes if n.attr != node.attr and (n in called) == (node in called)
        )
        twin = _TWINS.get(node.attr)
        if twin and (not others or rng.random() < 0.5):
            others = {twin: None}
        end = source.end(node)
        start = end - len(node.attr)
        if others and source.text[start:end] == node.attr:
            yield Edit(start, end, rng.choice(list(others)), node.attr)


def missing_self(source: Source, rng: random.Random) -> Iterator[Edit]:
    """`self.x` becomes `x`, or a method loses its first parameter."""
    uses = [n for n in source.of(ast.Attribute) if isinstance(n.value, ast.Name) and n.value.id in _RECEIVERS]
    parameters = [n for n in source.of(ast.arg) if n.arg in _RECEIVERS]
    places: list[ast.Attribute | ast.arg] = [*uses, *parameters]
    for node in shuffled(rng, places):
        if isinstance(node, ast.Attribute):
            yield Edit(source.start(node), source.end(node) - len(node.attr), "", source.code(node))
        else:
            start, end = source.span(node)
            end += 2 if source.text[end : end + 2] == ", " else 0
            yield Edit(start, end, "", node.arg)


def misspelt_name(source: Source, rng: random.Random) -> Iterator[Edit]:
    """A read of a name of three letters or more with a slip of the keyboard."""
    for node in shuffled(rng, source.scope.loads):
        if len(node.id) >= 3 and (edit := _unbound(source, node, mistype(node.id, rng))):
            yield edit


def undefined_name(source: Source, rng: random.Random) -> Iterator[Edit]:
    """A read of a local variable becomes a read of a similar, or a common, name that is bound nowhere."""
    likely = [*_COMMON, *(node.attr for node in source.of(ast.Attribute))]
    for node in shuffled(rng, source.scope.loads):
        if node.id not in source.scope.variables or node.id in _RECEIVERS:
            continue
        wrong = rng.choice(likely) if rng.random() < 0.35 else _variant(node.id, rng)
        if edit := _unbound(source, node, wrong):
            yield edit


def _unbound(source: Source, node: ast.Name, wrong: str) -> Edit | None:
    bad = wrong == node.id or not wrong.isidentifier() or keyword.iskeyword(wrong)
    if bad or source.has_open_scope or source.is_bound(wrong):
        return None
    return Edit(*source.span(node), wrong, node.id)


def _variant(name: str, rng: random.Random) -> str:
    """`b1` gives `c1` or `b2`; `i` gives `k`; longer names gain or lose an ending."""
    if len(name) <= 2 or name[-1].isdigit():
        at = rng.randrange(len(name))
        step = rng.choice((-2, -1, -1, 1, 1, 2))
        return name[:at] + chr(ord(name[at]) + step) + name[at + 1 :]
    head, _, tail = name.rpartition("_")
    plural = name[:-1] if name.endswith("s") else name + "s"
    return rng.choice(
        [plural, plural, head or plural, tail, "_" + name, "new_" + name, name.replace("_", "")]
    )

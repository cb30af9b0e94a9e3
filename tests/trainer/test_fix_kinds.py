"""Kinds of fixes: a table of small ones, and injected bugs, whose kind is known."""

import argparse
import ast
import asyncio.streams
import heapq
import inspect
import json.decoder
import random
import shlex
import textwrap
from collections import Counter
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.fix_kinds import FixKind, classify
from editflow_trainer.injection import BugKind, Injector
from editflow_trainer.injection.bug import UNPARSABLE
from editflow_trainer.sources import SourceFunction, functions_in
from editflow_trainer.tree_diff import changes

TABLE = {
    FixKind.wrong_literal: [
        ("return 'a'", "return 'b'"),
        ("f(timeout=10)", "f(timeout=60)"),
        ("f(True)", "f(None)"),
        ("return f'{a}: {b}'", "return f'{a} {b}!'"),
        ("if x in ('a', 'b'):\n    f()", "if x in ('a', 'b', 'c'):\n    f()"),
        ("'''Old.'''\nreturn a", "'''New.'''\nreturn a"),
        ("f(2)", "f(3)"),
        ("y = -1", "y = 1"),
    ],
    FixKind.condition: [
        ("if a:\n    f()", "if a and b:\n    f()"),
        ("while a or b:\n    f()", "while a:\n    f()"),
        ("return [x for x in a]", "return [x for x in a if x.ok]"),
        ("f()\ng()", "if a:\n    f()\ng()"),
        ("if a:\n    f()\ng()", "f()\ng()"),
        ("if a:\n    f()", "if c.b[a] is c:\n    f()"),
        ("assert a == 1", "assert b.c > 1 + d"),
        ("if a:\n    f()", "if a:\n    f()\nelif b:\n    g()"),
        ("x = a", "x = a if b else c"),
        ("if a:\n    if b:\n        f()", "if b:\n    f()"),
    ],
    FixKind.missing_argument: [
        ("f(a)", "f(a, b)"),
        ("f()", "f(a)"),
        ("f(a, *b)", "f(a, *b, key=c)"),
        ("f(a)\nf(b)", "f(a, x)\nf(b, x)"),
    ],
    FixKind.extra_argument: [("f(a, b)", "f(a)"), ("f(x.y)", "f()"), ("f(a, key=1)", "f(a)")],
    FixKind.argument_swap: [
        ("f(a, b)", "f(b, a)"),
        ("x.f(1, g(a), c)", "x.f(g(a), 1, c)"),
        ("f(a=1, b=2)", "f(a=2, b=1)"),
    ],
    FixKind.wrong_attribute_or_call: [
        ("return a.keys()", "return a.values()"),
        ("return f(a)", "return g(a)"),
        ("return x", "return self.x"),
        ("return a.b", "return a.b.c"),
        ("return os.path.join(a)", "return posixpath.join(a)"),
    ],
    FixKind.missing_statement: [
        ("f()", "f()\ng()"),
        ("f()", "if a:\n    return\nf()"),
        ("a", "return a"),
        ("ValueError(a)", "raise ValueError(a)"),
        ("f()\nx = 1\ng(x)", "f()\ng(x)\nx = 1\ng(x)"),
    ],
    FixKind.extra_statement: [
        ("f()\ng()", "g()"),
        ("f()\nprint(a)\ng()", "f()\ng()"),
        ("if a:\n    f()\n    return\ng()", "if a:\n    f()\ng()"),
    ],
    FixKind.missing_wrapping_call: [
        ("return a", "return int(a)"),
        ("return a", "return a.strip()"),
        ("return a.b", "return a.b()"),
        ("return a", "return int(a.strip(), 10)"),
        ("return f(a)", "return g(f(a))"),
    ],
    FixKind.missing_none_check: [
        ("if a.b:\n    f()", "if a is not None and a.b:\n    f()"),
        ("return a.b", "if a is None:\n    return None\nreturn a.b"),
        ("f(a)\ng()", "if a is not None:\n    f(a)\ng()"),
        ("if a:\n    f()", "if a is not None:\n    f()"),
        ("x = a.b", "x = a.b if a is not None else c"),
    ],
    FixKind.variable_misuse: [
        ("b = 1\nreturn a", "b = 1\nreturn b"),
        ("for b in a:\n    f(a)", "for b in a:\n    f(b)"),
        ("with a as b:\n    return a.x", "with a as b:\n    return b.x"),
    ],
    FixKind.wrong_name: [
        ("return tru", "return true"),
        ("x = a\nreturn y", "x = a\nreturn x"),
        ("x = 1\nreturn x", "y = 1\nreturn y"),
        ("f(a=1)", "f(b=1)"),
    ],
    FixKind.exception_type: [
        ("try:\n    f()\nexcept A:\n    g()", "try:\n    f()\nexcept B:\n    g()"),
        ("try:\n    f()\nexcept A:\n    g()", "try:\n    f()\nexcept (A, B):\n    g()"),
        ("try:\n    f()\nexcept:\n    g()", "try:\n    f()\nexcept A:\n    g()"),
        ("raise KeyError(a)", "raise ValueError(a)"),
        ("raise a.A", "raise a.B"),
    ],
    FixKind.off_by_one: [
        ("return a[1:]", "return a[2:]"),
        ("for i in range(b):\n    f(i)", "for i in range(b + 1):\n    f(i)"),
        ("if len(a) > 0:\n    f()", "if len(a) > 1:\n    f()"),
        ("return a[-1]", "return a[-2]"),
        ("return a * b - 1", "return a * b"),
        ("return range(0, a)", "return range(1, a)"),
    ],
    FixKind.wrong_operator: [
        ("if a < b:\n    f()", "if a <= b:\n    f()"),
        ("return a + b * c", "return a - b + c"),
        ("if a and b and c:\n    f()", "if a or b and c:\n    f()"),
        ("x = y", "x += y"),
        ("x += y", "x -= y"),
        ("return x", "return -x"),
        ("if a & b:\n    f()", "if a and b:\n    f()"),
    ],
    FixKind.negation: [
        ("if a:\n    f()", "if not a:\n    f()"),
        ("return not a", "return a"),
        ("if a in b and c:\n    f()", "if a not in b and c:\n    f()"),
        ("if a is b:\n    f()", "if a is not b:\n    f()"),
    ],
    FixKind.syntax: [("return (a", "return (a)"), ("if a\n    f()", "if a:\n    f()"), ("x = = 1", "x = 1")],
    FixKind.formatting: [
        ("f(a,b)", "f(a, b)  # fine"),
        ("return (a)", "return a"),
        ("return 'a'", 'return u"a"'),
    ],
    FixKind.other: [
        ("f(a, 1)\ng(b)", "f(a, 2)\nh(b)"),
        ("x: int = 1", "x: str = 1"),
        ("for a in b:\n    f(a)", "return [f(a) for a in b]"),
        ("return a[b]", "return a.get(b)"),
        ("return (a + b) * c", "return a + b * c"),
        ("return a", "return a ="),
        ("return await a", "return a"),
    ],
}

COUNTERPARTS = {
    BugKind.wrong_comparison: {FixKind.wrong_operator},
    BugKind.wrong_binary_operator: {FixKind.wrong_operator},
    BugKind.wrong_boolean_operator: {FixKind.wrong_operator},
    BugKind.wrong_augmented_operator: {FixKind.wrong_operator},
    BugKind.negation: {FixKind.negation},
    BugKind.variable_misuse: {FixKind.variable_misuse},
    BugKind.argument_swap: {FixKind.argument_swap},
    BugKind.wrong_literal: {FixKind.wrong_literal, FixKind.off_by_one},
    BugKind.off_by_one: {FixKind.off_by_one},
    BugKind.wrong_attribute: {FixKind.wrong_attribute_or_call},
    BugKind.missing_not: {FixKind.negation},
    BugKind.extra_not: {FixKind.negation},
    BugKind.missing_return: {FixKind.missing_statement},
    BugKind.missing_self: {FixKind.wrong_attribute_or_call, FixKind.other},  # other: the parameter
    BugKind.missing_guard: {FixKind.missing_statement, FixKind.condition, FixKind.missing_none_check},
    BugKind.missing_argument: {FixKind.missing_argument},
    BugKind.extra_argument: {FixKind.extra_argument},
    BugKind.missing_call: {FixKind.missing_wrapping_call},
    BugKind.misspelt_name: {FixKind.wrong_name, FixKind.wrong_attribute_or_call, FixKind.exception_type},
    BugKind.undefined_name: {FixKind.wrong_name, FixKind.wrong_attribute_or_call},
    **{kind: {FixKind.syntax} for kind in UNPARSABLE},
}


def _functions(module: ModuleType) -> list[SourceFunction]:
    return list(functions_in(inspect.getsource(module), package="", path=""))


FUNCTIONS = [
    function
    for module in (argparse, asyncio.streams, heapq, json.decoder, shlex, textwrap)
    for function in _functions(module)
]


def function_of(body: str) -> str:
    return "def function(a, c):\n" + textwrap.indent(body, "    ") + "\n"


@pytest.mark.parametrize(
    ("kind", "before", "after"), [(kind, *pair) for kind, pairs in TABLE.items() for pair in pairs]
)
def test_small_fixes(kind: FixKind, before: str, after: str) -> None:
    assert classify(function_of(before), function_of(after)) == kind


def test_the_table_has_every_kind() -> None:
    assert set(TABLE) == set(FixKind)
    assert min(map(len, TABLE.values())) >= 3


@pytest.mark.parametrize("kind", sorted(COUNTERPARTS))
def test_injected_bugs_get_their_counterpart(kind: BugKind) -> None:
    rng, injector = random.Random(0), Injector({kind: 1.0})
    seen: Counter[FixKind] = Counter()
    for function in rng.sample(FUNCTIONS, 90):
        names = function.module_names
        found = injector.sample(function.text, rng, count=1, header=function.header, names=names)
        if found is not None:
            seen[classify(function.header + found.buggy, function.header + found.clean)] += 1
    assert seen.total() >= 5
    assert sum(seen[counterpart] for counterpart in COUNTERPARTS[kind]) >= 0.85 * seen.total(), seen


@given(st.sampled_from(FUNCTIONS), st.integers(0, 2**32))
def test_a_difference_is_found_exactly_where_there_is_one(function: SourceFunction, seed: int) -> None:
    clean = function.header + function.text
    assert classify(clean, clean) == FixKind.formatting
    assert classify(clean, ast.unparse(ast.parse(clean))) == FixKind.formatting
    found = Injector().sample(function.text, random.Random(seed), count=3, header=function.header)
    if found is not None:
        assert classify(function.header + found.buggy, clean) != FixKind.formatting


@given(st.sampled_from(FUNCTIONS), st.sampled_from(FUNCTIONS))
def test_changes_are_unequal_and_lead_to_a_field(before: SourceFunction, after: SourceFunction) -> None:
    old, new = (ast.parse(function.header + function.text) for function in (before, after))
    for change in changes(old, new):
        assert change.field in change.parent._fields
        assert change.before != change.after


def test_a_deep_nest_is_other() -> None:
    before, after = (
        function_of("return " + "-" * 90 + "f(" * 60 + "x" + ")" * 60 + end) for end in ("", " + 1")
    )
    assert classify(before, after) == FixKind.off_by_one
    chain = " + ".join(["a"] * 900)
    assert classify(function_of(f"return {chain}"), function_of(f"return {chain} - 1")) == FixKind.other

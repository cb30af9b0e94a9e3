"""Bug injection into functions of the standard library: each bug is what it claims and comes out exactly."""

import argparse
import ast
import asyncio.streams
import asyncio.tasks
import bisect
import heapq
import inspect
import io
import json.decoder
import random
import shlex
import textwrap
import tokenize
import warnings
from collections.abc import Collection, Iterator
from itertools import pairwise
from types import ModuleType
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyflakes.checker import Checker
from pyflakes.messages import UndefinedName

from editflow_trainer.injection import VISIBLE, Bug, BugKind, Injected, Injector
from editflow_trainer.injection.bug import UNBOUND, UNPARSABLE
from editflow_trainer.injection.kinds import DEFAULT_WEIGHTS, FINDERS
from editflow_trainer.injection.typo import mistype


class Function(NamedTuple):
    """A function's text, the lines that make it parse, and the names of its module."""

    text: str
    header: str
    names: Collection[str]


def _read(module: ModuleType, name: str) -> Function:
    """A function of the module, or a method named as `Class.method`."""
    source = inspect.getsource(module)
    owner, _, leaf = name.rpartition(".")
    body = ast.parse(source).body
    if owner:
        body = next(node.body for node in body if isinstance(node, ast.ClassDef) and node.name == owner)
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    found = next(node for node in body if isinstance(node, kinds) and node.name == leaf)
    lines = source.splitlines(keepends=True)[found.lineno - 1 : found.end_lineno]
    return Function("".join(lines), f"class {owner}:\n" if owner else "", tuple(vars(module)))


NON_ASCII = Function(
    '    def grüße(self, wörter, größe=2):\n        """Ä: not == (here)."""\n'
    "        ä = [wört for wört in wörter if not wört]  # é, == (\n"
    '        return f"ü{ä}" + self.ö.join("é" + wort for wort in wörter[:größe]) == "ß", ä\n',
    "class Ä:\n    # ü\n",
    (),
)
FUNCTIONS = [
    _read(heapq, "_siftup"),
    _read(heapq, "merge"),
    _read(bisect, "insort_right"),
    _read(shlex, "quote"),
    _read(shlex, "shlex.read_token"),
    _read(textwrap, "dedent"),
    _read(textwrap, "TextWrapper._wrap_chunks"),
    _read(asyncio.streams, "StreamReader.readuntil"),
    _read(asyncio.tasks, "wait_for"),
    _read(argparse, "ArgumentParser._get_values"),
    _read(json.decoder, "py_scanstring"),
    _read(inspect, "getmodule"),
    NON_ASCII,
]
INJECTOR = Injector()
functions = st.sampled_from(FUNCTIONS)
seeds = st.integers(0, 2**32)


def inject(
    function: Function, seed: int, count: int = 1, kinds: Collection[BugKind] | None = None
) -> Injected:
    found = INJECTOR.sample(
        function.text,
        random.Random(seed),
        count=count,
        header=function.header,
        names=function.names,
        kinds=kinds,
    )
    assume(found is not None)
    assert found is not None
    return found


def applied(text: str, edits: tuple[tuple[int, int, str], ...]) -> str:
    """From the last to the first, so that offsets stay right."""
    for start, end, replacement in reversed(edits):
        text = text[:start] + replacement + text[end:]
    return text


def alone(function: Function, bug: Bug) -> str:
    return function.header + applied(function.text, ((bug.start, bug.end, bug.replacement),))


def parses(text: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning turned into an error would look like a syntax error
        try:
            ast.parse(text)
        except SyntaxError:
            return False
    return True


def frozen_ranges(function: Function) -> Iterator[tuple[int, int]]:
    """Comments and docstrings, as offsets in the text."""
    full = function.header + function.text
    starts = [0]
    for line in full.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    fresh = True
    for token in tokenize.generate_tokens(io.StringIO(full).readline):
        is_statement = fresh and token.type == tokenize.STRING
        if token.type == tokenize.COMMENT or is_statement:
            begin, end = (starts[row - 1] + column for row, column in (token.start, token.end))
            yield begin - len(function.header), end - len(function.header)
        if token.type not in (tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT):
            fresh = token.type == tokenize.NEWLINE


@settings(max_examples=150, deadline=None)
@given(functions, seeds, st.integers(1, 5))
def test_fixes_are_the_exact_inverse(function: Function, seed: int, count: int) -> None:
    found = inject(function, seed, count)
    assert found.clean == function.text != found.buggy
    assert applied(found.clean, tuple((b.start, b.end, b.replacement) for b in found.bugs)) == found.buggy
    assert applied(found.buggy, found.fixes()) == found.clean


@settings(max_examples=100, deadline=None)
@given(functions, seeds, st.integers(1, 5))
def test_bugs_are_sorted_and_never_touch(function: Function, seed: int, count: int) -> None:
    bugs = inject(function, seed, count).bugs
    assert 1 <= len(bugs) <= count
    assert all(left.end < right.start for left, right in pairwise(bugs))
    assert all(0 <= bug.start <= bug.end <= len(function.text) for bug in bugs)


@settings(max_examples=200, deadline=None)
@given(functions, seeds)
def test_each_bug_alone_is_what_its_kind_says(function: Function, seed: int) -> None:
    for bug in inject(function, seed, 3).bugs:
        buggy = alone(function, bug)
        assert parses(buggy) == (bug.kind not in UNPARSABLE)
        if bug.kind not in UNPARSABLE:
            assert ast.dump(ast.parse(buggy)) != ast.dump(ast.parse(function.header + function.text))


@settings(max_examples=100, deadline=None)
@given(functions, seeds, st.sampled_from(sorted(UNBOUND)))
def test_a_linter_reports_the_unbound_name(function: Function, seed: int, kind: BugKind) -> None:
    (bug,) = inject(function, seed, kinds=(kind,)).bugs
    reported = {
        m.message_args[0]
        for m in Checker(ast.parse(alone(function, bug))).messages
        if type(m) is UndefinedName
    }
    assert bug.replacement in reported
    assert bug.replacement not in function.names


@settings(max_examples=100, deadline=None)
@given(functions, seeds)
def test_comments_and_docstrings_stay(function: Function, seed: int) -> None:
    frozen = list(frozen_ranges(function))
    for bug in inject(function, seed, 4).bugs:
        assert not any(bug.start < end and start < bug.end for start, end in frozen)
        assert not any(start < bug.start < end for start, end in frozen)


@pytest.mark.parametrize("kind", BugKind)
def test_every_kind_has_places(kind: BugKind) -> None:
    rng = random.Random(0)
    found = [
        INJECTOR.sample(f.text, rng, count=1, header=f.header, names=f.names, kinds={kind}) for f in FUNCTIONS
    ]
    bugs = [bug for injected in found if injected for bug in injected.bugs]
    assert bugs
    assert {bug.kind for bug in bugs} == {kind}


@given(functions, seeds)
@settings(max_examples=30, deadline=None)
def test_the_seed_decides(function: Function, seed: int) -> None:
    as_set = function._replace(names=frozenset(function.names))
    assert inject(function, seed, 3) == inject(as_set, seed, 3)


@given(functions, seeds)
@settings(max_examples=100, deadline=None)
def test_messages_are_short_single_lines(function: Function, seed: int) -> None:
    for bug in inject(function, seed, 4).bugs:
        assert 0 < len(bug.message) < 60
        assert "\n" not in bug.message


@pytest.mark.parametrize(
    ("kind", "clean", "buggy"),
    [
        (BugKind.missing_not, "if not (a or b):\n    c()\n", "if (a or b):\n    c()\n"),
        (BugKind.extra_not, "while a:\n    b()\n", "while not a:\n    b()\n"),
        (BugKind.negation, "d = a not in b\n", "d = a in b\n"),
        (BugKind.wrong_boolean_operator, "d = (a) and (b)\n", "d = (a) or (b)\n"),
        (BugKind.missing_equals, "if (a) == b:\n    c()\n", "if (a) = b:\n    c()\n"),
        (BugKind.argument_swap, "f(a, b=1)\nf('ü', y)\n", "f(a, b=1)\nf(y, 'ü')\n"),
        (BugKind.missing_self, "self.a = 1\n", "a = 1\n"),
        (BugKind.missing_await, "async def f():\n    await g()\n", "async def f():\n    g()\n"),
        (BugKind.missing_colon, "if a:\n    b\n", "if a\n    b\n"),
        (BugKind.missing_comma, "d = [a, b,]\n", "d = [a b,]\n"),
        (BugKind.off_by_one, "d = a[b - 1]\n", "d = a[b]\n"),
        (BugKind.missing_guard, "a()\nif b:\n    raise c\nd()\n", "a()\nd()\n"),
        (BugKind.missing_call, "d = int(a)\n", "d = a\n"),
        (BugKind.missing_argument, "f(a, *b)\n", "f(a)\n"),
    ],
)
def test_known_bugs(kind: BugKind, clean: str, buggy: str) -> None:
    made = {
        found.buggy
        for seed in range(40)
        if (found := INJECTOR.sample(clean, random.Random(seed), count=1, kinds=[kind]))
    }
    assert buggy in made


def test_name_kinds_need_a_closed_scope() -> None:
    function = FUNCTIONS[0]
    assert INJECTOR.sample(function.text, random.Random(0), count=1, names=["*"], kinds=UNBOUND) is None


def test_names_guarded_by_name_error_are_left_alone() -> None:
    text = "try:\n    len(print)\nexcept:\n    pass\n"
    assert INJECTOR.sample(text, random.Random(0), count=1, kinds=UNBOUND) is None


@pytest.mark.parametrize(
    "text", ["", "def f(:\n", "    return 1\n", "if a:\r\n    b()\r\n", "d = " + "-" * 600 + "1\n"]
)
def test_no_place_gives_none(text: str) -> None:
    assert INJECTOR.sample(text, random.Random(0), count=2) is None


def test_weights_choose_the_kinds() -> None:
    injector = Injector({BugKind.missing_colon: 1.0, BugKind.missing_comma: 0.0})
    found = injector.sample(FUNCTIONS[0].text, random.Random(0), count=4)
    assert found is not None
    assert {bug.kind for bug in found.bugs} == {BugKind.missing_colon}


def test_every_kind_has_a_finder_and_a_weight() -> None:
    assert set(FINDERS) == set(DEFAULT_WEIGHTS) == set(BugKind)
    visible = sum(weight for kind, weight in DEFAULT_WEIGHTS.items() if kind in VISIBLE)
    assert visible == pytest.approx(0.45 * sum(DEFAULT_WEIGHTS.values()))


@given(st.text("abcdefghijklmnopqrstuvwxyz_", min_size=2, max_size=12), seeds)
def test_a_slip_changes_one_or_two_letters(word: str, seed: int) -> None:
    wrong = mistype(word, random.Random(seed))
    assert abs(len(wrong) - len(word)) <= 1
    if len(wrong) == len(word):
        assert sum(a != b for a, b in zip(word, wrong, strict=True)) <= 2

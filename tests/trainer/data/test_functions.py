"""Examples of real functions: every bug in tokens is the bug in text, with the complaints that a checker raises."""

import heapq
import inspect
import random
import shlex
import textwrap
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editflow.tokens import CodeTokenizer
from editflow.window import AFTER, BEFORE, EDITABLE_TOKENS, SCOPE
from editflow_trainer.data.bugs import choose, splice
from editflow_trainer.data.cutting import Cut, cut
from editflow_trainer.data.example import Example
from editflow_trainer.data.functions import KINDS, diagnose, function_example, make_site, without_docstring
from editflow_trainer.data.windows import ids_of
from editflow_trainer.injection import VISIBLE, Bug, Injector
from editflow_trainer.injection.bug import UNPARSABLE
from editflow_trainer.sources import SourceFunction, functions_in
from tests.trainer.data.examples import stripped

FUNCTIONS = [
    function
    for module in (heapq, shlex, textwrap)
    for function in functions_in(inspect.getsource(module), package="python", path=f"{module.__name__}.py")
]
SEEDS = st.integers(0, 2**32)


@cache
def tokenizer() -> CodeTokenizer:
    return CodeTokenizer.from_file(Path(str(files("editflow") / "weights" / "default" / "tokenizer.json")))


@cache
def example(index: int) -> Example:
    made = function_example(FUNCTIONS[index], tokenizer(), 0)
    assert made is not None
    return made


def whole(function: SourceFunction) -> tuple[Cut, list[Bug]]:
    """A function in one part, and bugs of many kinds."""
    lines = tuple(function.text.splitlines(keepends=True))
    found = Injector().spread(
        function.text,
        random.Random(0),
        kinds=12,
        extra={},
        header=function.header,
        names=function.module_names,
    )
    return Cut(lines, 0, len(lines)), found


@pytest.mark.parametrize("function", FUNCTIONS[:8], ids=lambda function: function.name)
def test_one_bug_is_exactly_its_tokens(function: SourceFunction) -> None:
    part, bugs = whole(function)
    clean = ids_of(tokenizer().encode(function.text).ids)
    assert len(bugs) >= 6
    for bug in bugs:
        site = make_site(function, part, bug, clean, tokenizer())
        assert site is not None
        buggy = function.text[: bug.start] + bug.replacement + function.text[bug.end :]
        row, _ = splice(clean, [site])
        assert stripped(row.z0) == tokenizer().encode(buggy).ids
        assert stripped(row.z1) == clean.tolist()
        assert tokenizer().decode(site.instruction.tolist()) == bug.message
        assert bool(site.complaints) == bool(diagnose(function, buggy))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, len(FUNCTIONS) - 1), SEEDS)
def test_several_bugs_decode_to_the_text_that_has_them(index: int, seed: int) -> None:
    function = FUNCTIONS[index]
    part, bugs = whole(function)
    clean = ids_of(tokenizer().encode(function.text).ids)
    made = [(make_site(function, part, bug, clean, tokenizer()), bug) for bug in bugs[:6]]
    bug_of = {id(site): bug for site, bug in made}
    sites = [site for site, _ in made if site is not None]
    chosen = choose(sites, [1.0] * len(KINDS), 4, np.random.default_rng(seed))
    row, _ = splice(clean, chosen)
    text = function.text
    for bug in sorted((bug_of[id(site)] for site in chosen), key=lambda bug: bug.start, reverse=True):
        text = text[: bug.start] + bug.replacement + text[bug.end :]
    assert tokenizer().decode(stripped(row.z0)) == text
    assert tokenizer().decode(stripped(row.z1)) == function.text


def test_examples_depend_on_the_function_alone() -> None:
    for index in range(6):
        again = function_example(FUNCTIONS[index], tokenizer(), 0)
        assert again is not None
        assert [site.start for site in again.sites] == [site.start for site in example(index).sites]
    assert len({KINDS[s.kind] for i in range(len(FUNCTIONS)) for s in example(i).sites}) > 18


def test_kinds_that_no_checker_sees_raise_no_complaint() -> None:
    hidden = [
        (function, bug)
        for function in FUNCTIONS[:12]
        for bug in whole(function)[1]
        if bug.kind not in VISIBLE
    ]
    assert len(hidden) > 40
    seen = [
        bug
        for function, bug in hidden
        if len(diagnose(function, function.text[: bug.start] + bug.replacement + function.text[bug.end :]))
        > len(diagnose(function, function.text))
    ]
    assert len(seen) <= len(hidden) * 0.02


def test_syntax_errors_and_unbound_names_are_told() -> None:
    told = [
        bool(site.complaints)
        for i in range(len(FUNCTIONS))
        for site in example(i).sites
        if KINDS[site.kind] in UNPARSABLE
    ]
    assert np.mean(told) > 0.9  # some stand outside of the part that is editable


def test_a_long_function_is_cut_at_lines() -> None:
    body = "".join(f"        value_{n} = self.compute({n}, 'text {n}')\n" for n in range(60))
    function = SourceFunction("p", "a/b.py", "C.f", f"    def f(self):\n{body}", "class C:\n", "", ())
    made = function_example(function, tokenizer(), 3)
    assert made is not None
    assert 200 < len(made.z1) <= EDITABLE_TOKENS
    text = tokenizer().decode(made.z1.tolist())
    assert text in function.text
    assert text.endswith("\n")
    context = {marker: tokenizer().decode(tokens.tolist()) for marker, tokens in made.context}
    assert context[SCOPE] == "class C:\n"
    at = function.text.index(text)
    if BEFORE in context:
        assert function.text[:at].endswith(context[BEFORE])
    if AFTER in context:
        assert function.text[at + len(text) :].startswith(context[AFTER])
    assert {BEFORE, AFTER} & set(context)


@given(SEEDS, st.integers(8, 60), st.integers(0, 19))
def test_a_cut_holds_the_changed_lines(seed: int, most: int, line: int) -> None:
    text = "".join(f"x{n} = {n}\n" for n in range(20))
    part = cut(text, tokenizer(), most, random.Random(seed), (line, line + 1))
    assert part is not None
    assert part.first <= line < part.last
    assert part.before + part.text + part.after == text
    assert len(tokenizer().encode(part.text).ids) <= most
    assert cut(text, tokenizer(), most, random.Random(seed), (0, 20)) is None or most >= 60


def test_docstrings_go_whole() -> None:
    text = '    def f(self):\n        """Doc\n        string."""\n        return 1\n'
    function = SourceFunction("p", "a.py", "C.f", text, "class C:\n", "", ())
    assert without_docstring(function).text == "    def f(self):\n        return 1\n"
    only = SourceFunction("p", "a.py", "f", 'def f():\n    """Doc."""\n', "", "", ())
    assert without_docstring(only) is only

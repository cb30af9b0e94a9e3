"""From a function to an example: its context, and the bugs that could stand in it, each with its complaints."""

from __future__ import annotations

import ast
import random
from dataclasses import replace
from pathlib import Path

import numpy as np

from editflow.alignment import align
from editflow.diagnostic import Diagnostic
from editflow.diagnostics import check_python
from editflow.process.base import BLANK
from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS, INSTRUCTION, Window, encode_window
from editflow_trainer.data.cutting import Cut, cut
from editflow_trainer.data.example import Example, Site, Source
from editflow_trainer.data.rates import shares
from editflow_trainer.data.row import Ids
from editflow_trainer.data.windows import editable, ids_of, make_complaints, make_context, parts
from editflow_trainer.injection import VISIBLE, Bug, BugKind, Injector
from editflow_trainer.injection.bug import UNBOUND
from editflow_trainer.sources import SourceFunction

KINDS = tuple(BugKind)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
DOCSTRING_SHARE = 0.35
"""Of the functions that have a docstring this share keeps it: prose teaches little about code."""
_INJECTOR = Injector({kind: share * (1 if kind in VISIBLE else 4) for kind, share in shares().items()})
"""Kinds that no checker sees come first: there are fewer places for them, and more of them are drawn."""
SITE_KINDS = 9
"""Kinds of bugs, at most, that an example can draw from."""
MORE_NAMES = dict.fromkeys(UNBOUND, 1)
"""Further sites of these kinds, for rows whose bugs are all of them."""


def function_example(
    function: SourceFunction, tokenizer: CodeTokenizer, seed: int, most: int = EDITABLE_TOKENS
) -> Example | None:
    """An example; its randomness depends on the seed and the function's path and text alone.

    `most`: editable tokens; of a longer function a part of this size is taken.
    """
    rng = random.Random(f"{seed}:{function.path}:{function.text}")
    if rng.random() >= DOCSTRING_SHARE:
        function = without_docstring(function)
    part = cut(function.text, tokenizer, most, rng)
    if part is None:
        return None
    clean = ids_of(tokenizer.encode(part.text).ids)
    bugs = _INJECTOR.spread(
        function.text,
        rng,
        kinds=SITE_KINDS,
        extra=MORE_NAMES,
        header=function.header,
        names=function.module_names,
    )
    sites = (make_site(function, part, bug, clean, tokenizer) for bug in bugs)
    window = Window(
        part.text,
        file=Path(function.path).name,
        imports=function.imports,
        scope=function.header,
        before=part.before,
        after=part.after,
    )
    return Example(
        Source.FUNCTION, clean, clean, make_context(window, tokenizer), sites=tuple(s for s in sites if s)
    )


def make_site(
    function: SourceFunction, part: Cut, bug: Bug, clean: Ids, tokenizer: CodeTokenizer
) -> Site | None:
    """A bug in tokens of the part; None where it does not stand in it."""
    shift = len(part.before)
    start, end = bug.start - shift, bug.end - shift
    if start < 0 or end > len(part.text):
        return None
    window = Window(part.text[:start] + bug.replacement + part.text[end:], instruction=bug.message)
    tokens = encode_window(window, tokenizer)
    z0, z1 = map(ids_of, align(editable(tokens), clean.tolist(), tokenizer.line_ends))
    differing = np.flatnonzero(z0 != z1)
    if not len(differing):
        return None
    first, last = int(differing[0]), int(differing[-1]) + 1
    z0, z1 = z0[first:last], z1[first:last]
    return Site(
        KINDS.index(bug.kind),
        first,
        first + int((z1 != BLANK).sum()),
        z0,
        z1,
        ids_of(parts(tokens).get(INSTRUCTION, [])),
        make_complaints(window, _visible(function, bug, shift), tokenizer, first),
    )


def _visible(function: SourceFunction, bug: Bug, shift: int) -> list[Diagnostic]:
    """What a checker says of the bug, in characters from `shift` on; it is only asked where it can see the bug."""
    if bug.kind not in VISIBLE:
        return []
    text = function.text[: bug.start] + bug.replacement + function.text[bug.end :]
    return [replace(d, start=d.start - shift, end=d.end - shift) for d in diagnose(function, text)]


def diagnose(function: SourceFunction, text: str) -> tuple[Diagnostic, ...]:
    """What a parser and a name checker say of `text` in the function's place, in characters of `text`."""
    shift = len(function.header)
    found = check_python(function.header + text, function.module_names)
    return tuple(replace(d, start=d.start - shift, end=d.end - shift) for d in found if d.end > shift)


def without_docstring(function: SourceFunction) -> SourceFunction:
    """The same function without its docstring, where it has one on lines of its own."""
    node = ast.parse(function.header + function.text).body[0]
    while isinstance(node, DEFINITIONS) and node.name != function.name.rpartition(".")[2]:
        node = node.body[-1]
    if (
        not isinstance(node, DEFINITIONS)
        or ast.get_docstring(node, clean=False) is None
        or len(node.body) < 2
    ):
        return function
    skipped = function.header.count("\n")
    first, last = node.body[0].lineno - 1 - skipped, (node.body[0].end_lineno or 0) - skipped
    lines = function.text.split("\n")
    if node.body[1].lineno == node.body[0].end_lineno or not lines[first].lstrip().startswith(
        ("'", '"', "r")
    ):
        return function
    return replace(function, text="\n".join([*lines[:first], *lines[last:]]))

"""Real code to measure on: functions of the standard library with one bug each, as windows and as files."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from itertools import islice
from typing import TypeVar

from editflow.canvas import EOS, Role
from editflow.errors import EditFlowError
from editflow.tokens import CodeTokenizer
from editflow.window import Window, WindowTokens, encode_window
from editflow_trainer.data.functions import diagnose
from editflow_trainer.evaluation.case import Case, Settings, make_case
from editflow_trainer.injection import BugKind, Injector
from editflow_trainer.sources import SourceFunction, functions_in

MODULES = (
    "argparse",
    "ast",
    "configparser",
    "email.message",
    "fractions",
    "inspect",
    "logging",
    "mailbox",
    "pathlib",
    "shutil",
    "statistics",
    "tarfile",
    "threading",
    "typing",
    "unittest.case",
    "urllib.request",
    "zipfile",
)
SEED = 0

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Sample:
    """A function, the same with one bug, and the rest of its module."""

    function: SourceFunction
    buggy: str
    following: str


def windows(tokenizer: CodeTokenizer, length: int, count: int) -> list[WindowTokens]:
    """`count` windows of exactly `length` tokens: a buggy function and the code that follows it.

    Raises:
        EditFlowError: there are not as many functions that short.
    """
    rows = (_window(sample, tokenizer, length) for sample in _samples(frozenset(BugKind)))
    return _first(count, (row for row in rows if row is not None), f"windows of {length} tokens")


def files_without_colon(tokenizer: CodeTokenizer, tokens: range, count: int) -> list[Case]:
    """`count` files with one function each, `tokens` long, that lacks a colon; the engine checks them itself.

    Raises:
        EditFlowError: there are not as many functions of that size.
    """
    samples = (
        sample
        for sample in _samples(frozenset({BugKind.missing_colon}))
        if len(tokenizer.encode(sample.buggy).ids) in tokens
    )
    return _first(count, map(_file, samples), f"functions of {tokens.start} to {tokens.stop - 1} tokens")


def _samples(kinds: frozenset[BugKind]) -> Iterator[Sample]:
    """Functions of MODULES in an order drawn by SEED, each with one bug of these kinds."""
    rng, injector = random.Random(SEED), Injector()
    functions = _functions()
    for function, following in rng.sample(functions, len(functions)):
        injected = injector.sample(
            function.text,
            rng,
            count=1,
            header=function.header,
            names=function.module_names,
            kinds=kinds,
        )
        if injected is not None:
            yield Sample(function, injected.buggy, following)


@cache
def _functions() -> list[tuple[SourceFunction, str]]:
    """The functions of MODULES, each with what comes after it in its module."""
    texts = {name: inspect.getsource(import_module(name)) for name in MODULES}
    return [
        (function, text.partition(function.text)[2])
        for name, text in texts.items()
        for function in functions_in(text, package=name, path=f"{name}.py")
    ]


def _first(count: int, items: Iterable[Item], what: str) -> list[Item]:
    found = list(islice(items, count))
    if len(found) < count:
        raise EditFlowError(
            f"the standard library gives only {len(found)} {what}; ask for fewer than {count}"
        )
    return found


def _file(sample: Sample) -> Case:
    case = make_case("missing_colon", sample.function, sample.buggy, Settings())
    return replace(case, request=replace(case.request, diagnostics=None))


def _window(sample: Sample, tokenizer: CodeTokenizer, length: int) -> WindowTokens | None:
    """The sample, cut at the last line end that fits, then frozen context; `length` tokens in all."""
    text = sample.buggy + sample.following[: 32 * length]
    window = Window(
        text=text,
        diagnostics=diagnose(sample.function, sample.buggy),
        file=sample.function.path,
        scope=sample.function.header,
    )
    whole = encode_window(window, tokenizer)
    last = length - 2 - whole.start
    if not 0 <= last < len(whole.spans):
        return None
    cut = text.rfind("\n", 0, whole.spans[last][0]) + 1
    if cut < len(sample.buggy):
        return None
    return _closed(encode_window(replace(window, text=text[:cut], after=text[cut:]), tokenizer), length)


def _closed(row: WindowTokens, length: int) -> WindowTokens | None:
    """The row's first tokens and an end of sequence, `length` in all; None where it is too short."""
    if not row.end < length <= len(row.ids):
        return None
    ids = [*row.ids[: length - 1], EOS]
    roles = [*row.roles[: length - 1], int(Role.CONTEXT)]
    return replace(row, ids=ids, roles=roles, segments=[*row.segments[: length - 1], 0])

"""From functions to aligned rows: inject bugs, diagnose, choose a window, tokenise, align.

What a row gets is drawn from its own seed, so the same corpus gives the same shards on any machine.
"""

from __future__ import annotations

import argparse
import ast
import json
import multiprocessing
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from editflow.alignment import align
from editflow.canvas import Role
from editflow.diagnostics import Diagnostic, check_python
from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS, Window, encode_window
from editflow_trainer.corpus import read_functions
from editflow_trainer.injection import BugKind, Injected, Injector
from editflow_trainer.shards import Row, write_shard
from editflow_trainer.sources import SourceFunction

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
CLEAN_SHARE = 0.2
SINGLE_SHARE = 0.35
MEAN_BUGS = 4
"""Of the other rows: one bug, or several around this mean."""
DOCSTRING_SHARE = 0.35
"""Of the functions that have a docstring this share keeps it: prose teaches little about code."""
MOST_FOCUSED = 5
ROWS_PER_SHARD = 10_000


@dataclass(frozen=True, slots=True)
class Pair:
    """A window before and after its fix."""

    source: Window
    target: str


def bug_count(rng: random.Random) -> int:
    """0 for a clean pair, else the number of bugs to ask for."""
    u = rng.random()
    if u < CLEAN_SHARE:
        return 0
    return 1 if u < CLEAN_SHARE + SINGLE_SHARE else 2 + min(8, int(rng.expovariate(1 / (MEAN_BUGS - 2))))


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


def make_pair(
    function: SourceFunction, injector: Injector, rng: random.Random, focus: frozenset[BugKind] | None = None
) -> Pair | None:
    """One training pair from a function; None where no bug could be injected.

    With a `focus`, all bugs are of these kinds, up to MOST_FOCUSED of them.
    """
    count = rng.randint(1, MOST_FOCUSED) if focus else bug_count(rng)
    injected = None
    if count:
        injected = injector.sample(
            function.text, rng, count=count, header=function.header, names=function.module_names, kinds=focus
        )
        if injected is None:
            return None
    buggy = injected.buggy if injected else function.text
    window = Window(
        text=buggy,
        diagnostics=diagnose(function, buggy),
        file=Path(function.path).name,
        instruction=_instruction(injected, injector, function, rng),
        imports=function.imports,
        scope=function.header,
    )
    return Pair(window, function.text)


def diagnose(function: SourceFunction, text: str) -> tuple[Diagnostic, ...]:
    """What a parser and a name checker say of `text` in the function's place, in characters of `text`."""
    shift = len(function.header)
    return tuple(
        replace(d, start=d.start - shift, end=d.end - shift)
        for d in check_python(function.header + text, function.module_names)
        if d.end > shift
    )


def _instruction(
    injected: Injected | None, injector: Injector, function: SourceFunction, rng: random.Random
) -> str:
    """The messages of some of the bugs; now and then one that the text gives no reason for."""
    if injected is None:
        other = None
        if rng.random() < 0.15:
            other = injector.sample(
                function.text, rng, count=1, header=function.header, names=function.module_names
            )
        return other.bugs[0].message if other else ""
    messages = [bug.message for bug in injected.bugs]
    return "; ".join(rng.sample(messages, min(len(messages), rng.randint(1, 2))))


def cut_pair(pair: Pair, tokens: int, tokenizer: CodeTokenizer, rng: random.Random) -> Pair | None:
    """A pair as it is, or, when it is too long, some of its lines with the rest as context.

    Only line-aligned cuts are made: the lines above and below the cut must be equal on both sides.
    """
    if tokens <= EDITABLE_TOKENS:
        return pair
    before, after = pair.source.text.split("\n"), pair.target.split("\n")
    if len(before) != len(after):
        return None
    size = max(4, len(before) * EDITABLE_TOKENS // tokens * 3 // 4)
    first = rng.randrange(max(1, len(before) - size))
    window, shift = pair.source, len("\n".join([*before[:first], ""]))
    text = "\n".join(before[first : first + size]) + "\n"
    diagnostics = tuple(
        replace(d, start=d.start - shift, end=d.end - shift)
        for d in window.diagnostics
        if shift <= d.start < shift + len(text)
    )
    source = replace(
        window,
        text=text,
        diagnostics=diagnostics,
        before="\n".join([*before[:first], ""]),
        after="\n".join(before[first + size :]),
    )
    return Pair(source, "\n".join(after[first : first + size]) + "\n")


def make_row(pair: Pair, tokenizer: CodeTokenizer) -> Row:
    """Tokenise and align a pair."""
    encoded = encode_window(pair.source, tokenizer)
    target = tokenizer.encode(pair.target).ids
    z0, z1 = align(encoded.ids[encoded.start : encoded.end], target, tokenizer.line_ends)
    roles = iter(encoded.roles[encoded.start : encoded.end])
    role = [0 if token < 0 else next(roles) for token in z0]
    head, tail = encoded.ids[: encoded.start], encoded.ids[encoded.end :]
    context = [int(Role.CONTEXT)]
    return Row(
        np.array(head + z0 + tail, np.int16),
        np.array(head + z1 + tail, np.int16),
        np.array(context * len(head) + role + context * len(tail), np.uint8),
        np.array(
            encoded.segments[: encoded.start] + [0] * len(z0) + encoded.segments[encoded.end :], np.uint8
        ),
    )


def rows_of(
    function: SourceFunction,
    tokenizer: CodeTokenizer,
    seed: int,
    focus: frozenset[BugKind] | None = None,
) -> Iterator[Row]:
    """At most one row; its randomness depends on the seed and the function's text alone."""
    rng = random.Random(f"{seed}:{function.path}:{function.text}")
    if rng.random() >= DOCSTRING_SHARE:
        function = without_docstring(function)
    pair = make_pair(function, Injector(), rng, focus)
    if pair is None:
        return
    cut = cut_pair(pair, len(tokenizer.encode(pair.source.text).ids), tokenizer, rng)
    if cut is not None:
        row = make_row(cut, tokenizer)
        if len(row) <= 2 * EDITABLE_TOKENS:
            yield row


Job = tuple[Path, Path, Path, int, int, frozenset[BugKind] | None]


def _write(job: Job) -> int:
    functions, tokenizer_file, out, shard, seed, focus = job
    path = out / f"{seed:02d}-{shard:05d}.safetensors"
    if path.exists():
        return 0
    tokenizer = CodeTokenizer.from_file(tokenizer_file)
    chosen = islice(read_functions(functions), shard * ROWS_PER_SHARD, (shard + 1) * ROWS_PER_SHARD)
    rows = [row for function in chosen for row in rows_of(function, tokenizer, seed, focus)]
    return write_shard(path, rows) if rows else 0


def prepare(
    functions: Path,
    tokenizer: Path,
    out: Path,
    *,
    shards: int,
    first: int = 0,
    seed: int = 0,
    workers: int = 2,
    focus: frozenset[BugKind] | None = None,
) -> int:
    """Write shards first .. first + shards - 1 of the corpus; finished ones are kept. Returns rows written."""
    out.mkdir(parents=True, exist_ok=True)
    jobs: list[Job] = [
        (functions, tokenizer, out, shard, seed, focus) for shard in range(first, first + shards)
    ]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return sum(pool.imap(_write, jobs))


def main() -> None:
    """Command line of the preparation."""
    parser = argparse.ArgumentParser(description=prepare.__doc__)
    parser.add_argument("functions", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--focus", type=BugKind, nargs="*", help="only bugs of these kinds")
    options = vars(parser.parse_args())
    places = [options.pop(name) for name in ("functions", "tokenizer", "out")]
    focus = frozenset(options.pop("focus") or ()) or None
    print(json.dumps({"rows": prepare(*places, focus=focus, **options)}))


if __name__ == "__main__":
    main()

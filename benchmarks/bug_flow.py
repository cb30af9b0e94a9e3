"""What bugs the reverse flow makes, beside those that projects fix and those that rules inject.

Run from the repository's root as `python -m benchmarks.bug_flow --model DIR --data DIR --mined FILE`, with a checkpoint
that has reverse heads (`editflow train-default --recipe recipes/published.toml`), held-out functions, and the counts
that `python -m benchmarks.mined_fixes --json` wrote.
"""

from __future__ import annotations

import ast
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Annotated

import torch
import typer

from benchmarks.machine import describe_machine
from benchmarks.report import print_table, write_json
from editflow.engine import Engine
from editflow_trainer.bug_flow import Bugs, buggy_versions
from editflow_trainer.evaluation.case import Settings, read_pool
from editflow_trainer.fix_kinds import FixKind, classify
from editflow_trainer.injection import Injector
from editflow_trainer.sources import SourceFunction

EXAMPLES = 12


def bug_flow(
    model: Annotated[str, typer.Option(help="Checkpoint with reverse heads.")],
    data: Annotated[Path, typer.Option(help="Folder of held-out functions.")],
    mined: Annotated[Path, typer.Option(help="Counts of mined fixes.")],
    functions: Annotated[int, typer.Option(min=1, help="Clean functions.")] = 400,
    steps: Annotated[int, typer.Option(min=1, help="Euler steps.")] = 32,
    top_p: Annotated[float, typer.Option(help="Nucleus of Q.")] = 0.9,
    seed: Annotated[int, typer.Option()] = 0,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    output: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the counts.")] = None,
) -> None:
    """Print the share of each kind of bug, and some of the flow's bugs."""
    torch.set_num_threads(threads)
    engine = Engine.load(model)
    chosen = read_pool(Settings(data, seed=seed))[:functions]
    made = list(buggy_versions(engine, chosen, Bugs(steps, top_p, seed=seed)))
    injected = list(_injected(chosen, random.Random(seed)))
    counts = {
        "mined": Counter(json.loads(mined.read_text("utf-8"))["kinds"]),
        "reverse flow": _kinds(made),
        "injected": _kinds(injected),
    }
    header = ("kind", *(f"{name}, of {count.total()}" for name, count in counts.items()))
    print_table(header, list(_rows(counts)))
    parses = sum(_parses(buggy) for buggy, _ in made)
    print(f"\n{len(made)} of {len(chosen)} functions got bugs; {parses} of these still parse.\n")
    for buggy, clean in made[:EXAMPLES]:
        print("\n".join(_changed(clean, buggy)), end="\n\n")
    if output is not None:
        kinds = {name: dict(count.most_common()) for name, count in counts.items()}
        result = {"model": engine.name, "functions": len(chosen), "parse": parses, "kinds": kinds}
        write_json(output, result | {"machine": describe_machine()})


def _injected(functions: Iterable[SourceFunction], rng: random.Random) -> Iterator[tuple[str, str]]:
    """One bug a function, of any kind."""
    injector = Injector()
    for function in functions:
        found = injector.sample(
            function.text, rng, count=1, header=function.header, names=function.module_names
        )
        if found is not None:
            yield found.buggy, function.text


def _kinds(pairs: Iterable[tuple[str, str]]) -> Counter[str]:
    return Counter(str(classify(dedent(buggy), dedent(clean))) for buggy, clean in pairs)


def _rows(counts: dict[str, Counter[str]]) -> Iterator[tuple[str, ...]]:
    """A row a kind, the commonest in the mined fixes first."""
    for kind in sorted(FixKind, key=lambda kind: -counts["mined"][kind]):
        yield kind, *(f"{count[kind] / max(1, count.total()):.1%}" for count in counts.values())


def _parses(text: str) -> bool:
    try:
        ast.parse(dedent(text))
    except (SyntaxError, ValueError):
        return False
    return True


def _changed(clean: str, buggy: str) -> Iterator[str]:
    """The lines that differ, as in a diff without context."""
    old, new = clean.splitlines(), buggy.splitlines()
    yield from (f"-{line}" for line in old if line not in new)
    yield from (f"+{line}" for line in new if line not in old)


if __name__ == "__main__":
    typer.run(bug_flow)

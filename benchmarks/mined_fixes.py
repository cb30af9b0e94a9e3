"""How often each kind of fix is made in real projects: small fixes of one function in the histories of git.

Run from the repository's root as `python -m benchmarks.mined_fixes REPO.git ...`. Nothing is checked out.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from itertools import chain, islice
from pathlib import Path
from textwrap import dedent
from typing import Annotated

import typer

from benchmarks.report import print_table, write_json
from editflow_trainer.evaluation.statistics import Rate
from editflow_trainer.fix_kinds import FixKind, classify
from editflow_trainer.injection.source import parse
from editflow_trainer.mining.blobs import Blobs
from editflow_trainer.mining.history import FileChange, read_history
from editflow_trainer.mining.message import says_fix
from editflow_trainer.mining.reasons import Reason
from editflow_trainer.sources import FunctionNode, functions_in

MOST_LINES = 60
MOST_CHANGED = 3
_TEST = re.compile(r"(^|/)(tests?|testing|testsuite|test_[^/]*|[^/]*_tests?|conftest)(\.py$|/)")


def mined_fixes(
    repositories: Annotated[list[Path], typer.Argument(metavar="REPO.git...", help="Git folders.")],
    limit: Annotated[int, typer.Option(min=1, help="Most fixes of a repository, newest first.")] = 1000,
    output: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the counts.")] = None,
) -> None:
    """Print the share of each kind of fix with its 95 % interval."""
    counts = distribution(chain.from_iterable(fixes(repository, limit) for repository in repositories))
    rows = []
    for kind, count in counts.most_common():
        low, high = Rate(count, counts.total()).interval
        rows.append((kind, count, f"{count / counts.total():.1%}", f"{low:.1%} to {high:.1%}"))
    print_table(("kind", f"of {counts.total()} fixes", "share", "95 %"), rows)
    if output is not None:
        write_json(output, {"fixes": counts.total(), "kinds": dict(counts.most_common())})


def distribution(pairs: Iterable[tuple[str, str]]) -> Counter[FixKind]:
    """How many fixes there are of each kind."""
    return Counter(classify(before, after) for before, after in pairs)


def fixes(repository: Path, limit: int) -> Iterator[tuple[str, str]]:
    """At most `limit` functions before and after a fix, dedented, newest first.

    A fix is a commit whose subject says so and which changes one Python file outside tests: there one function
    of at most MOST_LINES lines by at most MOST_CHANGED, more than its comments and docstring, and nothing else.

    Raises:
        EditFlowError: git finds no history there.
    """
    with Blobs(repository) as blobs:
        pairs = (blobs.read([change.old, change.new]) for change in _candidates(repository))
        found = (_fix(*pair) for pair in pairs if not any(isinstance(text, Reason) for text in pair))
        yield from islice(filter(None, found), limit)


def _candidates(repository: Path) -> Iterator[FileChange]:
    """The one Python file that a commit changes which says it is a fix."""
    for commit in read_history(repository):
        files = [c for c in commit.changes if c.path.endswith(".py") and not _TEST.search(c.path)]
        if says_fix(commit.subject) and len(files) == 1:
            yield files[0]


def _fix(before: str, after: str) -> tuple[str, str] | None:
    old, new = _parts(before), _parts(after)
    changed = [name for name in old if old[name] != new.get(name)]
    if old.keys() != new.keys() or len(changed) != 1 or not changed[0]:
        return None
    pair = dedent(old[changed[0]]), dedent(new[changed[0]])
    lines, new_lines = (text.split("\n") for text in pair)
    opcodes = SequenceMatcher(None, lines, new_lines, autojunk=False).get_opcodes()
    differing = sum(max(op[2] - op[1], op[4] - op[3]) for op in opcodes if op[0] != "equal")
    small = differing <= MOST_CHANGED and max(len(lines), len(new_lines)) - 1 <= MOST_LINES
    code, new_code = map(_code, pair)
    return pair if small and code and new_code and code != new_code else None


def _parts(text: str) -> dict[str, str]:
    """The functions that the corpus would take, by class headers and name; "" is all around them."""
    text = text.replace("\r\n", "\n")
    functions = {f.header + f.name: f.text for f in functions_in(text, package="", path="")}
    for function in functions.values():
        text = text.replace(function, "")
    return {**functions, "": text}


def _code(text: str) -> str:
    """The function's tree without docstrings; "" where it does not parse."""
    tree = parse(text)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, FunctionNode | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree) if tree else ""


if __name__ == "__main__":
    typer.run(mined_fixes)

"""The suite `debugbench`: bugs that a language model put into contest solutions, named by kind.

The rows of DebugBench (arXiv 2401.04621) carry no tests, so the one right text is the solution before the bugs:
`exact` is strict, and a repair in other words does not count. Whitespace at line ends is no part of it.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editflow.document import Document
from editflow.proposal import Proposal
from editflow.request import Request
from editflow_trainer.evaluation.case import Case, Fixer, Settings, answers
from editflow_trainer.evaluation.exhibit import Measured
from editflow_trainer.evaluation.hints import Hint
from editflow_trainer.evaluation.lines import pointed
from editflow_trainer.evaluation.rows import read_rows
from editflow_trainer.evaluation.verdict import exhibit, judge, tidied, verdict_row

FILE = "debugbench.jsonl"
SIZES = {
    "1 edit": range(1, 2),
    "2-3 edits": range(2, 4),
    "4-8 edits": range(4, 9),
    "9 or more edits": range(9, 1 << 20),
}
PRELUDE = """\
import bisect, collections, functools, heapq, itertools, math, operator, random, re, string
from collections import Counter, OrderedDict, defaultdict, deque
from functools import cache, lru_cache, reduce
from itertools import accumulate, chain, combinations, permutations, product
from math import ceil, floor, gcd, inf, sqrt
from typing import Dict, List, Optional, Set, Tuple
TreeNode = ListNode = Node = None

"""
"""What the contest's site binds for a solution; without it the checker would complain of nearly every right one."""


@dataclass(frozen=True, slots=True)
class Bug:
    """A solution on both sides, tidied."""

    kind: str
    before: str
    after: str


def read_debugbench(data: Path) -> list[Bug]:
    """The rows of a folder, repeated ones once; EditFlowError where it does not hold them."""
    bugs = read_rows("debugbench", data / FILE, _bug)
    return list({(bug.before, bug.after): bug for bug in bugs}.values())


def evaluate_debugbench(engine: Fixer, bugs: list[Bug], settings: Settings) -> Measured:
    """Rows for all, by kind and by number of edits, over the bugs that the seed draws."""
    limit = len(bugs) if settings.limit is None else min(settings.limit, len(bugs))
    drawn = random.Random(f"{settings.seed}:debugbench").sample(bugs, limit)
    cases = [_case(bug, settings) for bug in drawn]
    steps = answers(engine, [case.request for case in cases], "contest solutions")
    verdicts = [judge(case, _tidied(step.proposal)) for case, step in zip(cases, steps, strict=True)]
    edits = [_edits(case) for case in cases]
    rows = [verdict_row("group", "all", verdicts)]
    for kind in sorted({bug.kind for bug in bugs}):
        rows.append(verdict_row("kind", kind, (v for v in verdicts if v.stratum == kind)))
    for name, sizes in SIZES.items():
        sized = (v for v, n in zip(verdicts, edits, strict=True) if n in sizes)
        rows.append(verdict_row("edits", name, sized))
    return Measured(rows, [exhibit(*pair) for pair in zip(cases, verdicts, strict=True)])


def _bug(row: dict[str, Any]) -> Bug:
    return Bug(str(row["kind"]), tidied(row["before"]), tidied(row["after"]))


def _case(bug: Bug, settings: Settings) -> Case:
    """One document; all below the prelude may change."""
    first = PRELUDE.count("\n") + 1
    request = Request(
        Document.from_text(PRELUDE + bug.before, Path("solution.py")),
        lines=(first, first + bug.before.count("\n") - 1),
        diagnostics=None if settings.diagnostics else (),
        candidates=settings.candidates,
        seed=settings.seed,
    )
    expected = PRELUDE + bug.after
    if Hint.line in settings.hints:
        request = pointed(request, expected)
    return Case(bug.kind, request, expected, cluster=bug.after, name=f"{bug.kind}: {_title(bug.after)}")


def _title(solution: str) -> str:
    """The name of the solution's first method."""
    found = re.search(r"def (\w+)", solution)
    return found[1] if found else "solution"


def _tidied(proposal: Proposal) -> Proposal:
    return Proposal.from_texts(proposal.document, tidied(proposal.text))


def _edits(case: Case) -> int:
    """Separate places that the exact fix changes."""
    return len(Proposal.from_texts(case.request.document, case.expected).hunks)

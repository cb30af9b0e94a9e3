"""The suite `injected`: one bug of a known kind in a function of a package that was not trained on.

The clean text is the one right answer, character by character.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from editflow_trainer.evaluation.case import Case, Fits, Fixer, Settings, answers, make_case, read_pool
from editflow_trainer.evaluation.exhibit import Measured
from editflow_trainer.evaluation.report import Row
from editflow_trainer.evaluation.verdict import Verdict, exhibit, judge, verdict_row
from editflow_trainer.injection import VISIBLE, BugKind, Injector
from editflow_trainer.sources import SourceFunction

CASES = 60  # in a stratum
OPERATORS_AND_LITERALS = frozenset(
    {
        BugKind.wrong_comparison,
        BugKind.wrong_binary_operator,
        BugKind.wrong_boolean_operator,
        BugKind.wrong_augmented_operator,
        BugKind.negation,
        BugKind.missing_not,
        BugKind.extra_not,
        BugKind.wrong_literal,
        BugKind.off_by_one,
    }
)
GROUPS: dict[str, frozenset[BugKind]] = {
    "all": frozenset(BugKind),
    "visible": VISIBLE,
    "not visible": frozenset(BugKind) - VISIBLE,
    "operators and literals": OPERATORS_AND_LITERALS,
}


@dataclass(frozen=True, slots=True)
class Stratum:
    """Cases that are drawn and reported together."""

    name: str
    kinds: frozenset[BugKind]
    counts: range  # of bugs in a case


BY_KIND = [Stratum(kind, frozenset({kind}), range(1, 2)) for kind in BugKind]
BY_SIZE = [
    Stratum("1 edit", GROUPS["all"], range(1, 2)),
    Stratum("2-3 edits", GROUPS["all"], range(2, 4)),
    Stratum("4-8 edits", GROUPS["all"], range(4, 9)),
]


def evaluate_injected(engine: Fixer, settings: Settings, fits: Fits) -> Measured:
    """Rows by group, by kind and by number of edits; the last are drawn apart, of any kind."""
    pool = read_pool(settings)
    single, multiple = (
        [case for stratum in strata for case in draw(stratum, pool, settings, fits)]
        for strata in (BY_KIND, BY_SIZE)
    )
    one, several = _verdicts(engine, single), _verdicts(engine, multiple)
    rows = [_row("group", name, one, kinds) for name, kinds in GROUPS.items()]
    rows += [_row("kind", stratum.name, one, {stratum.name}) for stratum in BY_KIND]
    rows += [_row("edits", stratum.name, several, {stratum.name}) for stratum in BY_SIZE]
    return Measured(rows, [exhibit(*pair) for pair in zip(single + multiple, one + several, strict=True)])


def draw(stratum: Stratum, pool: list[SourceFunction], settings: Settings, fits: Fits) -> list[Case]:
    """Drawn by the seed; fewer than asked for where the pool has no more places for such bugs."""
    rng = random.Random(f"{settings.seed}:{stratum.name}")
    cases = _cases(stratum, rng.sample(pool, len(pool)), rng, settings, fits)
    return list(islice(cases, CASES if settings.limit is None else settings.limit))


def _cases(
    stratum: Stratum,
    functions: Iterable[SourceFunction],
    rng: random.Random,
    settings: Settings,
    fits: Fits,
) -> Iterator[Case]:
    injector = Injector()
    for function in functions:
        injected = injector.sample(
            function.text,
            rng,
            count=rng.choice(stratum.counts),
            header=function.header,
            names=function.module_names,
            kinds=stratum.kinds,
        )
        if injected is not None and len(injected.bugs) in stratum.counts and fits(injected.buggy):
            message = "; ".join(bug.message for bug in injected.bugs)
            yield make_case(stratum.name, function, injected.buggy, settings, message)


def _verdicts(engine: Fixer, cases: list[Case]) -> list[Verdict]:
    steps = answers(engine, [case.request for case in cases], "injected bugs")
    return [judge(case, step.proposal) for case, step in zip(cases, steps, strict=True)]


def _row(section: str, name: str, verdicts: list[Verdict], strata: Collection[str]) -> Row:
    return verdict_row(section, name, (v for v in verdicts if v.stratum in strata))

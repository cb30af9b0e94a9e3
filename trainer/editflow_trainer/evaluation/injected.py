"""The suite `injected`: one bug of a known kind in a function of a package that was not trained on.

A proposal is *located* when it changes the lines that the exact fix changes and no other, *exact* when it
gives the clean text back, character by character. Both are judged on the resulting text, so it makes no
difference how a proposal is cut into hunks.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from editflow.document import Document
from editflow.proposal import Proposal
from editflow_trainer.evaluation.case import Case, Fits, Fixer, Settings, answers, make_case, read_pool
from editflow_trainer.evaluation.report import Row
from editflow_trainer.evaluation.statistics import Rate
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one case went."""

    stratum: str
    proposed: bool
    located: bool
    exact: bool


def evaluate_injected(engine: Fixer, settings: Settings, fits: Fits) -> list[Row]:
    """Rows by group, by kind and by number of edits; the last are drawn apart, of any kind."""
    pool = read_pool(settings)
    one = _verdicts(engine, [case for s in BY_KIND for case in draw(s, pool, settings, fits)])
    several = _verdicts(engine, [case for s in BY_SIZE for case in draw(s, pool, settings, fits)])
    rows = [_row("group", name, one, kinds) for name, kinds in GROUPS.items()]
    rows += [_row("kind", stratum.name, one, {stratum.name}) for stratum in BY_KIND]
    return rows + [_row("edits", stratum.name, several, {stratum.name}) for stratum in BY_SIZE]


def judge(case: Case, proposal: Proposal) -> Verdict:
    """Compare what is proposed with the exact fix."""
    document, text = case.request.document, proposal.text
    located = changed_lines(document, text) == changed_lines(document, case.expected)
    return Verdict(case.stratum, bool(proposal.hunks), located, text == case.expected)


def changed_lines(document: Document, text: str) -> set[int]:
    """0-based lines of the document that a change to `text` touches; an insertion touches where it stands."""
    touched: set[int] = set()
    for hunk in Proposal.from_texts(document, text).hunks:
        last = max(hunk.start, hunk.end - 1)
        touched.update(range(document.line_of(hunk.start), document.line_of(last) + 1))
    return touched


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
            yield make_case(stratum.name, function, injected.buggy, settings)


def _verdicts(engine: Fixer, cases: list[Case]) -> list[Verdict]:
    steps = answers(engine, [case.request for case in cases], "injected bugs")
    return [judge(case, step.proposal) for case, step in zip(cases, steps, strict=True)]


def _row(section: str, name: str, verdicts: list[Verdict], strata: Collection[str]) -> Row:
    chosen = [v for v in verdicts if v.stratum in strata]
    rates = {
        "proposed": Rate.of(v.proposed for v in chosen),
        "located": Rate.of(v.located for v in chosen),
        "repaired_when_located": Rate.of(v.exact for v in chosen if v.located),
        "exact": Rate.of(v.exact for v in chosen),
    }
    return Row(section, name, len(chosen), rates)

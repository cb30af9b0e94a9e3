"""Draws the cases of the suite `realfix` from a folder of mined edits: repositories take turns, by the seed."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from editflow.alignment import align
from editflow.errors import EditFlowError
from editflow.tokens import CodeTokenizer
from editflow.window import EDITABLE_TOKENS
from editflow_trainer.evaluation.case import Case, Settings, make_case
from editflow_trainer.evaluation.hints import Hint
from editflow_trainer.evaluation.lines import changed_lines
from editflow_trainer.evaluation.mined import Fix, fixes_in
from editflow_trainer.evaluation.surroundings import Surroundings, find_repositories
from editflow_trainer.fix_kinds import FixKind
from editflow_trainer.mining.store import Store
from editflow_trainer.sources import SourceFunction

FIXES = 400
ONE_TOKEN = frozenset(
    {
        FixKind.wrong_operator,
        FixKind.negation,
        FixKind.off_by_one,
        FixKind.wrong_literal,
        FixKind.variable_misuse,
        FixKind.wrong_name,
        FixKind.argument_swap,
    }
)
"""The rewrites of PyPIBugs (arXiv 2105.12787): operators, literals, variables, swapped arguments.

`negation` and `off_by_one` are operators and literals there. `wrong_name` goes further (a name that the function does
not bind), and so does `wrong_literal` (strings and displays of literals).
"""
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class RealCase:
    """A fix with what it is counted by, and unchanged functions of the same commit."""

    case: Case
    kind: FixKind
    repository: str
    changed: int  # tokens that differ
    tier_a: bool
    one_token: bool
    unchanged: tuple[Case, ...]


def draw_real(store: Store, settings: Settings, tokenizer: CodeTokenizer) -> list[RealCase]:
    """At most `settings.limit` fixes; no repository gets more than its turn while others have fixes left."""
    folders = find_repositories(settings.repositories) if settings.repositories else {}
    missing = sorted(store.entries.keys() - folders.keys()) if settings.repositories else []
    if missing:
        raise EditFlowError(f"{settings.repositories} lacks {missing[0]}; add a clone, or leave --repos out")
    with ExitStack() as stack:
        streams = [
            stack.enter_context(closing(_cases(store, name, folders.get(name), settings, tokenizer)))
            for name in sorted(store.entries)
        ]
        return list(islice(take_turns(streams), FIXES if settings.limit is None else settings.limit))


def take_turns(streams: Iterable[Iterator[_Item]]) -> Iterator[_Item]:
    """One item of each stream in turn, until all have ended."""
    left = list(streams)
    while left:
        for stream in list(left):
            try:
                yield next(stream)
            except StopIteration:
                left.remove(stream)


def _cases(
    store: Store, name: str, folder: Path | None, settings: Settings, tokenizer: CodeTokenizer
) -> Generator[RealCase, None, None]:
    """The fixes of one repository that fit into a window, in an order drawn by the seed.

    A function that another of the fixes finds wrong does not count as unchanged.
    """
    fixes = list(fixes_in(store.edits(name)))
    wrong = frozenset(fix.edit.before for fix in fixes)
    random.Random(f"{settings.seed}:{name}").shuffle(fixes)
    with Surroundings(folder) as surroundings:
        for fix in fixes:
            place = surroundings.of(fix.edit) if _fit(fix, tokenizer) else None
            if place is not None:
                function, others = place
                right = tuple(other for other in others if other.text not in wrong)
                yield _case(fix, function, right, settings, tokenizer)


def _case(
    fix: Fix,
    function: SourceFunction,
    others: tuple[SourceFunction, ...],
    settings: Settings,
    tokenizer: CodeTokenizer,
) -> RealCase:
    edit = fix.edit
    made = make_case(fix.kind, replace(function, text=edit.after), edit.before, settings, edit.message)
    name = f"{edit.repository} {edit.commit[:10]} {edit.path}:{edit.line} {edit.scope}"
    case = replace(made, cluster=edit.repository, name=name)
    touched = changed_lines(case.request.document, case.expected)
    return RealCase(
        case,
        fix.kind,
        edit.repository,
        tokens_changed(edit.before, edit.after, tokenizer),
        fix.tier_a,
        fix.kind in ONE_TOKEN and len(touched) == 1,
        tuple(_unchanged(fix, others, settings, tokenizer)),
    )


def _unchanged(
    fix: Fix, functions: tuple[SourceFunction, ...], settings: Settings, tokenizer: CodeTokenizer
) -> Iterator[Case]:
    """At most one, drawn by the seed, with hints that are as wrong as they can be: its commit's, and any line."""
    rng = random.Random(f"{settings.seed}:{fix.edit.commit}:{fix.edit.scope}")
    fitting = [f for f in functions if len(tokenizer.encode(f.text).ids) <= EDITABLE_TOKENS]
    for function in rng.sample(fitting, min(1, len(fitting))):
        case = make_case("unchanged", function, function.text, settings, fix.edit.message)
        request, name = case.request, f"{fix.edit.repository} {fix.edit.commit[:10]} {case.name}"
        if Hint.line in settings.hints and request.lines:
            rows = request.document.text.split("\n")
            filled = [n for n in range(request.lines[0], request.lines[1] + 1) if rows[n - 1].strip()]
            line = rng.choice(filled)
            request = replace(request, lines=(line, line))
        yield replace(case, request=request, cluster=fix.edit.repository, name=name)


def tokens_changed(before: str, after: str, tokenizer: CodeTokenizer) -> int:
    """Slots of the alignment of two texts that differ: tokens inserted, deleted or substituted."""
    old, new = (tokenizer.encode(text).ids for text in (before, after))
    return sum(a != b for a, b in zip(*align(old, new, tokenizer.line_ends), strict=True))


def _fit(fix: Fix, tokenizer: CodeTokenizer) -> bool:
    sides = fix.edit.before, fix.edit.after
    return all(len(tokenizer.encode(side).ids) <= EDITABLE_TOKENS for side in sides)

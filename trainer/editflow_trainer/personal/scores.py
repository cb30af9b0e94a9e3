"""How an engine does on an adapter's cases, case by case, so that two of them can be compared in pairs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from editflow_trainer.evaluation.case import Case, Fixer, answers
from editflow_trainer.evaluation.statistics import Rate
from editflow_trainer.evaluation.verdict import Verdict, judge
from editflow_trainer.personal.cases import Cases


@dataclass(frozen=True, slots=True)
class Scores:
    """Verdicts in the order of the cases; `clean` says which functions got a proposal that they do not need."""

    model: str
    edits: tuple[Verdict, ...]
    clean: tuple[bool, ...]
    told: tuple[bool, ...]
    """The same of those that were asked for what a commit did elsewhere."""
    slips: tuple[Verdict, ...]
    guesses: tuple[Verdict, ...]
    """What would be proposed for the edits if nothing were held back for lack of confidence."""
    seconds: float

    @property
    def exact(self) -> Rate:
        """Edits of held-out commits made exactly, character by character; commits are resampled."""
        return Rate.clustered((verdict.exact, verdict.cluster) for verdict in self.edits)

    @property
    def guessed(self) -> Rate:
        """The same of first guesses."""
        return Rate.clustered((verdict.exact, verdict.cluster) for verdict in self.guesses)

    @property
    def proposed(self) -> Rate:
        """Edits of held-out commits for which something is proposed."""
        return Rate.clustered((verdict.proposed, verdict.cluster) for verdict in self.edits)

    @property
    def untouched(self) -> Rate:
        """Right functions that are left alone."""
        return Rate.of(not touched for touched in self.clean)

    @property
    def unmoved(self) -> Rate:
        """The same, asked for something that is not to be done there."""
        return Rate.of(not touched for touched in self.told)

    @property
    def repaired(self) -> Rate:
        """Slips put into right functions that are taken out exactly."""
        return Rate.of(verdict.exact for verdict in self.slips)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> Scores:
        """The reverse of `as_json`."""
        names = ("edits", "slips", "guesses")
        edits, slips, guesses = (tuple(Verdict(**one) for one in value[name]) for name in names)
        return cls(
            value["model"],
            edits,
            tuple(value["clean"]),
            tuple(value["told"]),
            slips,
            guesses,
            value["seconds"],
        )


def score(engine: Fixer, name: str, cases: Cases) -> Scores:
    """What a person would see: proposals above the engine's own thresholds."""
    start = time.perf_counter()
    guesses = _verdicts(engine, [_forced(case) for case in cases.edits], "first guesses")
    edits = _shown(engine, cases.edits, guesses)
    slips = _verdicts(engine, cases.slips, "slips")
    clean, told = (_touched(engine, part) for part in (cases.clean, cases.told))
    seconds = time.perf_counter() - start
    return Scores(name, edits, clean, told, slips, guesses, seconds)


def _shown(engine: Fixer, cases: Sequence[Case], guesses: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Verdicts on what is shown; of what has no guess nothing is, so that it need not be asked again."""
    guessed = [case for case, guess in zip(cases, guesses, strict=True) if guess.proposed]
    shown = iter(_verdicts(engine, guessed, "held-out edits"))
    return tuple(next(shown) if guess.proposed else guess for guess in guesses)


def _touched(engine: Fixer, cases: Sequence[Case]) -> tuple[bool, ...]:
    steps = answers(engine, [case.request for case in cases], "right functions")
    return tuple(bool(step.proposal.hunks) for step in steps)


def _forced(case: Case) -> Case:
    return replace(case, request=replace(case.request, threshold=0.0))


def _verdicts(engine: Fixer, cases: Sequence[Case], doing: str) -> tuple[Verdict, ...]:
    steps = answers(engine, [case.request for case in cases], doing)
    return tuple(judge(case, step.proposal) for case, step in zip(cases, steps, strict=True))

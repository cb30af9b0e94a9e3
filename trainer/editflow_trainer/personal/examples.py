"""Held-out cases that tell a person most about an adapter: what it learned, what it got wrong, where it errs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from editflow_trainer.evaluation.case import Case
from editflow_trainer.evaluation.exhibit import Exhibit
from editflow_trainer.evaluation.verdict import Verdict, exhibit
from editflow_trainer.personal.cases import Cases
from editflow_trainer.personal.result import Result

LEARNED = "edits that it makes and the default does not"
KEPT = "edits that both make"
LOST = "edits that the default makes and it does not"
WRONG = "other edits that it gets wrong"
HELD_BACK = "right first guesses that it holds back for lack of confidence"
SILENT = "edits that it offers nothing for"
EDITS = (LEARNED, KEPT, LOST, WRONG, HELD_BACK, SILENT)
ALARMS = "right functions that it would change"
MISLED = "right functions that it would change when asked for what was done elsewhere"
FORGOTTEN = "slips that the default repairs and it does not"
SHOWN = 5
"""Cases of a group that are shown."""


@dataclass(frozen=True, slots=True)
class Group:
    """Cases that went alike."""

    title: str
    count: int
    shown: tuple[Exhibit, ...]


def groups_of(result: Result, cases: Cases) -> list[Group]:
    """The held-out edits, each in the group that tells most; right functions touched; slips no longer repaired."""
    before, after = result.before, result.after
    found: dict[str, list[tuple[Case, Verdict]]] = {
        title: [] for title in (*EDITS, ALARMS, MISLED, FORGOTTEN)
    }
    for case, was, now, guess in zip(cases.edits, before.edits, after.edits, after.guesses, strict=True):
        title = _edit(was, now, guess)
        found[title].append((_forced(case), guess) if title == HELD_BACK else (case, now))
    found[ALARMS] = _touched(cases.clean, after.clean)
    found[MISLED] = _touched(cases.told, after.told)
    for case, was, now in zip(cases.slips, before.slips, after.slips, strict=True):
        if was.exact and not now.exact:
            found[FORGOTTEN].append((case, now))
    return [_group(title, judged) for title, judged in found.items()]


def _edit(was: Verdict, now: Verdict, guess: Verdict) -> str:
    """The group of an edit by the verdicts of the default, of the adapter, and of what it would offer if unsure."""
    if now.exact:
        return KEPT if was.exact else LEARNED
    if was.exact:
        return LOST
    if now.proposed:
        return WRONG
    return HELD_BACK if guess.exact else SILENT


def _touched(right: Sequence[Case], touched: Sequence[bool]) -> list[tuple[Case, Verdict]]:
    """Those that were right and that it would change all the same."""
    alarm = Verdict("", proposed=True, located=False, exact=False)
    return [(case, alarm) for case, changed in zip(right, touched, strict=True) if changed]


def _group(title: str, judged: list[tuple[Case, Verdict]]) -> Group:
    return Group(title, len(judged), tuple(exhibit(case, verdict) for case, verdict in judged[:SHOWN]))


def _forced(case: Case) -> Case:
    return replace(case, request=replace(case.request, threshold=0.0))

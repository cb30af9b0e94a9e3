"""The suite `realfix`: fixes that people made, of one Python function each, and functions they left alone.

Every fix runs three times: as asked, and twice with the best guess forced out of the model, whatever its confidence:
from one the operating points are read, and one has the changed lines given. Unchanged functions get the same hints:
their commit's message, and a line drawn by the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from editflow.errors import EditFlowError
from editflow.proposal import Proposal
from editflow.step import Step
from editflow.tokens import CodeTokenizer
from editflow_trainer.evaluation.case import Case, Fixer, Settings, answers
from editflow_trainer.evaluation.clean import untouched
from editflow_trainer.evaluation.exhibit import Measured
from editflow_trainer.evaluation.lines import pointed
from editflow_trainer.evaluation.mined import open_mined
from editflow_trainer.evaluation.realcases import RealCase, draw_real
from editflow_trainer.evaluation.report import Row
from editflow_trainer.evaluation.statistics import Rate
from editflow_trainer.evaluation.sweep import Offers, threshold_for
from editflow_trainer.evaluation.verdict import Verdict, exhibit, judge
from editflow_trainer.splits import check_evaluation

SIZES = {
    "1 token": range(1, 2),
    "2-3 tokens": range(2, 4),
    "4-8 tokens": range(4, 9),
    "9 or more tokens": range(9, 1 << 20),
}
MOST_ALARMS = (0.01, 0.02, 0.05, 0.1, 0.165, 0.25)
"""Shares of unchanged functions that may get a proposal at an operating point."""
_IN_FILE = "functions stand below their file's imports and names, as of the commit before"
_IN_SCOPE = (
    "no --repos: functions stand alone in their classes, without the file's imports and names, so that no undefined "
    "name is reported and an edit that first uses a module's name is refused; the unchanged functions are the fixed "
    "ones, which nobody vouches for"
)


@dataclass(frozen=True, slots=True)
class Result:
    """How one fix went."""

    fix: RealCase
    verdict: Verdict
    given_line: bool  # the best guess with the changed lines given is exact
    offers: Offers

    @property
    def cluster(self) -> str:
        """Fixes of one repository are alike."""
        return self.fix.repository


@dataclass(frozen=True, slots=True)
class Alarm:
    """What an unchanged function got."""

    case: Case
    hunks: int
    offers: Offers


GROUPS: dict[str, Callable[[Result], bool]] = {
    "all": lambda result: True,
    "one-token rewrites": lambda result: result.fix.one_token,
    "tier A": lambda result: result.fix.tier_a,
}


def evaluate_realfix(engine: Fixer, settings: Settings, tokenizer: CodeTokenizer) -> Measured:
    """Rows by group, kind, size and repository; false alarms; and operating points.

    Raises:
        EditFlowError: there is no mined data, it is of a reserved repository, or no fix fits into a window.
    """
    if settings.data is None:
        raise EditFlowError(
            "realfix needs mined fixes: run editflow mine REPO... -o DIR, then give --data DIR"
        )
    store = open_mined(settings.data)
    seen = check_evaluation(store.entries)
    fixes = draw_real(store, settings, tokenizer)
    if not fixes:
        raise EditFlowError(f"{settings.data} holds no fix of one Python function that fits into a window")
    results, alarms = _results(engine, fixes), _alarms(engine, [c for fix in fixes for c in fix.unchanged])
    exhibits = [exhibit(r.fix.case, r.verdict) for r in results]
    exhibits += [untouched(alarm.case, alarm.hunks) for alarm in alarms]
    rows = [*_tables(results), _alarm_row(alarms), *_points(results, alarms)]
    return Measured(rows, exhibits, (*_notes(settings), *_warning(seen)))


def _results(engine: Fixer, fixes: Sequence[RealCase]) -> list[Result]:
    cases = [fix.case for fix in fixes]
    steps = answers(engine, [case.request for case in cases], "mined fixes")
    verdicts = [judge(case, step.proposal) for case, step in zip(cases, steps, strict=True)]
    narrow = [replace(case, request=pointed(case.request, case.expected)) for case in cases]
    guesses = _guesses(engine, cases, "guesses at fixes")
    placed = guesses if narrow == cases else _guesses(engine, narrow, "guesses, given the lines")
    return [
        Result(fix, verdict, there.text == fix.case.expected, Offers.of(guess, fix.case.expected))
        for fix, verdict, there, guess in zip(fixes, verdicts, placed, guesses, strict=True)
    ]


def _alarms(engine: Fixer, cases: Sequence[Case]) -> list[Alarm]:
    steps = answers(engine, [case.request for case in cases], "unchanged functions")
    hunks = [len(step.proposal.hunks) for step in steps]
    guesses = _guesses(engine, cases, "guesses at unchanged functions")
    return [
        Alarm(case, count, Offers.of(guess, case.expected))
        for case, count, guess in zip(cases, hunks, guesses, strict=True)
    ]


def _guesses(engine: Fixer, cases: Sequence[Case], doing: str) -> list[Proposal]:
    """What is proposed without a threshold; where the process fires nothing, its likeliest operation (candidate 2)."""
    requests = [replace(case.request, threshold=0.0, candidates=2) for case in cases]
    return [_any(step) for step in answers(engine, requests, doing)]


def _any(step: Step) -> Proposal:
    return next((p for p in (step.proposal, *step.alternatives) if p.hunks), step.proposal)


def _tables(results: Sequence[Result]) -> list[Row]:
    rows = [_row("group", name, filter(belongs, results)) for name, belongs in GROUPS.items()]
    for kind in sorted({result.fix.kind for result in results}):
        rows.append(_row("kind", kind, (r for r in results if r.fix.kind is kind)))
    for name, sizes in SIZES.items():
        rows.append(_row("edits", name, (r for r in results if r.fix.changed in sizes)))
    for name in sorted({result.fix.repository for result in results}):
        rows.append(_row("repository", name, (r for r in results if r.fix.repository == name)))
    return rows


def _row(section: str, name: str, results: Iterable[Result]) -> Row:
    chosen = list(results)
    rates = {
        "proposed": Rate.clustered((r.verdict.proposed, r.cluster) for r in chosen),
        "located": Rate.clustered((r.verdict.located, r.cluster) for r in chosen),
        "repaired_given_line": Rate.clustered((r.given_line, r.cluster) for r in chosen),
        "exact": Rate.clustered((r.verdict.exact, r.cluster) for r in chosen),
    }
    return Row(section, name, len(chosen), rates)


def _alarm_row(alarms: Sequence[Alarm]) -> Row:
    rate = Rate.clustered((alarm.hunks > 0, alarm.case.cluster) for alarm in alarms)
    return Row("unchanged", "unchanged functions", len(alarms), {"false_positive": rate})


def _points(results: Sequence[Result], alarms: Sequence[Alarm]) -> list[Row]:
    """Exact fixes at each share of false alarms, by group; the thresholds are the same for all groups."""
    rows: list[Row] = []
    for name, belongs in GROUPS.items():
        chosen = list(filter(belongs, results))
        for share in MOST_ALARMS:
            threshold = threshold_for([alarm.offers for alarm in alarms], share)
            rates = {
                "exact": Rate.clustered((r.offers.exact_at(threshold), r.cluster) for r in chosen),
                "false_positive": Rate.clustered(
                    (alarm.offers.proposed_at(threshold), alarm.case.cluster) for alarm in alarms
                ),
            }
            title = f"{name}, at most {share:.1%} false"
            rows.append(Row("operating point", title, len(chosen), rates, {"threshold": threshold}))
    return rows


def _notes(settings: Settings) -> tuple[str, ...]:
    return (
        "exact: the text that the commit has, character by character; nothing was run",
        "repaired given line: the best guess, whatever its confidence, with the lines given from the first to the last "
        "that the fix changes",
        "one-token rewrites: operator, literal, variable, name or argument swap on one line (as in PyPIBugs)",
        "tier A: the subject says fix or bug and nothing of text, types, style or tests, and the commit modifies a "
        "test; a test that it adds is not seen",
        _IN_FILE if settings.repositories else _IN_SCOPE,
        "operating points: thresholds chosen by the unchanged functions alone, over the hunks of the best guesses (all "
        "that fires, or else the likeliest operation); at the checkpoint's own threshold the first tables hold",
    )


def _warning(seen: Sequence[str]) -> tuple[str, ...]:
    if not seen:
        return ()
    return (f"not of the validation side, so the model may have been trained on them: {', '.join(seen)}",)

"""Judges a proposal by the text it leads to, against the one right text.

A proposal is *located* when it changes the lines that the exact fix changes and no other, *exact* when it
gives the right text. Both are judged on the resulting text, so it makes no difference how a proposal is cut
into hunks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from editflow.document import Document
from editflow.proposal import Proposal
from editflow_trainer.evaluation.case import Case
from editflow_trainer.evaluation.report import Row
from editflow_trainer.evaluation.statistics import Rate


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one case went."""

    stratum: str
    proposed: bool
    located: bool
    exact: bool


def judge(case: Case, proposal: Proposal) -> Verdict:
    """Compare what is proposed with the exact fix, character by character."""
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


def tidied(text: str) -> str:
    """The text without whitespace at line ends and without blank lines at its ends."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n") + "\n"


def verdict_row(section: str, name: str, verdicts: Iterable[Verdict]) -> Row:
    """Shares of the verdicts that go into one row."""
    chosen = list(verdicts)
    rates = {
        "proposed": Rate.of(v.proposed for v in chosen),
        "located": Rate.of(v.located for v in chosen),
        "repaired_when_located": Rate.of(v.exact for v in chosen if v.located),
        "exact": Rate.of(v.exact for v in chosen),
    }
    return Row(section, name, len(chosen), rates)

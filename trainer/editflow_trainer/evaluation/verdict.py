"""Judges a proposal by the text it leads to, against the one right text.

A proposal is *located* when it changes the lines that the exact fix changes and no other, *exact* when it
gives the right text. Both are judged on the resulting text, so it makes no difference how a proposal is cut
into hunks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from editflow.proposal import Proposal
from editflow_trainer.evaluation.case import Case
from editflow_trainer.evaluation.exhibit import Exhibit
from editflow_trainer.evaluation.lines import changed_lines
from editflow_trainer.evaluation.report import Row
from editflow_trainer.evaluation.statistics import Rate


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one case went."""

    stratum: str
    proposed: bool
    located: bool
    exact: bool
    cluster: str = ""

    @property
    def words(self) -> str:
        """For people."""
        if self.exact:
            return "exact"
        if not self.proposed:
            return "nothing proposed"
        return "right lines, other text" if self.located else "other lines"


def judge(case: Case, proposal: Proposal) -> Verdict:
    """Compare what is proposed with the exact fix, character by character."""
    document, text = case.request.document, proposal.text
    located = changed_lines(document, text) == changed_lines(document, case.expected)
    return Verdict(case.stratum, bool(proposal.hunks), located, text == case.expected, case.cluster)


def exhibit(case: Case, verdict: Verdict) -> Exhibit:
    """A judged case for people."""
    return Exhibit(
        case.name, case.request, case.expected, verdict.words, right=verdict.exact, proposed=verdict.proposed
    )


def tidied(text: str) -> str:
    """The text without whitespace at line ends and without blank lines at its ends."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n") + "\n"


def verdict_row(section: str, name: str, verdicts: Iterable[Verdict]) -> Row:
    """Shares of the verdicts that go into one row."""
    chosen = list(verdicts)
    rates = {
        "proposed": Rate.clustered((v.proposed, v.cluster) for v in chosen),
        "located": Rate.clustered((v.located, v.cluster) for v in chosen),
        "repaired_when_located": Rate.clustered((v.exact, v.cluster) for v in chosen if v.located),
        "exact": Rate.clustered((v.exact, v.cluster) for v in chosen),
    }
    return Row(section, name, len(chosen), rates)

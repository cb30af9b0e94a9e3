"""One attempt at a request: its text through rounds of windows, passes and diagnoses.

A request with several candidates makes several attempts. Odd ones are branches: they make one operation more than
the first attempt, from the likeliest below the thresholds down. Even ones explore: they lower the thresholds and draw
tokens. Where there are diagnostics a few branches run anyway, for the checker can tell which of them is right, and so
does an attempt that trusts the checker's names: where the model edits an underlined name, it takes the suggested one.
An attempt owns text and edits; the batch it runs in owns tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from editflow.checkpoint import Calibration
from editflow.confidence import calibrated, operation_of, raised
from editflow.diagnostic import Diagnostic, suggestion
from editflow.diagnostics import check_python, faults
from editflow.forbidden import permitted
from editflow.linebreaks import LineBreaks
from editflow.pieces import Pieces, TextEdit
from editflow.placed import PlacedWindow
from editflow.proposal import Proposal
from editflow.request import Replacement, Request
from editflow.scopes import PYTHON_SUFFIXES, place_windows
from editflow.tokens import CodeTokenizer

STRICTNESS = 0.6
"""Factor on the thresholds from one exploring candidate to the next."""
LOWEST_STRICTNESS = 0.1
TEMPERATURE = 0.7
"""Of the noise on log Q in exploring candidates."""
MAX_CHECKED = 48
"""Most edits of a round that are checked one by one when together they make the text worse."""
BRANCHES = 4
"""Branches that run where there are diagnostics."""


class Attempt:
    """The state of one candidate of one request."""

    def __init__(
        self,
        request: Request,
        candidate: int,
        calibration: Calibration,
        *,
        asked: bool = False,
        trusting: bool = False,
    ) -> None:
        """`asked`: a candidate that the request asked for; it may offer what is less sure than a proposal.

        `trusting`: takes suggested names where the model edits underlined ones.
        """
        self.request, self.candidate, self.calibration = request, candidate, calibration
        self.asked, self.trusting = asked, trusting
        self._contradictions = 0
        self.branch = (candidate + 1) // 2 if candidate % 2 else 0
        explores = asked and not self.branch
        self.strictness = max(LOWEST_STRICTNESS, STRICTNESS ** (candidate // 2)) if explores else 1.0
        self.temperature = TEMPERATURE if explores else 0.0
        document = request.document
        self.suffix = document.path.suffix.lower() if document.path else ".py"
        self.breaks = LineBreaks(document.text)
        self._forbidden = self._replacements_to_model(request.forbidden)
        self._settled = Pieces.of(self.breaks.text)
        self._found: dict[int, list[TextEdit]] = {}
        self._again = False
        self._rounds = request.rounds
        given = request.diagnostics
        found = self._check(self.breaks.text) if given is None else self._moved_to_model(given)
        self.diagnostics = found + _beside(found, self._moved_to_model(request.reported))
        self.diagnosed = bool(self.diagnostics)

    @property
    def threshold(self) -> float:
        """Confidence below which an edit is not offered; candidates asked for may go below the checkpoint's own."""
        chosen = self.request.threshold
        if chosen is None:
            chosen = 0.0 if self.branch and self.asked else self.calibration.show * self.strictness
        return max(chosen, self.request.threshold_floor)

    def branch_in(self, placed: PlacedWindow, alone: bool) -> int:
        """The branch to take in a window: where the diagnostics are, or else in the `alone` one."""
        here = bool(placed.window.diagnostics) if self.diagnosed else alone
        return self.branch if here else 0

    def windows(self, tokenizer: CodeTokenizer, *, everything: bool = False) -> list[PlacedWindow]:
        """The windows of the settled text, the whole text's (not only its functions') with `everything`.

        After the first round these are the ones with diagnostics: nothing else has changed for the others.
        """
        text = self._settled.text
        lines = self.request.lines
        if everything and lines is None:
            lines = (1, text.count("\n") + 1)
        placed = place_windows(
            text,
            tokenizer,
            suffix=self.suffix,
            file=self.request.document.path.name if self.request.document.path else "",
            lines=self._moved(lines),
            instruction=self.request.instruction,
            diagnostics=self.diagnostics,
        )
        noted = self._again or (self.candidate and self.diagnosed)
        return [window for window in placed if window.window.diagnostics] if noted else placed

    def adopt(self, first: Attempt) -> None:
        """In the first round a branch takes over what the first attempt found in the windows it left out."""
        if self.candidate and self.diagnosed and not self._again:
            self._found = first._found | self._found

    def update(self, placed: PlacedWindow, edits: Sequence[TextEdit]) -> None:
        """Replace what this round found in a window by the edits of the latest pass."""
        moved = placed.edits_of(edits, len(self._settled.text))
        moved = self._with_suggestions(moved) if self.trusting else moved
        self._found[placed.start] = [edit for edit in moved if self._can_be_written(edit[2])]

    def finish_round(self) -> bool:
        """Settle what this round may offer; True where the new text asks for another round."""
        before, self._settled = self._settled.text, self._offered()
        after, self._found, self._again = self._settled.text, {}, True
        self._rounds -= 1
        over = not self._rounds or after == before
        if over or self.request.diagnostics == () or self.suffix not in PYTHON_SUFFIXES:
            return False
        self.diagnostics = self._check(after)
        return bool(self.diagnostics)

    def continue_from(self, other: Attempt) -> None:
        """Start where another attempt of the request ended."""
        self._settled, self.diagnostics = other._settled, other.diagnostics
        self.diagnosed = bool(other.diagnostics)

    def proposal(self) -> Proposal:
        """The current edits against the document as it was read."""
        edits = [self.breaks.restore(edit) for edit in self._settled.edited(self._edits()).edits()]
        scaled = [(*edit[:3], self._confidence(edit)) for edit in edits]
        return Proposal.from_edits(self.request.document, scaled)

    def rank(self) -> tuple[bool, float, int]:
        """Sorting key: not asked for, text that parses, fewest names undefined or unlike the suggestion, careful."""
        return self.asked, self._faults(self._settled.text) + self._contradictions, self.candidate

    def _moved_to_model(self, diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
        to_model = self.breaks.to_model
        return [Diagnostic(to_model(d.start), to_model(d.end), d.message, d.source) for d in diagnostics]

    def _replacements_to_model(self, replacements: Sequence[Replacement]) -> list[Replacement]:
        to_model = self.breaks.to_model
        return [(to_model(start), to_model(end), LineBreaks(new).text) for start, end, new in replacements]

    def _permitted(self, edits: Sequence[TextEdit]) -> list[TextEdit]:
        """Those of the settled text that do not make what the request forbids."""
        return permitted(self._settled, edits, self._forbidden)

    def _check(self, text: str) -> list[Diagnostic]:
        return check_python(text) if self.suffix in PYTHON_SUFFIXES else []

    def _edits(self) -> list[TextEdit]:
        """What this round has found and may make, in coordinates of the settled text."""
        return self._permitted([edit for edits in self._found.values() for edit in edits])

    def _can_be_written(self, text: str) -> bool:
        try:
            text.encode(self.request.document.encoding)
        except UnicodeEncodeError:
            return False
        return True

    def _moved(self, lines: tuple[int, int] | None) -> tuple[int, int] | None:
        """A range of the document's lines in the settled text, which may have gained or lost some above it."""
        if lines is None:
            return None
        first, last = lines
        original, shift_first, shift_last = self.breaks.text, 0, 0
        for start, end, new, _ in self._settled.edits():
            line, gained = (
                original.count("\n", 0, start) + 1,
                new.count("\n") - original.count("\n", start, end),
            )
            shift_first += gained if line < first else 0
            shift_last += gained if line <= last else 0
        return first + shift_first, last + shift_last

    def _offered(self) -> Pieces:
        """The settled text with the edits that are sure enough and bring no new errors."""
        before = self._undefined(self._settled.text)
        judged = self._verified(self._edits())
        # Once more: a part of what was found may be forbidden where the whole was not.
        sure = self._permitted([e for e in judged if self._confidence(e) >= self.threshold])
        if not sure:
            return self._settled
        offered = self._settled.edited(sure)
        if not _is_worse(before, self._undefined(offered.text)):
            self._contradictions += sum(self._follows(e[0], e[1], sure) < 0 for e in sure)
            return offered
        kept: list[TextEdit] = []
        for edit in sorted(sure, key=lambda e: -e[3])[:MAX_CHECKED]:
            if not _is_worse(before, self._undefined(self._settled.edited([*kept, edit]).text)):
                kept.append(edit)
        return self._settled.edited(self._permitted(kept))

    def _confidence(self, edit: TextEdit) -> float:
        """The chance that an edit is right."""
        start, end, new, probability = edit
        if self.request.instruction and self.calibration.instructed:
            probability = raised(probability, self.calibration.instructed)
        return calibrated(probability, self.calibration, operation_of(start, end, new))

    def _verified(self, edits: list[TextEdit]) -> list[TextEdit]:
        """The edits with the evidence there is: a complaint is back without it, or it is not the name suggested."""
        if not self.diagnostics or not 0 < len(edits) <= MAX_CHECKED:
            return edits
        complaints = self._faults(self._settled.text)
        left = self._faults(self._settled.edited(edits).text) if complaints else 0
        if left >= complaints:
            return edits
        judged: list[TextEdit] = []
        for i, (start, end, new, probability) in enumerate(edits):
            without = self._settled.edited([*edits[:i], *edits[i + 1 :]]).text
            evidence = self.calibration.verified * (self._faults(without) > left)
            evidence += self.calibration.suggested * self._follows(start, end, edits)
            judged.append((start, end, new, raised(probability, evidence)))
        return judged

    def _follows(self, start: int, end: int, edits: list[TextEdit]) -> int:
        """1 where an edit helps to make a name what was suggested, -1 where another one, 0 without suggestion."""
        text, follows = self._settled.text, 0
        for diagnostic in self.diagnostics:
            low, high, wanted = diagnostic.start, diagnostic.end, suggestion(diagnostic.message)
            if wanted is None or end < low or high < start:
                continue
            touching = [e for e in edits if e[0] <= high and low <= e[1]]
            first, last = min(low, *(e[0] for e in touching)), max(high, *(e[1] for e in touching))
            shifted = [(s - first, e - first, new, p) for s, e, new, p in touching]
            if Pieces.of(text[first:last]).edited(shifted).text != text[first:low] + wanted + text[high:last]:
                return -1
            follows = 1
        return follows

    def _with_suggestions(self, edits: list[TextEdit]) -> list[TextEdit]:
        """The edits, those of an underlined name replaced by the suggested one, as probable as the likeliest."""
        for diagnostic in self.diagnostics:
            start, end, wanted = diagnostic.start, diagnostic.end, suggestion(diagnostic.message)
            touching = [e for e in edits if e[0] <= end and start <= e[1]]
            if wanted and touching:
                taken = (start, end, wanted, max(e[3] for e in touching))
                edits = [*(e for e in edits if e not in touching), taken]
        return edits

    def _faults(self, text: str) -> float:
        return faults(self._check(text))

    def _undefined(self, text: str) -> Counter[str] | None:
        """The undefined names of a text, None where it does not parse."""
        diagnostics = self._check(text)
        if any(d.source == "python" for d in diagnostics):
            return None
        return Counter(text[d.start : d.end] for d in diagnostics)


def attempts_of(request: Request, calibration: Calibration, *, branches: bool = True) -> list[Attempt]:
    """What a proposal is chosen from: the first attempt, and branches where there are diagnostics."""
    first = Attempt(request, 0, calibration)
    if not (branches and first.diagnosed):
        return [first]
    further = [Attempt(request, candidate, calibration) for candidate in range(1, 2 * BRANCHES, 2)]
    return [first, *further, Attempt(request, 2 * BRANCHES, calibration, trusting=True)]


def candidates_after(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The further candidates that the request asks for; they go on from the best of the attempts."""
    best = min(attempts, key=Attempt.rank)
    asked = [
        Attempt(best.request, candidate, best.calibration, asked=True)
        for candidate in range(1, best.request.candidates)
    ]
    for attempt in asked:
        attempt.continue_from(best)
    return asked


def ranked(attempts: Sequence[Attempt]) -> list[Proposal]:
    """Distinct proposals of the attempts: first what is sure enough to be proposed, then the candidates asked for."""
    proposals: dict[str, Proposal] = {}
    for attempt in sorted(attempts, key=Attempt.rank) if len(attempts) > 1 else attempts:
        proposal = attempt.proposal()
        proposals.setdefault(proposal.text, proposal)
    return list(proposals.values())


def _beside(found: Sequence[Diagnostic], reported: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The reported ones that do not touch a place where something was found: two wordings of one fault confuse."""
    return [r for r in reported if all(r.end < f.start or f.end < r.start for f in found)]


def _is_worse(before: Counter[str] | None, after: Counter[str] | None) -> bool:
    """Whether an edited text no longer parses, or has undefined names that it did not have."""
    return before is not None and (after is None or bool(after - before))

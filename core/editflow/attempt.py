"""One attempt at a request: its text through rounds of windows, passes and diagnoses.

A request with several candidates makes several attempts that differ in how freely they explore. An attempt owns
text and edits; the batch it runs in owns tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from editflow.checkpoint import Calibration
from editflow.confidence import calibrated
from editflow.diagnostics import Diagnostic, check_python
from editflow.linebreaks import LineBreaks
from editflow.pieces import Pieces, TextEdit
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.scopes import PYTHON_SUFFIXES, PlacedWindow, place_windows
from editflow.tokens import CodeTokenizer

STRICTNESS = 0.6
"""Factor on the firing thresholds from one candidate to the next."""
LOWEST_STRICTNESS = 0.1
TEMPERATURE = 0.7
"""Of the noise on log Q, in every candidate but the first."""
MAX_CHECKED = 48
"""Most edits of a round that are checked one by one when together they make the text worse."""


class Attempt:
    """The state of one candidate of one request."""

    def __init__(self, request: Request, candidate: int, calibration: Calibration) -> None:
        self.request, self.candidate, self.calibration = request, candidate, calibration
        self.strictness = max(LOWEST_STRICTNESS, STRICTNESS**candidate)
        self.temperature = TEMPERATURE if candidate else 0.0
        document = request.document
        self.suffix = document.path.suffix if document.path else ".py"
        self.breaks = LineBreaks(document.text)
        self._settled = self._current = Pieces.of(self.breaks.text)
        self.diagnostics = self._given() if request.diagnostics is not None else self._check(self.breaks.text)

    @property
    def threshold(self) -> float:
        """Confidence below which an edit is not offered; later candidates explore below it."""
        chosen = self.calibration.show if self.request.threshold is None else self.request.threshold
        return chosen * self.strictness

    def windows(self, tokenizer: CodeTokenizer, *, everything: bool = False) -> list[PlacedWindow]:
        """The windows of the settled text, the whole text's (not only its functions') with `everything`."""
        text = self._settled.text
        lines = self.request.lines
        if everything and lines is None:
            lines = (1, text.count("\n") + 1)
        return place_windows(
            text,
            tokenizer,
            suffix=self.suffix,
            file=self.request.document.path.name if self.request.document.path else "",
            lines=self._moved(lines),
            instruction=self.request.instruction,
            diagnostics=self.diagnostics,
        )

    def update(self, edits: Iterable[tuple[PlacedWindow, list[TextEdit]]]) -> None:
        """Replace the current edits of this round by those of the latest pass."""
        size = len(self._settled.text)
        moved = [_placed(placed, edit, size) for placed, found in edits for edit in found]
        self._current = self._settled.edited(moved)

    def finish_round(self) -> bool:
        """Settle what this round may offer; True where the new text asks for another round."""
        before, kept = self._settled.text, self._offered(self._current)
        after = kept.text
        self._settled = self._current = kept
        if after == before or self.request.diagnostics == () or self.suffix not in PYTHON_SUFFIXES:
            return False
        known, self.diagnostics = self._check(before), self._check(after)
        return bool({d.message for d in self.diagnostics} - {d.message for d in known})

    def proposal(self) -> Proposal:
        """The current edits against the document as it was read."""
        edits = [self.breaks.restore(edit) for edit in self._current.edits()]
        scaled = [(start, end, new, calibrated(p, self.calibration)) for start, end, new, p in edits]
        return Proposal.from_edits(self.request.document, scaled)

    def rank(self) -> tuple[int, int]:
        """Sorting key among the candidates: fewest diagnostics left first, then the more careful one."""
        return len(self._check(self._settled.text)), self.candidate

    def _given(self) -> list[Diagnostic]:
        to_model = self.breaks.to_model
        return [
            Diagnostic(to_model(d.start), to_model(d.end), d.message, d.source)
            for d in self.request.diagnostics or ()
        ]

    def _check(self, text: str) -> list[Diagnostic]:
        return check_python(text) if self.suffix in PYTHON_SUFFIXES else []

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

    def _offered(self, pieces: Pieces) -> Pieces:
        """Only edits that are sure enough, and that do not leave more diagnostics than they found."""
        sure = [e for e in pieces.edits() if calibrated(e[3], self.calibration) >= self.threshold]
        unedited = Pieces.of(self.breaks.text)
        offered = unedited.edited(sure)
        if len(sure) == 0 or not self._worse(unedited.text, offered.text):
            return offered
        kept: list[TextEdit] = []
        for edit in sorted(sure, key=lambda e: -e[3])[:MAX_CHECKED]:
            if not self._worse(unedited.text, unedited.edited([*kept, edit]).text):
                kept.append(edit)
        return unedited.edited(kept)

    def _worse(self, before: str, after: str) -> bool:
        """Whether `after` has a syntax error or undefined names that `before` does not have."""
        return _badness(self._check(after)) > _badness(self._check(before))


def attempts_of(request: Request, calibration: Calibration) -> list[Attempt]:
    """The attempts of a request, the deterministic one first."""
    return [Attempt(request, candidate, calibration) for candidate in range(max(1, request.candidates))]


def ranked(attempts: Sequence[Attempt]) -> list[Proposal]:
    """Distinct proposals of the attempts, best first."""
    proposals: dict[str, Proposal] = {}
    for attempt in sorted(attempts, key=Attempt.rank):
        proposal = attempt.proposal()
        proposals.setdefault(proposal.text, proposal)
    return list(proposals.values())


def _badness(diagnostics: Sequence[Diagnostic]) -> tuple[int, int]:
    syntax = sum(d.source == "python" for d in diagnostics)
    return syntax, 0 if syntax else len(diagnostics)


def _placed(placed: PlacedWindow, edit: TextEdit, size: int) -> TextEdit:
    """A window's edit in the text's coordinates; the line end that a last window adds is taken off again."""
    start, end, new, probability = edit
    start, end = start + placed.start, end + placed.start
    if end > size:
        new = new.removesuffix("\n")
    return min(start, size), min(end, size), new, probability

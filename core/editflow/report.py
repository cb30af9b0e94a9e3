"""What `--json` prints about a file: the object that docs/json.md documents."""

import json
from dataclasses import asdict, dataclass
from typing import Self

from editflow.document import Document
from editflow.proposal import Hunk
from editflow.step import Step


@dataclass(frozen=True, slots=True)
class HunkReport:
    """One replacement; bytes `start_byte:end_byte` of the file hold `old` in the file's encoding."""

    start_byte: int
    end_byte: int
    start_line: int
    """1-based."""
    old: str
    new: str
    confidence: float

    @classmethod
    def of(cls, hunk: Hunk, document: Document) -> Self:
        """A hunk of a proposal over the document."""
        line = document.line_of(hunk.start) + 1
        return cls(hunk.start_byte, hunk.end_byte, line, hunk.old, hunk.new, round(hunk.confidence, 4))


@dataclass(frozen=True, slots=True)
class FileReport:
    """What one run proposes for one file."""

    file: str
    """As given; "-" is standard input."""
    model: str
    device: str
    passes: int
    elapsed_ms: float
    hunks: tuple[HunkReport, ...]
    text: str
    """The text with every hunk applied."""
    alternatives: tuple[str, ...]
    """Texts of the other candidates, best first."""

    @classmethod
    def of(cls, name: str, step: Step, *, model: str, device: str, seconds: float) -> Self:
        """The report on the last step of a fix that took `seconds`."""
        proposal = step.proposal
        hunks = tuple(HunkReport.of(hunk, proposal.document) for hunk in proposal.hunks)
        others = tuple(other.text for other in step.alternatives if other.text != proposal.text)
        elapsed = round(seconds * 1000, 1)
        return cls(name, model, device, step.index, elapsed, hunks, proposal.text, others)

    def line(self) -> str:
        """The object on one line of ASCII, so that no control character reaches a terminal."""
        return json.dumps(asdict(self))

"""The options of `editflow fix` as one checked value."""

import re
from dataclasses import dataclass
from enum import StrEnum

from editflow.configuration import Configuration
from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.request import Decoder, Request

STDIN = "-"
PROPOSED, FAILED = 1, 2  # exit codes
MOST = 64  # candidates, and passes
MOST_STEPS = 10_000  # of the stochastic sampler
MOST_GUIDANCE = 10.0


class UsageError(EditFlowError):
    """Options that make no sense, alone or together."""


class Mode(StrEnum):
    """What becomes of a proposal."""

    DIFF = "--diff"
    WRITE = "--write"
    CHECK = "--check"
    JSON = "--json"
    TEXT = "text"  # standard input in, fixed text out


@dataclass(frozen=True, slots=True)
class Options:
    """Everything but the files; UsageError where a value is out of its range."""

    mode: Mode
    lines: tuple[int, int] | None = None
    message: str = ""
    model: str = "default"
    adapter: str = "auto"
    """As `editflow.adapters.choice.choose` takes it."""
    device: str = "auto"
    candidates: int = 1
    sampler: str | None = None
    steps: int | None = None
    guidance: float = 0.0
    seed: int = 0
    threshold: float | None = None
    show_flow: bool = False
    heatmap: bool = False
    isolated: bool = False

    def __post_init__(self) -> None:
        if self.sampler not in (None, *Decoder):
            raise UsageError(f"--sampler {self.sampler} is unknown: use {' or '.join(Decoder)}")
        stochastic = self.sampler == Decoder.ctmc
        most = MOST_STEPS if stochastic else MOST
        if not 1 <= self.candidates <= MOST:
            raise UsageError(f"--candidates {self.candidates} is out of range: use 1 to {MOST}")
        if self.steps is not None and not 1 <= self.steps <= most:
            raise UsageError(f"--steps {self.steps} is out of range: use 1 to {most}")
        if self.guidance and not stochastic:
            raise UsageError(f"--guidance needs --sampler {Decoder.ctmc}")
        if not -1 <= self.guidance <= MOST_GUIDANCE:
            raise UsageError(f"--guidance {self.guidance} is out of range: use -1 to {MOST_GUIDANCE:g}")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"--threshold {self.threshold} is out of range: use 0 to 1")
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"--seed {self.seed} is out of range: use 0 to {2**63 - 1}")

    def configuration(self, document: Document) -> Configuration:
        """What the repository asks for; nothing where it is not to be asked, or the document is no file."""
        if self.isolated or document.path is None:
            return Configuration()
        return Configuration.of(document.path)

    def request(self, document: Document) -> Request:
        """What to ask of the engine about one document."""
        return Request(
            document,
            lines=self.lines,
            instruction=self.message,
            candidates=self.candidates,
            decoder=None if self.sampler is None else Decoder(self.sampler),
            steps=self.steps,
            guidance=self.guidance,
            seed=self.seed,
            threshold=self.threshold,
            threshold_floor=self.configuration(document).threshold or 0.0,
        )


def choose_mode(chosen: list[Mode], *, from_stdin: bool) -> Mode:
    """The one mode that was asked for, or the default; UsageError if the choice cannot be followed."""
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} exclude each other: choose one")
    if from_stdin and chosen == [Mode.WRITE]:
        raise UsageError("--write needs files: without it, - prints the fixed text")
    return chosen[0] if chosen else Mode.TEXT if from_stdin else Mode.DIFF


def parse_range(lines: str) -> tuple[int, int]:
    """`L1:L2` as 1-based inclusive lines."""
    found = re.fullmatch(r"(\d{1,9}):(\d{1,9})", lines, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--range {lines!r} is not a range of lines: write first:last, such as 3:10")
    return int(found[1]), int(found[2])

"""What a surface asks of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from editflow.diagnostic import Diagnostic
from editflow.document import Document


class Decoder(StrEnum):
    """How a flow is run."""

    passes = "passes"
    """Deterministic: all edits above their thresholds at once, until nothing changes."""
    ctmc = "ctmc"
    """Stochastic: the continuous-time Markov chain, in Euler steps."""


Replacement = tuple[int, int, str]  # start and end in characters, new text

ROUNDS = 4
DEFAULT_STEPS = {Decoder.passes: 8, Decoder.ctmc: 64}


@dataclass(frozen=True, slots=True)
class Request:
    """Fix a document, or some of its lines."""

    document: Document
    lines: tuple[int, int] | None = None
    """1-based, inclusive; None is the whole file."""
    instruction: str = ""
    diagnostics: tuple[Diagnostic, ...] | None = None
    """Ranges in the document's text; None checks the text itself where it is Python."""
    reported: tuple[Diagnostic, ...] = ()
    """What others complain about, such as an editor's other tools: context where `diagnostics` say nothing."""
    candidates: int = 1
    decoder: Decoder | None = None
    """None takes the one that the checkpoint was trained for."""
    steps: int | None = None
    """Passes at most, or Euler steps; None takes the decoder's default."""
    guidance: float = 0.0
    """Strength of classifier-free guidance, on rates and tokens alike (Decoder.ctmc only)."""
    rounds: int = ROUNDS
    """Times at most that the text is diagnosed and fixed again."""
    branches: bool = True
    """Whether further attempts run beside the first one where there are diagnostics (Decoder.passes only)."""
    seed: int = 0
    threshold: float | None = None
    """Confidence below which no hunk is proposed; None takes the checkpoint's."""
    threshold_floor: float = 0.0
    """Confidence that the threshold is raised to where it is lower, the checkpoint's and candidates' too."""
    forbidden: tuple[Replacement, ...] = ()
    """Edits of the document's text that must not be made; others of the same place may be."""

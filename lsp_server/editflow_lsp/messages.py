"""The payloads of docs/protocol.md as values: what is read from a client, and what is sent to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import uuid4

from lsprotocol.types import Diagnostic, Range

VERSION = 1
STEP, END, STATUS, OUTCOME = (f"$/editflow/{name}" for name in ("step", "end", "status", "outcome"))
FIX, CANCEL, SUSPICION = COMMANDS = ("editflow.fix", "editflow.cancel", "editflow.suspicion")
MAX_ID = 200
MAX_INSTRUCTION = 2000  # characters
MAX_SEED = 2**31 - 1


class Scope(StrEnum):
    """How a range is meant."""

    selection = "selection"
    function = "function"
    file = "file"


class Mode(StrEnum):
    """Who applies the proposal: the client as it likes, or the client when the server asks."""

    preview = "preview"
    apply = "apply"


class JobStatus(StrEnum):
    """How a job ended."""

    done = "done"
    unchanged = "unchanged"
    cancelled = "cancelled"
    stale = "stale"
    error = "error"


class HunkState(StrEnum):
    """Whether later steps may change a hunk."""

    draft = "draft"
    settled = "settled"


@dataclass(frozen=True, slots=True)
class VersionedDocument:
    """A document as it was at one version."""

    uri: str
    version: int


@dataclass(frozen=True, slots=True)
class Hunk:
    """One replacement of a proposal."""

    id: str
    range: Range
    new_text: str
    state: HunkState
    confidence: float


@dataclass(frozen=True, slots=True)
class StepMessage:
    """The whole proposal as it stands after a pass."""

    job_id: str
    seq: int
    step: int
    total_steps: int | None
    text_document: VersionedDocument
    hunks: tuple[Hunk, ...]
    window: Range
    truncated: bool | None = None


@dataclass(frozen=True, slots=True)
class EndMessage:
    """A job is over."""

    job_id: str
    status: JobStatus
    steps: int
    elapsed_ms: float
    reason: str | None = None
    cancel_ms: float | None = None


@dataclass(frozen=True, slots=True)
class FixResult:
    """The answer to `editflow.fix`."""

    job_id: str
    status: JobStatus
    text_document: VersionedDocument
    hunks: tuple[Hunk, ...]
    window: Range | None
    steps: int
    elapsed_ms: float
    reason: str | None = None
    cancel_ms: float | None = None
    applied: bool | None = None
    model: str | None = None
    """Which model answered, with its adapter."""


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """How the engine is."""

    kind: str
    model: str | None
    device: str | None
    queue: int
    message: str
    adapter: str | None = None
    """Of the document that was opened or fixed last."""


@dataclass(frozen=True, slots=True)
class SuspectedSpan:
    """A range where an edit seems due."""

    range: Range
    probability: float


@dataclass(frozen=True, slots=True)
class SuspicionResult:
    """The answer to `editflow.suspicion`."""

    text_document: VersionedDocument
    spans: tuple[SuspectedSpan, ...]


@dataclass(frozen=True, slots=True)
class FixParams:
    """What `editflow.fix` asks for; a code action carries the same as its data."""

    text_document: VersionedDocument
    job_id: str = field(default_factory=lambda: uuid4().hex)
    range: Range | None = None
    scope: Scope = Scope.selection
    mode: Mode = Mode.apply
    instruction: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        _check_id(self.job_id)
        if len(self.instruction) > MAX_INSTRUCTION:
            raise ValueError(f"instruction is longer than {MAX_INSTRUCTION} characters")
        if not 0 <= self.seed <= MAX_SEED:
            raise ValueError(f"seed is not in 0 to {MAX_SEED}")


@dataclass(frozen=True, slots=True)
class CancelParams:
    """What `editflow.cancel` asks for."""

    job_id: str

    def __post_init__(self) -> None:
        _check_id(self.job_id)


@dataclass(frozen=True, slots=True)
class SuspicionParams:
    """What `editflow.suspicion` asks for; `show` is None where nothing shall be published."""

    text_document: VersionedDocument
    range: Range | None = None
    show: bool | None = None


@dataclass(frozen=True, slots=True)
class OutcomeParams:
    """What became of a previewed proposal."""

    job_id: str
    accepted: tuple[str, ...]
    rejected: tuple[str, ...]
    shown_ms: float | None = None


def _check_id(job_id: str) -> None:
    if not 0 < len(job_id) <= MAX_ID:
        raise ValueError(f"jobId has not 1 to {MAX_ID} characters")

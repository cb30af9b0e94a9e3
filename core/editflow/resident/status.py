"""What is known of the resident engine: whether it is there, on which device, and how much waits for it."""

from dataclasses import dataclass
from enum import StrEnum


class StatusKind(StrEnum):
    """The states that a surface shows."""

    inactive = "inactive"
    """Not loaded; the next job loads it."""
    loading = "loading"
    ready = "ready"
    busy = "busy"
    warning = "warning"
    """It works, or will with the next job, but not as asked for: the message says how."""
    error = "error"


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """One state of the engine."""

    kind: StatusKind
    model: str | None = None
    """Name and the beginning of its digest, such as "default@9a61e92a"; None while none is loaded."""
    device: str | None = None
    queue: int = 0
    """Jobs of all windows that run or wait."""
    message: str = ""
    """One readable line, or nothing."""

"""What a host says of itself to `editflow daemon`."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Report:
    """One host at one moment."""

    pid: int
    state: str
    """A StatusKind."""
    model: str | None
    device: str | None
    connections: int
    """Without the one that asks."""
    jobs: int
    uptime: float
    """Seconds."""
    memory: int
    """Bytes that this process has in use; where the system does not say, the most that it had."""

    def __str__(self) -> str:
        model = f"{self.model} on {self.device}" if self.model else "no model loaded"
        memory = f"{self.memory / 2**20:.0f} MiB"
        return (
            f"{model}  {self.state}  pid {self.pid}  connections {self.connections}  jobs {self.jobs}  "
            f"up {self.uptime:.0f} s  memory {memory}"
        )


def memory_in_use() -> int:
    """Bytes of this process, as `Report.memory` describes them."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource  # not on Windows

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024

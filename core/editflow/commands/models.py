"""`editflow models`: the checkpoints that ship with the package, and given ones, each checked."""

import json as json_format
import sys
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Self

import typer

DAMAGED = 2  # exit code


@dataclass(frozen=True, slots=True)
class CheckpointReport:
    """What a checkpoint is, or why it cannot be used; the fields of a damaged one are None."""

    name: str
    folder: str
    parameters: int | None = None
    size: int | None = None
    """Bytes of all members together."""
    sha256: str | None = None
    """Of the weights."""
    error: str | None = None

    @classmethod
    def of(cls, name: str) -> Self:
        """Open the checkpoint with this name or path and check every file of it."""
        from editflow.checkpoint import Checkpoint, CheckpointError, locate

        folder = locate(name)
        try:
            checkpoint = Checkpoint.open(name)
            parameters = count_parameters(folder)
        except CheckpointError as error:
            return cls(name, str(folder), error=str(error))
        size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
        return cls(checkpoint.name, str(folder), parameters, size, checkpoint.fingerprint)

    def __str__(self) -> str:
        from editflow.patch import visible

        if self.error is not None:
            return visible(f"{self.name}  damaged: {self.error}").replace("\n", " ")
        numbers = f"{self.parameters or 0:,} parameters  {(self.size or 0) / 1e6:.1f} MB"
        return visible(f"{self.name}  {numbers}  sha256 {self.sha256}  ok").replace("\n", " ")


def count_parameters(folder: Path) -> int:
    """Weights in the file, by its header; CheckpointError if it cannot be read."""
    from safetensors import SafetensorError, safe_open

    from editflow.checkpoint import SCALE, WEIGHTS, CheckpointError

    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as weights:
            names = [name for name in weights.keys() if not name.endswith(SCALE)]  # noqa: SIM118
            return sum(prod(weights.get_slice(name).get_shape()) for name in names)
    except SafetensorError as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{folder / WEIGHTS} does not hold weights: {reason}") from error


def models(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="Checkpoints to list besides.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a checkpoint.")] = False,
) -> None:
    """List checkpoints and check their files; exit with 2 if one is damaged."""
    from editflow.checkpoint import shipped

    reports = [CheckpointReport.of(name) for name in (*shipped(), *(paths or ()))]
    for report in reports:
        print(json_format.dumps(asdict(report)) if json else report)
    if not reports:
        print("no checkpoint is shipped with this installation: name a folder", file=sys.stderr)
    raise typer.Exit(DAMAGED if any(report.error for report in reports) else 0)

"""Where the lines of a training log go: JSON lines always, TensorBoard and Weights & Biases when asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from editflow.errors import EditFlowError

Log = Callable[[dict[str, float]], None]
LOG = "log.jsonl"


def read_log(path: Path) -> list[dict[str, float]]:
    """The lines of a JSON-lines file, none where it does not exist."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@contextmanager
def json_lines(path: Path, last: int) -> Iterator[Log]:
    """Append to a file of JSON lines, without the lines after step `last` that an interrupted run had left."""
    kept = [line for line in read_log(path) if line["step"] <= last]
    path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:
        yield lambda line: print(json.dumps(line), file=file, flush=True)


@contextmanager
def tensorboard(folder: Path) -> Iterator[Log]:
    """Scalars for TensorBoard; EditFlowError where it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise EditFlowError("--tensorboard needs a package: pip install tensorboard") from error
    with SummaryWriter(str(folder)) as writer:

        def log(line: dict[str, float]) -> None:
            for name, value in line.items():
                if name != "step":
                    writer.add_scalar(name, value, int(line["step"]))

        yield log


@contextmanager
def wandb(project: str, folder: Path) -> Iterator[Log]:
    """A run of Weights & Biases; EditFlowError where it is not installed."""
    try:
        import wandb
    except ImportError as error:
        raise EditFlowError("--wandb needs a package: pip install wandb") from error
    run = wandb.init(project=project, dir=str(folder))
    try:
        yield lambda line: run.log(line, step=int(line["step"]))
    finally:
        run.finish()


@contextmanager
def sinks(folder: Path, last: int, *, board: bool = False, project: str | None = None) -> Iterator[Log]:
    """All that are asked for, as one; see `json_lines` for `last`."""
    with ExitStack() as stack:
        logs = [stack.enter_context(json_lines(folder / LOG, last))]
        if board:
            logs.append(stack.enter_context(tensorboard(folder / "tensorboard")))
        if project is not None:
            logs.append(stack.enter_context(wandb(project, folder)))

        def log(line: dict[str, float]) -> None:
            for each in logs:
                each(line)

        yield log

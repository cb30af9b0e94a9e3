"""`editflow doctor`: what is installed, what it can compute on, and whether the model fixes a line."""

import ast
import json as json_format
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from time import perf_counter
from typing import Annotated

import typer

from editflow import __version__
from editflow.commands.models import CheckpointReport

BROKEN = "def double(value)\n    return 2 * value\n"
FAILED = 1  # exit code


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What the model made of BROKEN."""

    passed: bool
    message: str
    elapsed_ms: float | None = None
    """Without loading the model; None if it did not come to that."""


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything that `doctor` finds out."""

    versions: dict[str, str]
    devices: dict[str, str | int | bool | None]
    model: CheckpointReport
    self_test: SelfTest


def doctor(
    model: Annotated[str, typer.Option(metavar="NAME|PATH", help="Checkpoint to test.")] = "default",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="Where to compute.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show versions, devices and the model, and test it; exit with 1 if it fixes nothing."""
    found = Examination(_versions(), _devices(), CheckpointReport.of(model), _self_test(model, device))
    print(json_format.dumps(asdict(found)) if json else _page(found))
    raise typer.Exit(0 if found.self_test.passed else FAILED)


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("torch", "tokenizers", "safetensors")}
    return {
        "editflow": __version__,
        "python": platform.python_version(),
        **packages,
        "platform": platform.platform(),
    }


def _devices() -> dict[str, str | int | bool | None]:
    import torch

    from editflow.device import computes_bfloat16

    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {"cpu_threads": torch.get_num_threads(), "cpu_bfloat16": computes_bfloat16(), "cuda": cuda}


def _self_test(model: str, device: str) -> SelfTest:
    """Fix a function that lacks a colon; passed if what is proposed parses."""
    from editflow.document import Document
    from editflow.engine import Engine
    from editflow.errors import EditFlowError
    from editflow.render.flow import described
    from editflow.request import Request

    try:
        engine = Engine.load(model, device)
        start = perf_counter()
        proposal = engine.fix_last(Request(Document.from_text(BROKEN))).proposal
    except EditFlowError as error:
        return SelfTest(passed=False, message=str(error))
    elapsed = round((perf_counter() - start) * 1000, 1)
    edits = "; ".join(described(hunk, proposal.document) for hunk in proposal.hunks) or "nothing"
    return SelfTest(_parses(proposal.text), f"proposed {edits}", elapsed)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):  # Python 3.11 raises ValueError for a NUL character
        return False
    return True


def _page(found: Examination) -> str:
    """One line a fact."""
    from editflow.patch import visible

    facts = found.versions | {name: str(value) for name, value in found.devices.items()}
    facts |= {"model": str(found.model), "folder": found.model.folder}
    test = found.self_test
    took = "" if test.elapsed_ms is None else f" in {test.elapsed_ms} ms"
    facts["self-test"] = f"{'passed' if test.passed else 'failed'}: {test.message}{took}"
    return "\n".join(f"{name:14}{visible(value)}" for name, value in facts.items())

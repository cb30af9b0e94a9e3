"""What a training would use, found without training: the history is mined and split, and nothing is kept but that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from editflow.adapters.store import AdapterStore
from editflow.checkpoint import Checkpoint
from editflow.device import choose_device
from editflow_trainer.mining.edits import MinedEdit
from editflow_trainer.personal.feedback import feedback_for
from editflow_trainer.personal.fit import chosen_method
from editflow_trainer.personal.listener import Listener
from editflow_trainer.personal.material import gather, mine
from editflow_trainer.personal.options import Method, Options, Target
from editflow_trainer.personal.result import Material, material_of
from editflow_trainer.personal.split import Split
from editflow_trainer.personal.workspace import claimed


@dataclass(frozen=True, slots=True)
class Plan:
    """A training that did not happen."""

    target: Target
    material: Material
    dates: Mapping[str, str]
    """Of the commits in each part of the split."""
    model: str
    method: Method
    device: str
    seconds: float
    """The budget."""
    place: Path
    """Folder that the adapter would be written to, or below."""


def make_plan(target: Target, options: Options, listener: Listener, output: Path | None = None) -> Plan:
    """Mine and split as a training would.

    Raises:
        EditFlowError: as a training would.
    """
    base, device = Checkpoint.open(options.model), choose_device(options.device).type
    with claimed(target.root) as space:
        listener.stage("mining the history")
        entry, split = mine(target, space.mined, options.mining(), listener.say)
        listener.stage("reading the code")
        feedback = feedback_for(target, options, split)
        gathered = gather(target, entry, split, feedback, base.tokenizer(), options.seed)
    return Plan(
        target,
        material_of(gathered),
        dates_of(split),
        base.name,
        chosen_method(options.method, base.backbone_config()),
        device,
        options.seconds(device),
        output or AdapterStore().folder / target.root,
    )


def dates_of(split: Split) -> dict[str, str]:
    """The days of the oldest and newest commit of each part."""
    return {
        "train": _days(split.train),
        "tuning": _days(split.tuning),
        "held_out": _days(split.held_out),
    }


def _days(edits: Sequence[MinedEdit]) -> str:
    dates = [edit.date for edit in edits]
    first, last = (f"{datetime.fromtimestamp(date, UTC):%Y-%m-%d}" for date in (min(dates), max(dates)))
    return first if first == last else f"{first} to {last}"

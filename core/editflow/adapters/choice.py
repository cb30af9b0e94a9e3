"""Which adapter a surface uses for a file: what the person asked for, or the repository's own where it fits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from editflow.adapters.adapter import Adapter
from editflow.adapters.store import AdapterStore
from editflow.checkpoint import Checkpoint
from editflow.errors import EditFlowError

AUTO, NONE = "auto", "none"


@dataclass(frozen=True, slots=True)
class Chosen:
    """An adapter, or none."""

    adapter: Adapter | None = None
    problem: str = ""
    """Why the repository's adapter is not used, one line that the surface says."""


def choose(choice: str, path: Path | None, base: Checkpoint, store: AdapterStore | None = None) -> Chosen:
    """The adapter for a file over a base: `auto`, `none`, an adapter's name, or its folder (`./folder`).

    `auto` is the one in use for the file's repository; without a path, for that of the current folder. It never
    raises: what is wrong with that adapter is the problem.

    Raises:
        EditFlowError: the named adapter is not there, cannot be used, or is of another base.
    """
    if choice == NONE:
        return Chosen()
    store = store or AdapterStore()
    if choice == AUTO:
        return _automatic(store, path or Path(), base)
    is_name = Path(choice).name == choice
    adapter = store.named(choice) if is_name else Adapter.read(Path(choice).expanduser())
    adapter.check_base(base)
    return Chosen(adapter)


def _automatic(store: AdapterStore, path: Path, base: Checkpoint) -> Chosen:
    try:
        adapter = store.find(path)
        if adapter is not None:
            adapter.check_base(base)
    except EditFlowError as error:
        return Chosen(problem=f"{error} ({base.name} is used without it)")
    return Chosen(adapter)

"""Which adapter a document is fixed with: looked up anew for every fix, so that a newly trained one is used at once.

That happens in threads, where neither the disk nor git holds up a message. Where nothing was ever trained there is
no thread either.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from editflow.errors import EditFlowError

if TYPE_CHECKING:
    from editflow.adapters.choice import Chosen
    from editflow.adapters.store import AdapterStore

PATIENCE = 0.5
"""Seconds that a fix waits for git, which is asked once a checkout; then it goes on without an adapter."""
SLOW = "git takes long to say which repository this is: fixed without its adapter this time"


class Adapters:
    """Looks up adapters for one connection; its methods run on one loop."""

    def __init__(
        self,
        model: Callable[[], str],
        changed: Callable[[str | None], None],
        complain: Callable[[list[str]], None],
    ) -> None:
        """`model`: the name of the base; `changed` is told another adapter's name, `complain` why there is none."""
        self._model, self._changed, self._complain = model, changed, complain
        self._name: str | None = None
        self._looking: dict[Path, Future[Chosen]] = {}

    async def of(self, path: Path | None) -> Path | None:
        """The folder of the adapter for a file; None where the base alone is to be used."""
        if path is None or not self._store.folder.is_dir():
            return self._tell(None)
        looking = self._look(path)
        await asyncio.wait([looking], timeout=PATIENCE)
        if not looking.done():
            self._complain([SLOW])
            return self._tell(None)
        return self._tell(looking.result())

    def _look(self, path: Path) -> Future[Chosen]:
        """The look-up for a file's folder, begun unless it is under way."""
        folder = path.parent
        if folder not in self._looking:
            loop = asyncio.get_running_loop()
            self._looking[folder] = loop.run_in_executor(None, self._chosen, path, self._model())
            self._looking[folder].add_done_callback(lambda _: self._looking.pop(folder))
        return self._looking[folder]

    def _chosen(self, path: Path, model: str) -> Chosen:
        """In a thread."""
        from editflow.adapters.choice import AUTO, Chosen, choose
        from editflow.checkpoint import Checkpoint

        try:
            base = Checkpoint.read(model)
        except EditFlowError:
            return Chosen()  # the engine says what is wrong with it
        return choose(AUTO, path, base, self._store)

    def _tell(self, chosen: Chosen | None) -> Path | None:
        adapter = None if chosen is None else chosen.adapter
        name = None if adapter is None else adapter.name
        if name != self._name:
            self._name = name
            self._changed(name)
        if chosen is not None and chosen.problem:
            self._complain([chosen.problem])
        return None if adapter is None else adapter.folder

    @cached_property
    def _store(self) -> AdapterStore:
        from editflow.adapters.store import AdapterStore

        return AdapterStore()

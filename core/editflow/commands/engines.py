"""The engines of one `editflow fix`: the model, and what each adapter makes of it, once for all its files."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from editflow.adapters.adapter import Adapter, AdapterError
from editflow.adapters.choice import AUTO, choose
from editflow.checkpoint import Checkpoint
from editflow.commands.fix_options import Mode, Options
from editflow.commands.read_files import say
from editflow.document import Document
from editflow.render.progress import Waiting

if TYPE_CHECKING:
    from editflow.engine import Engine

_FILTERS = (Mode.JSON, Mode.TEXT)
"""Modes in which a program may read standard error as well, and keep what it reads."""


class Engines:
    """Loads the model, and adapts it to the repository of a file or as the options say."""

    def __init__(self, options: Options, waiting: Waiting) -> None:
        """EditFlowError where the model, or the adapter that the options name, cannot be used."""
        self._options, self._checkpoint = options, Checkpoint.read(options.model)
        self._adapted: dict[Path, Engine] = {}
        self._said: set[str] = set()
        asked = options.adapter != AUTO
        named = choose(options.adapter, None, self._checkpoint).adapter if asked else None
        with waiting.on("loading the model"):
            self._base = _load(options)
            self._given = self._base.adapted(named) if named else self._base if asked else None

    def of(self, document: Document) -> "Engine":
        """The one for a document; what it is, and what is wrong with the repository's adapter, is said once."""
        if self._given is not None:
            return self._given
        chosen = choose(AUTO, document.path, self._checkpoint)
        if chosen.problem:
            self._say_once(chosen.problem)
        return self._base if chosen.adapter is None else self._with(chosen.adapter)

    def _with(self, adapter: Adapter) -> "Engine":
        if adapter.folder not in self._adapted:
            self._adapted[adapter.folder] = self._adapt(adapter)
        return self._adapted[adapter.folder]

    def _adapt(self, adapter: Adapter) -> "Engine":
        try:
            engine = self._base.adapted(adapter)
        except AdapterError as error:
            self._say_once(f"{error} ({self._base.name} is used without it)")
            return self._base
        if sys.stderr.isatty() or self._options.mode not in _FILTERS:
            say(f"using {adapter.name}, trained on this repository (--adapter none: without it)")
        return engine

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            say(text)
            self._said.add(text)


def _load(options: Options) -> "Engine":
    from editflow.engine import Engine

    return Engine.load(options.model, options.device)

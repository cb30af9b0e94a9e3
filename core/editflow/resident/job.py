"""What the engine is asked to do, as an iterator of messages, one a pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from editflow.document import Document
from editflow.request import Request
from editflow.resident.payloads import step_to_json
from editflow.resident.wire import Message
from editflow.step import Step

if TYPE_CHECKING:
    from editflow.adapters.adapter import Adapter


class Model(Protocol):
    """The part of `editflow.engine.Engine` that jobs need."""

    batch_tokens: int

    @property
    def name(self) -> str: ...

    @property
    def device(self) -> object: ...

    def fix(self, request: Request) -> Iterator[Step]: ...

    def suspicion(
        self, document: Document, lines: tuple[int, int] | None = None
    ) -> list[tuple[int, int, float]]: ...

    def adapted(self, adapter: Adapter) -> Model: ...


Load = Callable[[str], Model]
"""Loads the model onto a device: `auto`, `cpu` or `cuda`."""
Choose = Callable[[Path | None], Model]
"""The model for the folder of an adapter, or without one."""
Work = Callable[[Model], Iterator[Message]]
"""A job's passes, from the first one on; a message that is `done` is the last one."""


class Job:
    """Work of one connection, made of passes; it may be started anew."""

    def __init__(
        self, number: int | None, work: Work, send: Callable[[Message], None], adapter: Path | None = None
    ) -> None:
        """`number`: the client's name for it, in every message to `send`; None sends nothing."""
        self.number, self._work, self._send, self._adapter = number, work, send, adapter
        self.cancelled = self._over = False
        self._passes: Iterator[Message] | None = None

    def advance(self, choose: Choose) -> bool:
        """Make one pass and send what it found; whether there may be another.

        The model is chosen for the first pass, and kept.
        """
        if self._passes is None:
            self._passes = self._work(choose(self._adapter))
        message = next(self._passes, None)
        if message is None:
            self.end()
            return False
        if message["done"]:
            self.restart()
        self._reply(message)
        return not message["done"]

    def restart(self) -> None:
        """Let go of the model and what was done with it; another pass would be the first one again."""
        self._passes = None

    def end(self, error: str | None = None) -> None:
        """Say, once, that it is over without a message that is `done`: cancelled, empty, or failed."""
        self.restart()
        if not self._over:
            self._over = True
            self._reply({"type": "end", "error": error})

    def _reply(self, message: Message) -> None:
        if self.number is not None:
            self._send(message | {"job": self.number})


def fix(request: Request) -> Work:
    """A step a pass, each with the name of the model."""
    return lambda model: (
        {"type": "step", "model": model.name, **step_to_json(step)} for step in model.fix(request)
    )


def suspicion(document: Document, lines: tuple[int, int] | None) -> Work:
    """All in one pass."""

    def passes(model: Model) -> Iterator[Message]:
        yield {"type": "spans", "spans": model.suspicion(document, lines), "done": True}

    return passes


def warm(_model: Model) -> Iterator[Message]:
    """Nothing beyond having the model loaded."""
    return iter(())

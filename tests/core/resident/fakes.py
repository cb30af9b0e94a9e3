"""Models that need no weights, and hosts for them in this process or in others."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from editflow.adapters.adapter import Adapter
from editflow.document import Document
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.resident.host import Host
from editflow.resident.job import Load
from editflow.resident.link import Link
from editflow.resident.place import EngineChoice, listen, place_of
from editflow.resident.wire import Message, pack
from editflow.step import Step
from tests.trained import write

PASSES = 3


class FakeModel:
    """Knows one misspelling; a request's `steps` are its passes, and texts that say so make it fail."""

    def __init__(
        self,
        device: str = "cpu",
        pause: float = 0.0,
        batch_tokens: int = 16_384,
        name: str = "fake@01234567",
        right: str = "value",
    ) -> None:
        """`pause`: seconds a pass; `right`: the spelling that it knows."""
        self.device, self.pause, self.batch_tokens = device, pause, batch_tokens
        self.name, self.right = name, right
        self.passes: list[str] = []
        """The text of each pass."""

    def fix(self, request: Request) -> Iterator[Step]:
        total, text = request.steps or PASSES, request.document.text
        proposal = Proposal.from_texts(request.document, text.replace("valeu", self.right), 0.9)
        for index in range(1, total + 1):
            time.sleep(self.pause)
            self.passes.append(text)
            if "unfixable" in text:
                raise ValueError(f"cannot fix {text}")
            yield Step(index, total, proposal, done=False)
        yield Step(total, total, proposal, done=True, alternatives=(proposal,))

    def suspicion(
        self, document: Document, lines: tuple[int, int] | None = None
    ) -> list[tuple[int, int, float]]:
        at = document.text.find("valeu")
        return [(at, at + 5, 0.87)] if at >= 0 else []

    def adapted(self, adapter: Adapter) -> "FakeModel":
        """Knows the spelling that the adapter's facts hold; a damaged adapter is refused."""
        adapter.verify()
        model = FakeModel(self.device, self.pause, 1, f"{self.name}+{adapter.name}", adapter.facts["right"])
        model.passes = self.passes
        return model


def write_fake_adapter(folder: Path, right: str) -> Adapter:
    """An adapter for the fake model."""
    return write(folder, "a" * 40, facts={"right": right})


def request(text: str = "print(valeu)\n", **options: Any) -> Request:
    return Request(Document.from_text(text, Path("a.py")), **options)


@asynccontextmanager
async def hosting(load: Load, choice: EngineChoice | None = None, **options: float) -> AsyncIterator[Host]:
    """A host in this process at the place of its choice, as long as it is not idle for too long."""
    host = Host(load, "auto", **options)
    serving = asyncio.create_task(host.serve(listen(place_of(choice or EngineChoice()).socket)))
    try:
        await asyncio.sleep(0)
        yield host
    finally:
        host.stop()
        await serving


@asynccontextmanager
async def linked(choice: EngineChoice | None = None) -> AsyncIterator[Link]:
    """A bare connection to the host at the place of a choice."""
    link = await Link.dial(place_of(choice or EngineChoice()).socket)
    assert link is not None
    try:
        yield link
    finally:
        await link.close()


async def receive(link: Link, kind: str) -> Message:
    """The next message of this type, others left out."""
    while (message := await link.read()) is not None:
        if message["type"] == kind:
            return message
    raise AssertionError(f"the host hung up before any {kind}")


def ask(link: Link, kind: str, **values: object) -> None:
    link.send(pack({"type": kind, **values}))

"""A shell in memory to run `editflow` in, and an engine that knows one misspelling."""

import io
import sys
from collections.abc import Iterator
from copy import copy
from pathlib import Path

import pytest

from editflow import cli
from editflow.adapters.adapter import Adapter
from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.step import Step


class Engine:
    """Fixes `valeu` and a missing colon in one pass; fails over texts that say so."""

    device = "cpu"

    def __init__(self) -> None:
        self.name = "fake@01234567"
        self.requests: list[Request] = []
        self.adapters: list[Adapter] = []

    def adapted(self, adapter: Adapter) -> "Engine":
        adapter.verify()
        self.adapters.append(adapter)
        engine = copy(self)
        engine.name = f"{self.name}+{adapter.name}"
        return engine

    def fix(self, request: Request) -> Iterator[Step]:
        self.requests.append(request)
        document = request.document
        if "unfixable" in document.text:
            raise EditFlowError(f"{document.path}: cannot be fixed; leave it")
        new = document.text.replace("valeu", "value").replace(")\n    ", "):\n    ")
        proposal = Proposal.from_texts(document, new, 0.9)
        yield Step(1, 24, proposal, done=False)
        yield Step(1, 24, proposal, done=True, alternatives=(proposal, Proposal(document, ())))

    def fix_last(self, request: Request) -> Step:
        *_, last = self.fix(request)
        return last

    def suspicion(
        self, document: Document, lines: tuple[int, int] | None = None
    ) -> list[tuple[int, int, float]]:
        at = document.text.find("valeu")
        return [(at, at + 5, 0.87)] if at >= 0 else []


class Stream(io.TextIOWrapper):
    """A standard stream in memory, a terminal or not."""

    def __init__(self, terminal: bool, data: bytes = b"") -> None:
        self.bytes, self.terminal = io.BytesIO(data), terminal
        super().__init__(self.bytes, encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return self.terminal

    @property
    def text(self) -> str:
        return self.bytes.getvalue().decode()


class Shell:
    """Runs `editflow` in this process and keeps what it printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.data = b""
        self.out = self.err = ""

    def __call__(
        self,
        *args: str | Path,
        stdin: bytes = b"",
        typed: bool = False,
        out: bool = False,
        err: bool = False,
    ) -> object:
        """The exit code; `typed`, `out` and `err` say which streams are terminals."""
        streams = Stream(out), Stream(err)
        self.monkeypatch.setattr(sys, "stdout", streams[0])
        self.monkeypatch.setattr(sys, "stderr", streams[1])
        self.monkeypatch.setattr(sys, "stdin", Stream(typed, stdin))
        with pytest.raises(SystemExit) as caught:
            cli.main([str(arg) for arg in args])
        self.data = streams[0].bytes.getvalue()
        self.out, self.err = (stream.bytes.getvalue().decode("utf-8", "replace") for stream in streams)
        return caught.value.code

"""Reviews to test with: a small file with slips, a fixer that follows a script, and the app around both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from textual.pilot import Pilot

from editflow.commands.fix_options import Mode, Options
from editflow.document import Document
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.step import Step
from editflow_tui.app import Reviewer
from editflow_tui.keymap import Keymap, resolve
from editflow_tui.personal import Personal
from editflow_tui.review import Review, open_review
from editflow_tui.runner import RunnerEvent, Stepped

FILLER = "".join(f"line_{number} = {number}\n" for number in range(20))
OLD = f"one = valeu\n{FILLER}two = valeu\n{FILLER}three = valeu\n"
NEW = OLD.replace("valeu", "value")

OPTIONS = Options(Mode.DIFF, device="cpu")


@dataclass
class ScriptedFixer:
    """Remembers what it was asked for; tells what a test wants it to."""

    post: Callable[[RunnerEvent], None]
    requests: list[tuple[int, Request]] = field(default_factory=list)
    suspected: list[int] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    is_closed: bool = False

    def fix(self, key: int, request: Request) -> None:
        self.requests.append((key, request))

    def suspect(self, key: int, document: Document) -> None:
        self.suspected.append(key)

    def cancel(self, key: int) -> None:
        self.cancelled.append(key)

    async def close(self) -> None:
        self.is_closed = True


class Desk:
    """A reviewer of files on the disk, with its fixer."""

    def __init__(
        self,
        *paths: Path,
        fixes: bool = False,
        keymap: Keymap | None = None,
        still: bool = False,
        records: bool = False,
    ) -> None:
        """Without `fixes` every "valeu" is proposed to become "value" from the start."""
        self.fixers: list[ScriptedFixer] = []
        keys = keymap or resolve({})
        self.app = Reviewer(
            open_review([(path.name, _proposal(path, fixes)) for path in paths], is_still=still),
            OPTIONS,
            Personal(keys, records, keys.problems),
            self._make,
            fixes=fixes,
        )
        self.app.animation_level = "none"

    @property
    def review(self) -> Review:
        return self.app.review

    @property
    def fixer(self) -> ScriptedFixer:
        return self.fixers[-1]

    def step(self, *texts: str, key: int = 0) -> None:
        """The engine proposes one text after the other; the last one is done."""
        document = self.fixer.requests[-1][1].document
        for index, text in enumerate(texts, 1):
            self.fixer.post(Stepped(key, step(document, text, index, done=index == len(texts))))

    def _make(self, post: Callable[[RunnerEvent], None]) -> ScriptedFixer:
        self.fixers.append(ScriptedFixer(post))
        return self.fixers[-1]


@asynccontextmanager
async def running(desk: Desk, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[int]]:
    async with desk.app.run_test(size=size) as pilot:
        await pilot.pause()
        yield pilot


def step(document: Document, text: str, index: int = 1, *, done: bool = False) -> Step:
    """One pass whose proposal makes this text."""
    return Step(index, 8, Proposal.from_texts(document, text, 0.9), done)


def slips(folder: Path, name: str = "slips.py") -> Path:
    """A file with three slips far apart."""
    path = folder / name
    path.write_text(OLD, "utf-8")
    return path


def _proposal(path: Path, fixes: bool) -> Proposal:
    document = Document.read(path)
    return Proposal(document, ()) if fixes else Proposal.from_texts(document, NEW, 0.9)

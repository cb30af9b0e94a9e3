"""The runner on a fake engine, on a fake host and on the real model: events, the newest fix, failures, the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from editflow.adapters.choice import Chosen
from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.resident import client
from editflow.resident.client import EngineChoice, EngineStatus, StatusKind
from editflow.step import Step
from editflow_tui.runner import Ended, EngineChanged, Noted, Runner, RunnerEvent, Stepped, Suspected
from tests import trained

pytestmark = pytest.mark.asyncio

BUGGY = Path(__file__).parents[2] / "examples" / "buggy.py"


class FakeJob:
    """Makes a step whenever it may."""

    model = "default@12345678"

    def __init__(self, request: Request, adapter: Path | None, may_step: asyncio.Semaphore) -> None:
        self.request, self.adapter, self._may_step = request, adapter, may_step
        self.cancelled = False

    async def __aiter__(self) -> AsyncIterator[Step]:
        text = self.request.document.text
        for index in (1, 2, 3):
            await self._may_step.acquire()
            if "unfixable" in text:
                raise EditFlowError("it cannot be fixed")
            yield Step(index, 3, Proposal.from_texts(self.request.document, text.upper()), index == 3)

    def cancel(self) -> None:
        self.cancelled = True


class FakeEngine:
    """In place of `ResidentEngine`."""

    latest: FakeEngine

    def __init__(
        self, choice: EngineChoice, *, daemon: bool, log: Path, on_status: Callable[[EngineStatus], None]
    ) -> None:
        self.daemon, self.log, self.on_status = daemon, log, on_status
        self.jobs: list[FakeJob] = []
        self.may_step = asyncio.Semaphore(0)
        self.looked_with: list[Path | None] = []
        self.closed = False
        FakeEngine.latest = self

    def start(self, request: Request, adapter: Path | None = None) -> FakeJob:
        self.jobs.append(FakeJob(request, adapter, self.may_step))
        return self.jobs[-1]

    async def suspicion(
        self, document: Document, adapter: Path | None = None
    ) -> list[tuple[int, int, float]]:
        self.looked_with.append(adapter)
        await self.may_step.acquire()
        if "unfixable" in document.text:
            raise EditFlowError("it cannot be looked at")
        return [(0, 1, 0.5)]

    async def close(self) -> None:
        self.closed = True


class Screen:
    """Hears what a runner posts."""

    def __init__(self, **options: Any) -> None:
        self.events: list[RunnerEvent] = []
        self.runner = Runner(EngineChoice(), self.events.append, **options)

    async def until(self, happened: Callable[[RunnerEvent], bool]) -> None:
        async with asyncio.timeout(120):
            while not any(map(happened, self.events)):
                await asyncio.sleep(0.001)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ResidentEngine", FakeEngine)


@asynccontextmanager
async def showing(**options: Any) -> AsyncIterator[tuple[Screen, FakeEngine]]:
    screen = Screen(**options)
    try:
        yield screen, FakeEngine.latest
    finally:
        await screen.runner.close()


def asking(text: str = "a\n") -> Request:
    return Request(Document.from_text(text, Path("a.txt")))


async def settled() -> None:
    """All that can happen has happened."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.usefixtures("fake")
class TestFake:
    async def test_a_fix_is_told_step_by_step_and_ends(self) -> None:
        async with showing() as (screen, engine):
            screen.runner.fix(7, asking())
            await settled()
            assert screen.events == []
            engine.may_step.release()
            await settled()
            assert [event.step.index for event in screen.of(Stepped)] == [1]
            engine.may_step.release()
            engine.may_step.release()
            await screen.until(lambda event: event == Ended(7, None))
        assert [event.step.done for event in screen.of(Stepped)] == [False, False, True]
        assert {event.key for event in screen.of(Stepped)} == {7}

    async def test_the_newest_fix_of_a_key_is_the_only_one_heard_of(self) -> None:
        async with showing() as (screen, engine):
            screen.runner.fix(1, asking("never started"))
            screen.runner.fix(1, asking("old"))
            await settled()
            engine.may_step.release()
            await settled()
            screen.runner.fix(1, asking("new"))
            screen.runner.fix(2, asking("other"))
            for _ in range(9):
                engine.may_step.release()
            await screen.until(lambda event: event == Ended(1, None))
            await screen.until(lambda event: event == Ended(2, None))
        texts = [event.step.proposal.document.text for event in screen.of(Stepped) if event.key == 1]
        assert texts == ["old", "new", "new", "new"]
        jobs = {job.request.document.text: job.cancelled for job in engine.jobs}
        assert jobs == {"old": True, "new": True, "other": True}
        assert sorted(event.key for event in screen.of(Ended)) == [1, 2]

    async def test_nothing_more_is_heard_of_what_was_cancelled(self) -> None:
        async with showing() as (screen, engine):
            screen.runner.fix(1, asking())
            screen.runner.suspect(1, asking().document)
            await settled()
            screen.runner.cancel(1)
            screen.runner.cancel(2)
            for _ in range(9):
                engine.may_step.release()
            await settled()
            assert screen.events == []
            assert [job.cancelled for job in engine.jobs] == [True]

    async def test_failures_are_words(self) -> None:
        async with showing() as (screen, engine):
            screen.runner.fix(1, asking("unfixable"))
            screen.runner.suspect(2, asking("unfixable").document)
            screen.runner.suspect(3, asking().document)
            for _ in range(3):
                engine.may_step.release()
            await screen.until(lambda event: isinstance(event, Suspected) and event.key == 3)
            await settled()
        assert sorted(screen.events, key=lambda event: getattr(event, "key", 0)) == [
            Ended(1, "it cannot be fixed"),
            Suspected(2, (), "it cannot be looked at"),
            Suspected(3, ((0, 1, 0.5),)),
        ]

    async def test_statuses_are_passed_on(self) -> None:
        async with showing() as (screen, engine):
            engine.on_status(EngineStatus(StatusKind.ready, "default@12345678"))
            assert screen.events == [EngineChanged(EngineStatus(StatusKind.ready, "default@12345678"))]

    async def test_every_job_has_the_adapter_of_its_file_now(self, tmp_path: Path) -> None:
        adapter = trained.write(tmp_path, "a" * 40)
        none = Chosen(problem="of another base")
        answers = [Chosen(adapter), Chosen(adapter), none, none]
        asked: list[Path | None] = []

        def find(path: Path | None) -> Chosen:
            asked.append(path)
            return answers[len(asked) - 1]

        async with showing(find=find) as (screen, engine):
            for _ in range(9):
                engine.may_step.release()
            screen.runner.fix(1, asking())
            await screen.until(lambda event: event == Ended(1, None))
            screen.runner.suspect(1, asking().document)
            await screen.until(lambda event: isinstance(event, Suspected))
            screen.runner.fix(2, asking())
            await screen.until(lambda event: event == Ended(2, None))
            screen.runner.suspect(2, asking().document)
            await screen.until(lambda event: isinstance(event, Suspected) and event.key == 2)
        assert asked == [Path("a.txt")] * 4
        assert [job.adapter for job in engine.jobs] == [adapter.folder, None]
        assert engine.looked_with == [adapter.folder, None]
        assert screen.of(Noted) == [Noted("of another base")]
        assert {event.model for event in screen.of(Stepped)} == {"default@12345678"}

    async def test_an_adapter_that_went_away_fails_its_job(self) -> None:
        def find(_: Path | None) -> Chosen:
            raise EditFlowError("no adapter is called 'shop'")

        async with showing(find=find) as (screen, engine):
            screen.runner.fix(1, asking())
            screen.runner.suspect(1, asking().document)
            await screen.until(lambda event: isinstance(event, Ended))
            await screen.until(lambda event: isinstance(event, Suspected))
        assert screen.of(Ended) == [Ended(1, "no adapter is called 'shop'")]
        assert screen.of(Suspected)[0].error == "no adapter is called 'shop'"
        assert engine.jobs == []

    @pytest.mark.parametrize("daemon", [True, False])
    async def test_closing_ends_everything(self, daemon: bool) -> None:
        async with showing(daemon=daemon) as (screen, engine):
            screen.runner.fix(1, asking())
            screen.runner.suspect(1, asking().document)
            await settled()
        assert (engine.closed, engine.daemon, engine.jobs[0].cancelled) == (True, daemon, True)
        engine.may_step.release()
        await settled()
        assert screen.events == []


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of its own for sockets and logs, with a path short enough for one."""
    with TemporaryDirectory(prefix="ef", ignore_cleanup_errors=True) as name:
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        monkeypatch.setenv("XDG_STATE_HOME", name)
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
async def test_the_shipped_model_fixes_a_file_in_a_private_child() -> None:
    screen = Screen(daemon=False)
    document = Document.read(BUGGY)
    try:
        screen.runner.fix(1, Request(document))
        screen.runner.suspect(1, document)
        await screen.until(lambda event: isinstance(event, Ended))
        await screen.until(lambda event: isinstance(event, Suspected))
        await screen.until(lambda event: isinstance(event, EngineChanged) and event.status.kind == "ready")
    finally:
        await screen.runner.close()
    assert screen.of(Ended) == [Ended(1, None)]
    steps = [event.step for event in screen.of(Stepped)]
    assert steps[-1].done and len(steps[-1].proposal.hunks) == 2
    assert steps[-1].proposal.document is document
    assert max(rate for _, _, rate in screen.of(Suspected)[0].spans) > 0.5
    assert screen.events[0] == EngineChanged(EngineStatus(StatusKind.loading, message="starting the engine"))

"""The client against a host in this process: steps, cancellation, failures, statuses."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from editflow.diagnostic import Diagnostic
from editflow.document import Document
from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow.request import Request
from editflow.resident import client as client_module
from editflow.resident import wire
from editflow.resident.client import EngineChoice, EngineStatus, RemoteJob, ResidentEngine, StatusKind
from editflow.step import Step
from tests.core.resident.fakes import FakeModel, ask, hosting, linked, request

pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("runtime")]


BUGGY = Path(__file__).parents[3] / "examples" / "buggy.py"


class Surface:
    """A client and the statuses that it was told."""

    def __init__(self, **options: Any) -> None:
        self.told: list[EngineStatus] = []
        self.changed = asyncio.Event()
        self.engine = ResidentEngine(EngineChoice(), on_status=self._hear, **options)

    def _hear(self, status: EngineStatus) -> None:
        self.told.append(status)
        self.changed.set()

    async def until(self, kind: StatusKind) -> EngineStatus:
        """The next status of this kind, or the one of now."""
        async with asyncio.timeout(10):
            while not self.told or self.told[-1].kind is not kind:
                self.changed.clear()
                await self.changed.wait()
        return self.told[-1]

    async def __aenter__(self) -> "Surface":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.close()


async def steps_of(job: RemoteJob) -> list[Step]:
    async with asyncio.timeout(60):
        return [step async for step in job]


async def test_steps_arrive_on_the_request_s_own_document() -> None:
    async with hosting(lambda _: FakeModel(pause=0.01)), Surface() as surface:
        asked = request()
        steps = await steps_of(surface.engine.start(asked))
        indices = [step.index for step in steps]
        assert indices == sorted(indices)  # and any may be missing
        assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]
        assert steps[-1].proposal.document is asked.document
        assert steps[-1].proposal.text == "print(value)\n"
        assert steps[-1].alternatives == (steps[-1].proposal,)
        await surface.until(StatusKind.ready)
    kinds = [status.kind for status in surface.told]
    assert kinds[0] is StatusKind.loading
    assert kinds[-2:] == [StatusKind.busy, StatusKind.ready]


async def test_a_slow_reader_sees_the_latest_step() -> None:
    async with hosting(lambda _: FakeModel()), Surface() as surface:
        job = surface.engine.start(request(steps=50))
        await surface.until(StatusKind.ready)
        assert [step.done for step in await steps_of(job)] == [True]


async def test_jobs_of_one_client_run_in_order() -> None:
    model = FakeModel()
    async with hosting(lambda _: model), Surface() as surface:
        jobs = [surface.engine.start(request(text)) for text in ("one", "two", "three")]
        for job in reversed(jobs):
            assert (await steps_of(job))[-1].done
    assert model.passes == [text for text in ("one", "two", "three") for _ in range(3)]


async def test_a_cancelled_job_ends_without_being_done() -> None:
    model = FakeModel(pause=0.01)
    async with hosting(lambda _: model), Surface() as surface:
        job = surface.engine.start(request(steps=10_000))
        seen = []
        async for step in job:
            seen.append(step)
            if len(seen) == 2:
                job.cancel()
                job.cancel()
        assert [step.done for step in seen] == [False, False]
        assert len(model.passes) < 20
        job.cancel()
        assert (await steps_of(surface.engine.start(request())))[-1].done


async def test_a_job_cancelled_before_it_was_sent_never_is() -> None:
    model = FakeModel()
    async with hosting(lambda _: model), Surface() as surface:
        job = surface.engine.start(request("cancelled"))
        job.cancel()
        assert await steps_of(job) == []
        assert (await steps_of(surface.engine.start(request("kept"))))[-1].done
    assert set(model.passes) == {"kept"}


async def test_cancelling_what_is_done_changes_nothing() -> None:
    async with hosting(lambda _: FakeModel()), Surface() as surface:
        job = surface.engine.start(request())
        assert (await steps_of(job))[-1].done
        job.cancel()
        assert await surface.engine.suspicion(request().document) == [(6, 11, 0.87)]


async def test_a_failure_is_raised_as_one_line() -> None:
    async with hosting(lambda _: FakeModel()), Surface() as surface:
        with pytest.raises(EditFlowError, match=r"^internal error \(ValueError\)$"):
            await steps_of(surface.engine.start(request("unfixable")))
        assert (await steps_of(surface.engine.start(request())))[-1].done


async def test_too_large_a_request_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_MESSAGE", 2000)
    async with hosting(lambda _: FakeModel()), Surface() as surface:
        with pytest.raises(EditFlowError, match="fix fewer lines"):
            await steps_of(surface.engine.start(request("x" * 2000)))
        assert (await steps_of(surface.engine.start(request())))[-1].done


async def test_a_step_that_does_not_fit_is_an_error() -> None:
    class Confused(FakeModel):
        def fix(self, asked: Request) -> Iterator[Step]:
            return super().fix(request(asked.document.text * 2))

    async with hosting(lambda _: Confused()), Surface() as surface:
        with pytest.raises(EditFlowError, match="does not fit its document"):
            await steps_of(surface.engine.start(request("valeu\n")))


async def test_warming_loads_the_model() -> None:
    async with hosting(lambda _: FakeModel()), Surface() as surface:
        await surface.engine.warm()
        assert await surface.until(StatusKind.ready) == EngineStatus(StatusKind.ready, "fake@01234567", "cpu")


async def test_a_load_that_fails_is_a_status_and_an_error() -> None:
    def load(_device: str) -> FakeModel:
        raise EditFlowError("the checkpoint is damaged: get it again")

    async with hosting(load), Surface() as surface:
        await surface.engine.warm()
        assert (await surface.until(StatusKind.error)).message == "the checkpoint is damaged: get it again"
        with pytest.raises(EditFlowError, match="damaged"):
            await steps_of(surface.engine.start(request()))


async def test_suspicion_can_be_given_up() -> None:
    async with hosting(lambda _: FakeModel(pause=0.05)), Surface() as surface:
        job = surface.engine.start(request(steps=4))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await surface.engine.suspicion(request().document)
        assert (await steps_of(job))[-1].done


async def test_closing_ends_what_is_under_way() -> None:
    async with hosting(lambda _: FakeModel(pause=0.01)), Surface() as surface:
        job = surface.engine.start(request(steps=10_000))
        spans = asyncio.create_task(surface.engine.suspicion(request().document))
        await surface.until(StatusKind.busy)
        await surface.engine.close()
        assert all(not step.done for step in await steps_of(job))
        with pytest.raises(EditFlowError, match="closed"):
            await spans
        with pytest.raises(EditFlowError, match="closed"):
            await steps_of(surface.engine.start(request()))


async def test_a_host_that_is_stopped_is_no_crash() -> None:
    async with Surface() as surface:
        async with hosting(lambda _: FakeModel(pause=0.01)), linked() as other:
            job = surface.engine.start(request(steps=10_000))
            await surface.until(StatusKind.busy)
            ask(other, "stop")
            with pytest.raises(EditFlowError, match="started again for the next fix"):
                await steps_of(job)
        assert (await surface.until(StatusKind.inactive)).message == client_module.RESTARTS
        async with hosting(lambda _: FakeModel()):
            assert (await steps_of(surface.engine.start(request())))[-1].done


async def test_the_shipped_model_proposes_over_the_wire_what_it_does_here() -> None:
    engine = Engine.load(device="cpu")
    asked = Request(Document.read(BUGGY), reported=(Diagnostic(0, 3, "odd", "editor"),))
    async with hosting(lambda _: engine), Surface() as surface:
        steps = await steps_of(surface.engine.start(asked))
        spans = await surface.engine.suspicion(asked.document, (1, 9))
    assert steps[-1] == engine.fix_last(asked)
    assert len(steps[-1].proposal.hunks) == 2
    assert spans == engine.suspicion(asked.document, (1, 9))


@pytest.mark.parametrize("daemon", [True, False])
async def test_what_cannot_be_started_is_answered(
    daemon: bool, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_folder(_: str) -> Path:
        raise PermissionError("it is somebody else's")

    with monkeypatch.context() as patched:
        patched.setattr("editflow.resident.place.user_runtime_path", no_folder)
        for model in ("default", "a" * 300) if daemon else ("a" * 300,):
            engine = ResidentEngine(EngineChoice(model), daemon=daemon)
            with pytest.raises(EditFlowError):
                async with asyncio.timeout(10):
                    await steps_of(engine.start(request()))
            await engine.close()

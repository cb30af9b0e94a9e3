"""The engine's thread: turns, cancellation, failures, too little memory, and rest."""

import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
import torch

from editflow.errors import EditFlowError
from editflow.request import Request
from editflow.resident import job as jobs
from editflow.resident.job import Job, Load
from editflow.resident.runner import OUT_OF_MEMORY, Runner
from editflow.resident.status import EngineStatus, StatusKind
from editflow.resident.wire import Message
from editflow.step import Step
from tests.core.resident.fakes import FakeModel, request

PATIENCE = 10.0  # seconds


class Inbox:
    """One job and the messages that it sent."""

    def __init__(
        self,
        work: jobs.Work,
        on_message: Callable[[], object] = lambda: None,
        adapter: Path | None = None,
    ) -> None:
        self.messages: list[Message] = []
        self.over, self._on_message = Event(), on_message
        self.job = Job(1, work, self._receive, adapter)

    def _receive(self, message: Message) -> None:
        self.messages.append(message)
        self._on_message()
        if message["type"] == "end" or message["done"]:
            self.over.set()

    def last(self) -> Message:
        assert self.over.wait(PATIENCE)
        return self.messages[-1]


@contextmanager
def running(load: Load, unload_after: float = 60) -> Iterator[tuple[Runner, list[EngineStatus]]]:
    told: list[EngineStatus] = []
    runner = Runner(load, "auto", told.append, unload_after=unload_after)
    runner.start()
    try:
        yield runner, told
    finally:
        runner.stop()
        runner.join(PATIENCE)
        assert not runner.is_alive()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_fix_and_its_status() -> None:
    with running(lambda _: FakeModel()) as (runner, told):
        inbox = Inbox(jobs.fix(request()))
        runner.submit("a", inbox.job)
        assert inbox.last()["hunks"] == [(6, 11, "value", 0.9)]
        until(lambda: told[-1].queue == 0)
    assert [message["index"] for message in inbox.messages] == [1, 2, 3, 3]
    kinds = [status.kind for status in told]
    assert kinds == [StatusKind.inactive, StatusKind.loading, StatusKind.busy, StatusKind.ready]


def test_connections_take_turns_a_pass_each() -> None:
    model = FakeModel(pause=0.005)
    with running(lambda _: model) as (runner, _):
        texts = {"a": ["a1", "a2"], "b": ["b1"], "c": ["c1"]}
        blocker = Inbox(lambda _: iter([{"type": "spans", "done": True}] if gate.wait(PATIENCE) else []))
        gate = Event()
        runner.submit("z", blocker.job)
        inboxes = [(owner, Inbox(jobs.fix(request(text)))) for owner in texts for text in texts[owner]]
        for owner, inbox in inboxes:
            runner.submit(owner, inbox.job)
        gate.set()
        for _, inbox in inboxes:
            inbox.last()
    assert model.passes == ["a1", "b1", "c1"] * 3 + ["a2"] * 3


def test_a_waiting_job_is_cancelled_at_once() -> None:
    model = FakeModel(pause=0.05)
    with running(lambda _: model) as (runner, _):
        first, second = Inbox(jobs.fix(request("one"))), Inbox(jobs.fix(request("two")))
        runner.submit("a", first.job)
        runner.submit("a", second.job)
        until(lambda: bool(first.messages))
        runner.cancel("a", second.job)
        assert second.messages == [{"type": "end", "error": None, "job": 1}]
        assert not first.over.is_set()
        first.last()
    assert set(model.passes) == {"one"}


def test_a_job_is_cancelled_while_the_model_is_loaded() -> None:
    loading, go_on = Event(), Event()

    def load(_device: str) -> FakeModel:
        loading.set()
        go_on.wait(PATIENCE)
        raise EditFlowError("no checkpoint there")

    with running(load) as (runner, told):
        inbox = Inbox(jobs.fix(request()))
        runner.submit("a", inbox.job)
        loading.wait(PATIENCE)
        runner.cancel("a", inbox.job)
        assert inbox.messages == [{"type": "end", "error": None, "job": 1}]
        go_on.set()
        until(lambda: told[-1].kind is StatusKind.error)
    assert len(inbox.messages) == 1


def test_a_job_at_work_is_cancelled_after_its_pass() -> None:
    model = FakeModel(pause=0.05)
    with running(lambda _: model) as (runner, _):
        at_work, other = Inbox(jobs.fix(request("one", steps=500))), Inbox(jobs.fix(request("two")))
        runner.submit("a", at_work.job)
        runner.submit("b", other.job)
        until(lambda: len(model.passes) >= 4)
        asked, made = time.monotonic(), model.passes.count("one")
        runner.cancel("a", at_work.job)
        runner.cancel("a", at_work.job)
        assert at_work.last() == {"type": "end", "error": None, "job": 1}
        assert time.monotonic() - asked < 3 * model.pause
        other.last()
    assert model.passes.count("one") <= made + 1
    assert [message["type"] for message in at_work.messages].count("end") == 1


def test_a_cancelled_job_is_forgotten_after_its_end() -> None:
    with running(lambda _: FakeModel()) as (runner, told):
        inbox = Inbox(jobs.fix(request()))
        runner.submit("a", inbox.job)
        inbox.last()
        until(lambda: told[-1].queue == 0)
        runner.cancel("a", inbox.job)
        assert inbox.last()["done"]


@pytest.mark.parametrize("error", [EditFlowError("cannot be fixed; leave it"), KeyError("secret")])
def test_a_failure_ends_its_job_alone(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(FakeModel):
        def fix(self, request: Request) -> Iterator[Step]:
            if "bad" in request.document.text:
                raise error
            return super().fix(request)

    with running(lambda _: Failing()) as (runner, _):
        bad, good = Inbox(jobs.fix(request("bad"))), Inbox(jobs.fix(request()))
        runner.submit("a", bad.job)
        runner.submit("b", good.job)
        expected = str(error) if isinstance(error, EditFlowError) else "internal error (KeyError)"
        assert bad.last() == {"type": "end", "error": expected, "job": 1}
        assert good.last()["done"]
    assert type(error).__name__ in caplog.text
    assert str(error) not in caplog.text


def test_a_failed_load_is_tried_again_by_the_next_job() -> None:
    results: list[Exception | FakeModel] = [EditFlowError("no checkpoint there"), FakeModel()]

    def load(_device: str) -> FakeModel:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    with running(load) as (runner, told):
        first, second = Inbox(jobs.fix(request())), Inbox(jobs.fix(request()))
        runner.submit("a", first.job)
        assert first.last()["error"] == "no checkpoint there"
        assert told[-1] == EngineStatus(StatusKind.error, message="no checkpoint there")
        runner.submit("a", second.job)
        assert second.last()["done"]


class Hungry(FakeModel):
    """Runs out of memory on a GPU in batches of more than `fits` tokens; its tensors count their lives."""

    def __init__(self, device: str, fits: int) -> None:
        super().__init__(device)
        self.fits = fits

    def fix(self, request: Request) -> Iterator[Step]:
        for step in super().fix(request):
            if step.index > 1 and self.device == "cuda" and self.batch_tokens > self.fits:
                raise torch.OutOfMemoryError("CUDA out of memory")
            yield step


def hungry(fits: int) -> Load:
    return lambda device: Hungry("cuda" if device == "auto" else device, fits)


@pytest.mark.parametrize(
    ("fits", "kind", "device", "message"),
    [
        (4096, StatusKind.ready, "cuda", "short of memory: batches of at most 4096 tokens"),
        (1024, StatusKind.ready, "cuda", "short of memory: batches of at most 1024 tokens"),
        (0, StatusKind.warning, "cpu", "out of memory on cuda: runs on the CPU"),
    ],
)
def test_out_of_memory_restarts_every_job_on_the_next_rung(
    fits: int, kind: StatusKind, device: str, message: str
) -> None:
    with running(hungry(fits)) as (runner, told):
        inboxes = [Inbox(jobs.fix(request())) for _ in range(2)]
        for owner, inbox in enumerate(inboxes):
            runner.submit(owner, inbox.job)
        assert all(inbox.last()["hunks"] for inbox in inboxes)
        until(lambda: told[-1].queue == 0)
        assert told[-1] == EngineStatus(kind, "fake@01234567", device, 0, message)


def test_out_of_memory_on_the_cpu_is_an_error() -> None:
    class Insatiable(FakeModel):
        def fix(self, request: Request) -> Iterator[Step]:
            yield from super().fix(request)
            raise AssertionError

        def suspicion(self, *_: object) -> list[tuple[int, int, float]]:
            raise torch.OutOfMemoryError("out of memory")

    with running(lambda device: Insatiable("cuda" if device == "auto" else device)) as (runner, _):
        spans, fix = Inbox(jobs.suspicion(request().document, None)), Inbox(jobs.fix(request()))
        runner.submit("a", spans.job)
        assert spans.last() == {"type": "end", "error": OUT_OF_MEMORY, "job": 1}
        runner.submit("a", fix.job)
        assert fix.last()["done"]


def test_a_model_that_does_not_fit_is_loaded_on_the_cpu() -> None:
    def load(device: str) -> FakeModel:
        if device != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return FakeModel("cpu")

    with running(load) as (runner, told):
        inbox = Inbox(jobs.fix(request()))
        runner.submit("a", inbox.job)
        assert inbox.last()["done"]
        assert told[-1].device == "cpu"


def test_it_drops_the_model_when_there_is_nothing_to_do() -> None:
    loaded: list[weakref.ref[FakeModel]] = []

    def load(_device: str) -> FakeModel:
        model = FakeModel()
        loaded.append(weakref.ref(model))
        return model

    with running(load, unload_after=0.05) as (runner, told):
        for count in (1, 2):
            inbox = Inbox(jobs.fix(request()))
            runner.submit("a", inbox.job)
            inbox.last()
            until(lambda: told[-1].kind is StatusKind.inactive)
            assert (told[-1].model, told[-1].message) == (None, "unloaded after a long rest")
            assert [model() for model in loaded] == [None] * count


def test_warming_loads_and_is_not_counted() -> None:
    with running(lambda _: FakeModel()) as (runner, told):
        runner.submit("a", Job(None, jobs.warm, lambda _: None))
        until(lambda: told[-1].kind is StatusKind.ready)
    assert {status.queue for status in told} == {0}

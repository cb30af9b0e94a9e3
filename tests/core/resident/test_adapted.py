"""Adapters in a host: each job has its own, the base is loaded once, and what is wrong with one harms nobody else."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
import torch

from editflow.adapters.adapter import CONFIG, WEIGHTS, Adapter, AdapterError
from editflow.resident import job as jobs
from editflow.resident.adapted import MOST, AdaptedModels
from editflow.resident.keeper import Keeper
from tests.core.resident.fakes import FakeModel, request, write_fake_adapter
from tests.core.resident.test_runner import Inbox, running


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Adapters by the spelling that they know."""
    return {right: write_fake_adapter(tmp_path / right, right).folder for right in ("worth", "val")}


class Shelf:
    """Loads fake models, `auto` onto a GPU."""

    def __init__(self) -> None:
        self.loads = 0
        self.keeper = Keeper(self.load, "auto", lambda: None)

    def load(self, device: str) -> FakeModel:
        self.loads += 1
        return FakeModel("cuda" if device == "auto" else device)


def test_an_adapter_is_made_once_from_the_base(folders: dict[str, Path]) -> None:
    shelf = Shelf()
    keeper = shelf.keeper
    one = keeper.model(folders["worth"])
    assert one.name == f"fake@01234567+{Adapter.read(folders['worth']).name}"
    assert one.batch_tokens == keeper.model().batch_tokens
    other = keeper.model(folders["val"])
    assert other is not one and keeper.model(folders["worth"]) is one
    assert keeper.status.model == keeper.model().name == "fake@01234567"
    assert shelf.loads == 1


def test_one_that_was_trained_again_takes_the_place_of_the_old(folders: dict[str, Path]) -> None:
    keeper, folder = Shelf().keeper, folders["val"]
    before = keeper.model(folder)
    write_fake_adapter(folder, "valued")
    assert keeper.model(folder).name != before.name


def test_the_one_not_needed_for_the_longest_time_makes_room(tmp_path: Path) -> None:
    kept, base = AdaptedModels(), FakeModel()
    folders = [write_fake_adapter(tmp_path / str(i), "x" * i).folder for i in range(MOST + 1)]
    first, second = kept.of(base, folders[0]), kept.of(base, folders[1])
    for folder in (*folders[2:MOST], folders[0], folders[MOST]):
        kept.of(base, folder)
    assert kept.of(base, folders[0]) is first
    assert kept.of(base, folders[1]) is not second


def test_unloading_and_every_retreat_make_them_anew(folders: dict[str, Path]) -> None:
    shelf = Shelf()
    keeper, folder = shelf.keeper, folders["worth"]
    made = [keeper.model(folder)]
    while keeper.retreat():
        made.append(keeper.model(folder))
        assert (made[-1].batch_tokens, made[-1].device) == (
            keeper.model().batch_tokens,
            keeper.model().device,
        )
    keeper.unload()
    assert not keeper.loaded
    made.append(keeper.model(folder))
    assert len({id(model) for model in made}) == len(made) == 7
    assert shelf.loads == 3  # on the GPU, on the CPU, and after unloading


def test_jobs_in_flight_keep_what_they_began_with(tmp_path: Path, folders: dict[str, Path]) -> None:
    base, may_go, folder = FakeModel(), Event(), folders["worth"]
    with running(lambda _: base) as (runner, _):
        slow = Inbox(jobs.fix(request(steps=3)), may_go.wait, folder)
        runner.submit("a", slow.job)
        while not slow.messages:
            pass
        write_fake_adapter(folder, "wealth")
        may_go.set()
        fresh = Inbox(jobs.fix(request()), adapter=folder)
        runner.submit("b", fresh.job)
        assert slow.last()["hunks"][0][2] == "worth"
        assert fresh.last()["hunks"][0][2] == "wealth"
    assert len({message["model"] for message in slow.messages}) == 1


def test_a_suspicion_has_its_adapter_too(folders: dict[str, Path]) -> None:
    asked: list[str] = []

    class Watched(FakeModel):
        def adapted(self, adapter: Adapter) -> FakeModel:
            asked.append(adapter.name)
            return super().adapted(adapter)

    with running(lambda _: Watched()) as (runner, _):
        spans = Inbox(jobs.suspicion(request().document, None), adapter=folders["val"])
        runner.submit("a", spans.job)
        assert spans.last()["spans"]
    assert asked == [Adapter.read(folders["val"]).name]


@pytest.mark.parametrize("damaged", [CONFIG, WEIGHTS])
def test_a_bad_adapter_fails_its_job_alone(folders: dict[str, Path], damaged: str) -> None:
    (folders["val"] / damaged).write_bytes(b"{}")
    loads: list[str] = []

    def load(device: str) -> FakeModel:
        loads.append(device)
        return FakeModel()

    with running(load) as (runner, told):
        bad = Inbox(jobs.fix(request()), adapter=folders["val"])
        good = [Inbox(jobs.fix(request()), adapter=folder) for folder in (folders["worth"], None)]
        for owner, inbox in enumerate((bad, *good)):
            runner.submit(owner, inbox.job)
        assert str(folders["val"] / damaged) in bad.last()["error"]
        assert [inbox.last()["hunks"][0][2] for inbox in good] == ["worth", "value"]
        assert not [status for status in told if status.kind == "error"]
    assert len(loads) == 1


def test_one_that_does_not_fit_beside_the_base_makes_the_engine_retreat(folders: dict[str, Path]) -> None:
    class Full(FakeModel):
        def adapted(self, adapter: Adapter) -> FakeModel:
            if self.device == "cuda":
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().adapted(adapter)

    with running(lambda device: Full("cuda" if device == "auto" else device)) as (runner, told):
        inbox = Inbox(jobs.fix(request()), adapter=folders["worth"])
        runner.submit("a", inbox.job)
        assert inbox.last()["hunks"][0][2] == "worth"
        assert told[-1].device == "cpu"


def test_a_folder_without_an_adapter_is_said(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="is not an adapter"):
        AdaptedModels().of(FakeModel(), tmp_path)

"""Loading, dropping, and the ladder down which a model goes where memory runs out."""

import pytest
import torch

from editflow.errors import EditFlowError
from editflow.resident.keeper import Keeper, is_out_of_memory
from editflow.resident.status import EngineStatus, StatusKind
from tests.core.resident.fakes import FakeModel


class Shelf:
    """Loads fake models, `auto` onto a GPU; collects what their keeper says."""

    def __init__(self) -> None:
        self.devices: list[str] = []
        self.told: list[EngineStatus] = []
        self.error: Exception | None = None
        self.keeper = Keeper(self.load, "auto", lambda: self.told.append(self.keeper.status))

    def load(self, device: str) -> FakeModel:
        self.devices.append(device)
        if self.error is not None:
            raise self.error
        return FakeModel("cuda" if device == "auto" else device)


def test_it_loads_once_and_says_so() -> None:
    shelf = Shelf()
    assert shelf.keeper.model() is shelf.keeper.model()
    assert shelf.devices == ["auto"]
    assert [status.kind for status in shelf.told] == [StatusKind.loading, StatusKind.ready]
    assert shelf.told[-1] == EngineStatus(StatusKind.ready, "fake@01234567", "cuda")


@pytest.mark.parametrize(
    ("error", "message"),
    [(EditFlowError("no checkpoint"), "no checkpoint"), (OSError("secret"), "internal error (OSError)")],
)
def test_a_failed_load_is_told_raised_and_tried_again(error: Exception, message: str) -> None:
    shelf = Shelf()
    shelf.error = error
    with pytest.raises(type(error)):
        shelf.keeper.model()
    assert shelf.told[-1] == EngineStatus(StatusKind.error, message=message)
    shelf.error = None
    assert shelf.keeper.model().name == "fake@01234567"
    assert shelf.told[-1].kind is StatusKind.ready


def test_a_model_that_does_not_fit_goes_to_the_cpu() -> None:
    shelf = Shelf()
    assert shelf.keeper.retreat()
    assert shelf.keeper.model().device == "cpu"
    told = shelf.told[-1]
    assert (told.kind, told.message) == (StatusKind.warning, "out of memory on auto: runs on the CPU")


def test_the_ladder_is_walked_down_to_its_end() -> None:
    shelf = Shelf()
    seen = []
    shelf.keeper.model()
    while shelf.keeper.retreat():
        batch, status = shelf.keeper.model().batch_tokens, shelf.keeper.status
        seen.append((status.kind, status.device, batch, status.message))
    assert seen == [
        (StatusKind.ready, "cuda", 4096, "short of memory: batches of at most 4096 tokens"),
        (StatusKind.ready, "cuda", 1024, "short of memory: batches of at most 1024 tokens"),
        (StatusKind.warning, "cpu", 16_384, "out of memory on cuda: runs on the CPU"),
        (StatusKind.warning, "cpu", 4096, "short of memory: batches of at most 4096 tokens"),
        (StatusKind.warning, "cpu", 1024, "short of memory: batches of at most 1024 tokens"),
    ]


def test_unloading_forgets_the_ladder() -> None:
    shelf = Shelf()
    shelf.keeper.model()
    for _ in range(3):
        shelf.keeper.retreat()
    shelf.keeper.unload()
    assert (shelf.keeper.loaded, shelf.keeper.status.kind) == (False, StatusKind.inactive)
    assert (shelf.keeper.model().batch_tokens, shelf.keeper.status.device) == (16_384, "cuda")


def test_what_out_of_memory_is() -> None:
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(RuntimeError("CUDA out of memory"))

"""Fitting: what an adapter holds gives the trained network back, and an interrupt keeps the state."""

import os
import signal
from collections.abc import Iterator
from dataclasses import astuple, replace
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from hypothesis import given
from hypothesis import strategies as st

from editflow.adapters.apply import LORA_A, adapted
from editflow.backbone import Backbone
from editflow.checkpoint import Checkpoint
from editflow_trainer.adaptation.lora import merge_lora
from editflow_trainer.personal.fit import (
    SLIPS,
    Fitting,
    InterruptedTrainingError,
    adapter_tensors,
    base_tensors,
    chosen_method,
    data_config,
    fit,
    train_config,
)
from editflow_trainer.personal.options import Method
from editflow_trainer.training.machine import Machine
from editflow_trainer.training.network import make_network
from editflow_trainer.training.state import read_state
from editflow_trainer.training.trainer import Trainer
from tests.core.wild import wild_checkpoint
from tests.trainer.training.runs import make_shards


@pytest.fixture(autouse=True)
def fresh_accelerator() -> Iterator[None]:
    """Accelerate keeps one state a process, precision included."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def fitting(tokenizer_file: Path, tmp_path: Path) -> Fitting:
    base = Checkpoint.open(str(wild_checkpoint(tokenizer_file)))
    shards = make_shards(tmp_path / "shards", source="me/mine")
    return Fitting(base, shards, tmp_path / "run", Machine(threads=1), Method.full, 2, 0, 0.0)


def states(model: Backbone) -> torch.Tensor:
    ids = torch.arange(20).view(2, 10)
    with torch.no_grad():
        found: torch.Tensor = model(ids, ids % 4, torch.ones_like(ids).bool()).states
    return found


def disturbed(fitting: Fitting, method: Method) -> Backbone:
    """The base's network as training changes it: what may be trained is moved."""
    config = train_config(replace(fitting, method=method))
    model = make_network(config, fitting.base.folder / "model.safetensors")
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_((parameter + 0.3 * torch.randn_like(parameter)).bfloat16())
    return model


@pytest.mark.parametrize("method", [Method.full, Method.lora])
def test_an_adapter_gives_the_trained_network_back(fitting: Fitting, method: Method) -> None:
    model = disturbed(fitting, method)
    named = {name: p.detach().clone() for name, p in model.named_parameters()}
    tensors = adapter_tensors(base_tensors(fitting.base), named)
    again = adapted(fitting.base.backbone(), {name: t.bfloat16() for name, t in tensors.items()})
    merge_lora(model)
    assert torch.allclose(states(model), states(again), atol=1e-4)
    assert not torch.allclose(states(again), states(fitting.base.backbone()), atol=1e-2)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_the_more_edits_repeat_the_more_are_shown(one: float, other: float) -> None:
    fewer, more, most = (data_config(share, 8192).mixture for share in (*sorted((one, other)), 1))
    assert SLIPS.edit <= fewer.edit <= more.edit <= most.edit
    assert SLIPS.injected >= fewer.injected >= more.injected >= most.injected
    assert sum(astuple(more)) == pytest.approx(sum(astuple(most))) == pytest.approx(1)


def test_conventions_have_a_recipe_of_their_own(fitting: Fitting) -> None:
    plain, repeating = (train_config(replace(fitting, conventional=share)) for share in (0.0, 1.0))
    assert (plain.optimizer, repeating.optimizer) == ("muon", "adamw")
    assert repeating.data.noise.corrupt_rows == 0 < plain.data.noise.corrupt_rows
    assert repeating.data.noise.vocabulary == fitting.base.backbone_config().vocab_size


def test_noise_is_of_tokens_that_a_small_vocabulary_has(fitting: Fitting) -> None:
    assert train_config(fitting).data.noise.vocabulary == fitting.base.backbone_config().vocab_size < 4096


def test_low_rank_adapters_hold_updates_alone(fitting: Fitting) -> None:
    model = disturbed(fitting, Method.lora)
    tensors = adapter_tensors(base_tensors(fitting.base), dict(model.named_parameters()))
    assert tensors
    assert all(".lora_" in name for name in tensors)
    assert tensors["blocks.0.qkv.weight" + LORA_A].shape == (2, 32)


def test_an_untrained_network_makes_an_empty_adapter(fitting: Fitting) -> None:
    base = base_tensors(fitting.base)
    assert adapter_tensors(base, base) == {}


def test_small_networks_are_trained_whole(fitting: Fitting) -> None:
    shape = fitting.base.backbone_config()
    assert chosen_method(Method.auto, shape) is Method.full
    assert chosen_method(Method.lora, shape) is Method.lora


def test_an_interrupt_keeps_the_state_and_the_next_call_goes_on(fitting: Fitting) -> None:
    seen: list[int] = []

    def interrupt(_trainer: Trainer, line: dict[str, float]) -> None:
        seen.append(int(line["step"]))
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(InterruptedTrainingError, match="--resume"):
        fit(fitting, 60.0, interrupt)
    assert seen == [10]
    state = read_state(fitting.folder)
    assert state is not None
    assert state["step"] == 10  # no step after the one that the log told of
    budget = float(state["elapsed"]) + 0.2
    tensors = fit(fitting, budget, lambda _, line: seen.append(int(line["step"])))
    assert tensors
    assert seen[1:] == sorted(seen[1:])
    later = read_state(fitting.folder)
    assert later is not None
    assert later["step"] > 10
    assert later["elapsed"] >= budget


def test_handlers_of_signals_are_given_back(fitting: Fitting) -> None:
    before = signal.getsignal(signal.SIGINT)
    fit(fitting, 0.1, lambda _, line: None)
    assert signal.getsignal(signal.SIGINT) is before

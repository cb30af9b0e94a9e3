"""The training loop: it learns, it resumes to the bit, and its learning rate is a trapezoid."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from editflow.backbone import Backbone, BackboneConfig
from editflow.process.continuous import FlowConfig
from editflow_trainer.config import TrainConfig
from editflow_trainer.noise import NoiseConfig
from editflow_trainer.shards import write_shard
from editflow_trainer.trainer import Trainer, make_optimizers, start_from
from tests.trainer.rows import VOCABULARY, make_rows

SHAPE = BackboneConfig(VOCABULARY, width=16, layers=1, heads=2, hidden=24, copy_width=8, max_count=4)
CONFIG = TrainConfig(SHAPE, NoiseConfig(), steps=6, batch_tokens=160, checkpoint_every=3, log_every=1)
QUIET = NoiseConfig(mask_rows=0, corrupt_rows=0, drop_file=0, drop_diagnostic=0, drop_around=0)
Lines = list[dict[str, float]]


class Interrupted(Exception):
    """Stands for a machine that goes away."""


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve rows: a handful of batches, so that six steps cross into a second epoch."""
    folder = tmp_path_factory.mktemp("shards")
    write_shard(folder / "0.safetensors", make_rows(12))
    return folder


@pytest.fixture
def trainer(shards: Path, tmp_path: Path) -> Callable[..., Trainer]:
    """Makes a trainer in a folder by name; the same name again resumes."""

    def make(name: str, config: TrainConfig = CONFIG) -> Trainer:
        return Trainer(config, shards, tmp_path / name, torch.device("cpu"))

    return make


def interrupt_after(step: int) -> Callable[[dict[str, float]], None]:
    def log(line: dict[str, float]) -> None:
        if line["step"] > step:
            raise Interrupted

    return log


def untimed(lines: Lines) -> Lines:
    return [{name: value for name, value in line.items() if name != "elapsed"} for line in lines]


def test_a_resumed_run_equals_a_straight_one_to_the_bit(trainer: Callable[..., Trainer]) -> None:
    straight_lines: Lines = []
    resumed_lines: Lines = []
    straight = trainer("straight")
    assert straight.run(straight_lines.append)
    assert straight.epoch > 0
    with pytest.raises(Interrupted):
        trainer("resumed").run(interrupt_after(3))  # in step 4, after the state of step 3 was saved
    resumed = trainer("resumed")
    assert resumed.step == 3
    assert resumed.run(resumed_lines.append)
    assert untimed(resumed_lines) == untimed(straight_lines)[3:]
    for name, parameter in straight.model.named_parameters():
        assert parameter.equal(resumed.model.get_parameter(name)), name
        assert straight.average[name].equal(resumed.average[name]), name
    for one, other in zip(straight.optimizers, resumed.optimizers, strict=True):
        for before, after in zip(one.state.values(), other.state.values(), strict=True):
            assert all(torch.equal(torch.as_tensor(before[k]), torch.as_tensor(after[k])) for k in before)


def test_a_complete_run_is_not_trained_further(trainer: Callable[..., Trainer]) -> None:
    config = replace(CONFIG, steps=2)
    first = trainer("run", config)
    assert first.run(lambda line: None)
    lines: Lines = []
    again = trainer("run", config)
    assert again.run(lines.append)
    assert lines == []
    assert all(p.equal(again.model.get_parameter(name)) for name, p in first.model.named_parameters())


def test_a_run_with_another_configuration_is_refused(trainer: Callable[..., Trainer]) -> None:
    trainer("run").save_state()
    with pytest.raises(ValueError, match="another configuration"):
        trainer("run", replace(CONFIG, seed=1))


def test_runs_of_two_seeds_differ(trainer: Callable[..., Trainer]) -> None:
    lines: list[Lines] = [[], []]
    for seed in (0, 1):
        trainer(str(seed), replace(CONFIG, steps=1, seed=seed)).run(lines[seed].append)
    assert untimed(lines[0]) != untimed(lines[1])


def test_a_used_up_budget_ends_the_run(trainer: Callable[..., Trainer]) -> None:
    run = trainer("run")
    assert not run.run(lambda line: None, budget=1e-9)
    assert run.step == 1
    assert trainer("run").step == 1


def test_the_loss_of_a_few_rows_goes_down(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.safetensors", make_rows(3))
    shape = replace(SHAPE, vocab_size=64, width=32)
    config = TrainConfig(shape, QUIET, steps=60, batch_tokens=400, log_every=1, adam_rate=0.01)
    lines: Lines = []
    Trainer(config, tmp_path, tmp_path / "run", torch.device("cpu")).run(lines.append)
    losses = [line["loss"] for line in lines]
    assert sum(losses[-15:]) < 0.5 * sum(losses[:15])


def test_the_average_is_saved_as_the_model(trainer: Callable[..., Trainer]) -> None:
    run = trainer("run", replace(CONFIG, steps=2))
    run.run(lambda line: None)
    weights = load_file(run.save_weights())
    assert set(weights) == {name for name, _ in run.model.named_parameters()}
    for name, weight in weights.items():
        assert weight.equal(run.average[name].bfloat16())
    loaded = Backbone(SHAPE)
    loaded.load_state_dict({name: weight.float() for name, weight in weights.items()})


def test_every_parameter_has_one_optimizer() -> None:
    model = Backbone(SHAPE)
    muon, adam = make_optimizers(model, CONFIG)
    taken = [[id(p) for group in o.param_groups for p in group["params"]] for o in (muon, adam)]
    assert sorted(taken[0] + taken[1]) == sorted(id(p) for p in model.parameters())
    assert {p.ndim for group in muon.param_groups for p in group["params"]} == {2}
    assert id(model.embedding.weight) in taken[1]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.5), st.floats(0.01, 0.5))
def test_the_learning_rate_is_a_trapezoid(a: float, b: float, warmup: float, cooldown: float) -> None:
    config = TrainConfig(warmup=warmup, cooldown=cooldown)
    assert config.rate((warmup + 1 - cooldown) / 2) == 1
    assert config.rate(warmup) == pytest.approx(1)
    assert config.rate(1 - cooldown) == pytest.approx(1)
    assert config.rate(warmup / 2) == pytest.approx(0.5)
    assert config.rate(1 - cooldown / 2) == pytest.approx(0.5)
    assert config.rate(1) == 0
    low, high = sorted((a, b))
    assert 0 <= config.rate(a) <= 1
    if high <= 1 - cooldown:
        assert config.rate(low) <= config.rate(high)
    if low >= warmup:
        assert config.rate(low) >= config.rate(high)


@pytest.mark.parametrize("knobs", [{"steps": 0}, {"batch_tokens": 10}, {"warmup": 0.6, "cooldown": 0.6}])
def test_a_run_that_makes_no_sense_is_refused(knobs: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        TrainConfig(**knobs)  # type: ignore[arg-type]


FLOW = replace(CONFIG, backbone=replace(SHAPE, time_features=8, reverse=1), flow=FlowConfig(), noise=QUIET)


def test_a_flow_in_continuous_time_is_trained_and_resumed_like_any_other(
    trainer: Callable[..., Trainer],
) -> None:
    straight, resumed = trainer("straight", FLOW), trainer("resumed", FLOW)
    lines: Lines = []
    straight.run(lines.append)
    assert {"expected", "due", "operation"} <= lines[0].keys()
    with pytest.raises(Interrupted):
        resumed.run(interrupt_after(4))
    resumed = trainer("resumed", FLOW)
    resumed.run(lambda line: None)
    before = Backbone(FLOW.backbone).state_dict()
    for (name, one), other in zip(straight.model.named_parameters(), resumed.model.parameters(), strict=True):
        assert one.equal(other)
        moved = not one.equal(before[name]) or not name.startswith(("reverse", "time"))
        assert moved, name


def test_a_network_starts_from_one_without_time_and_way_back(tmp_path: Path) -> None:
    old = Backbone(SHAPE)
    save_file({name: p.detach().bfloat16() for name, p in old.named_parameters()}, tmp_path / "w.safetensors")
    new = Backbone(FLOW.backbone)
    start_from(new, tmp_path / "w.safetensors")
    ids = torch.arange(16, 24)[None]
    live, role = torch.ones_like(ids).bool(), torch.ones_like(ids)
    hidden = new(ids, role, live, torch.tensor([0.3]))
    expected = old.bfloat16().float()(ids, role, live)
    torch.testing.assert_close(hidden.states, expected.states)
    assert new.reverse is not None
    torch.testing.assert_close(new.reverse.operations(hidden), old.operations(expected))
    with pytest.raises(ValueError, match="another network"):
        start_from(Backbone(replace(SHAPE, layers=2)), tmp_path / "w.safetensors")

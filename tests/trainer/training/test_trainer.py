"""The training loop: it learns, it resumes to the bit, it accumulates, clips and cools down as it says."""

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from editflow.backbone import Backbone
from editflow.errors import EditFlowError
from editflow.process.continuous import FlowConfig
from editflow_trainer.training.config import TrainConfig
from editflow_trainer.training.network import start_from
from editflow_trainer.training.trainer import Trainer
from tests.trainer.training.runs import (
    CONFIG,
    MACHINE,
    QUIET,
    SHAPE,
    Interrupted,
    Lines,
    interrupt_after,
    make_shards,
    same_weights,
    untimed,
)

FLOW = replace(CONFIG, backbone=replace(SHAPE, time_features=8, reverse=1), flow=FlowConfig(), data=QUIET)
Make = Callable[..., Trainer]


@pytest.mark.parametrize("config", [CONFIG, FLOW, replace(CONFIG, optimizer="adamw", micro_batches=2)])
def test_a_resumed_run_equals_a_straight_one_to_the_bit(trainer: Make, config: TrainConfig) -> None:
    straight_lines: Lines = []
    resumed_lines: Lines = []
    straight = trainer("straight", config)
    assert straight.run(straight_lines.append)
    with pytest.raises(Interrupted):
        trainer("resumed", config).run(interrupt_after(3))  # in step 4, after the state of step 3 was saved
    resumed = trainer("resumed", config)
    assert resumed.step == 3
    assert resumed.run(resumed_lines.append)
    assert untimed(resumed_lines) == untimed(straight_lines)[3:]
    same_weights(straight, resumed)


def test_a_pause_ends_a_call_and_the_next_one_goes_on(trainer: Make) -> None:
    straight = trainer("straight")
    straight.run(lambda line: None)
    paused = trainer("paused")
    assert not paused.run(lambda line: None, pause=1e-9)
    assert paused.step == 1
    resumed = trainer("paused")
    assert resumed.run(lambda line: None)
    same_weights(straight, resumed)


def test_random_numbers_of_modules_are_resumed_too(trainer: Make) -> None:
    def dropping(name: str) -> Trainer:
        made = trainer(name)
        made.network.norm.register_forward_hook(lambda module, inputs, out: torch.dropout(out, 0.5, True))
        return made

    straight = dropping("straight")
    straight.run(lambda line: None)
    with pytest.raises(Interrupted):
        dropping("resumed").run(interrupt_after(3))
    resumed = dropping("resumed")
    resumed.run(lambda line: None)
    same_weights(straight, resumed)


def test_a_complete_run_is_not_trained_further(trainer: Make) -> None:
    config = replace(CONFIG, steps=2)
    first = trainer("run", config)
    assert first.run(lambda line: None)
    lines: Lines = []
    again = trainer("run", config)
    assert again.run(lines.append)
    assert lines == []
    same_weights(first, again)


def test_a_run_with_another_configuration_is_refused(trainer: Make) -> None:
    trainer("run").save()
    with pytest.raises(EditFlowError, match="another configuration"):
        trainer("run", replace(CONFIG, seed=1))


def test_runs_of_two_seeds_differ(trainer: Make) -> None:
    lines: list[Lines] = [[], []]
    for seed in (0, 1):
        trainer(str(seed), replace(CONFIG, steps=1, seed=seed)).run(lines[seed].append)
    assert untimed(lines[0]) != untimed(lines[1])


def test_a_used_up_budget_ends_the_run_cooled_down(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(1000))
    clock = SimpleNamespace(monotonic=lambda: next(seconds))
    monkeypatch.setattr("editflow_trainer.training.trainer.time", clock)
    run = trainer("run", replace(CONFIG, steps=1000, warmup=0.1, cooldown=0.5))
    lines: Lines = []
    assert run.run(lines.append, budget=20)
    assert run.step == 20
    assert [line["rate"] for line in lines[10:]] == pytest.approx([(20 - i) / 10 for i in range(10, 20)])
    assert trainer("run", run.config).run(lines.append, budget=20)
    assert len(lines) == 20


def test_the_loss_of_a_few_rows_goes_down(tmp_path: Path) -> None:
    shards = make_shards(tmp_path / "shards", 3)
    config = replace(CONFIG, backbone=replace(SHAPE, width=32), data=QUIET, steps=60, adam_rate=0.01)
    lines: Lines = []
    Trainer(replace(config, checkpoint_every=100), shards, tmp_path / "run", MACHINE).run(lines.append)
    losses = [line["loss"] for line in lines]
    assert sum(losses[-15:]) < 0.5 * sum(losses[:15])


def test_the_average_is_saved_as_the_model(trainer: Make) -> None:
    run = trainer("run", replace(CONFIG, steps=2))
    run.run(lambda line: None)
    weights = load_file(run.save_weights())
    assert set(weights) == {name for name, _ in run.network.named_parameters()}
    for name, weight in weights.items():
        assert weight.equal(run.average.values[name].bfloat16())
    Backbone(SHAPE).load_state_dict({name: weight.float() for name, weight in weights.items()})


def gradients(run: Trainer) -> dict[str, torch.Tensor]:
    """The gradients that reach the optimizer in the first step, before clipping."""
    found: dict[str, torch.Tensor] = {}

    def keep(parameters: object, largest: float) -> torch.Tensor:
        for name, p in run.network.named_parameters():
            assert p.grad is not None, name
            found[name] = p.grad.clone()
        return torch.tensor(0.0)

    run.accelerator.clip_grad_norm_ = keep
    run.run(lambda line: None, pause=1e-9)
    return found


def test_accumulated_gradients_are_the_mean_of_both(trainer: Make) -> None:
    both = gradients(trainer("both", replace(CONFIG, micro_batches=2)))
    first = gradients(trainer("first"))
    only_second = trainer("second")
    stream = only_second.batches.stream(1)
    only_second.batches.stream = lambda *place: stream  # type: ignore[method-assign]
    second = gradients(only_second)
    for name, gradient in both.items():
        torch.testing.assert_close(gradient, (first[name] + second[name]) / 2, rtol=1e-5, atol=1e-7)


def test_recomputed_activations_give_equal_gradients(trainer: Make) -> None:
    kept = gradients(trainer("kept"))
    recomputed = gradients(trainer("recomputed", replace(CONFIG, checkpoint_activations=True)))
    for name, gradient in kept.items():
        torch.testing.assert_close(gradient, recomputed[name], rtol=1e-5, atol=1e-7)


class Recorder(torch.amp.GradScaler):
    """A CPU scaler that notes what happens to gradients, in order."""

    def __init__(self) -> None:
        super().__init__("cpu", init_scale=2.0**10)
        self.calls: list[str] = []

    def unscale_(self, optimizer: torch.optim.Optimizer) -> None:
        self.calls.append("unscale")
        super().unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer, *args: object) -> float | None:
        self.calls.append("step")
        return super().step(optimizer)


def test_gradients_are_unscaled_once_and_before_they_are_clipped(
    trainer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(CONFIG, steps=3, clip=0.01)
    plain_lines: Lines = []
    lines: Lines = []
    plain = trainer("plain", config)
    plain.run(plain_lines.append)
    run, scaler = trainer("scaled", config), Recorder()
    run.accelerator.scaler = scaler
    run.accelerator.state._mixed_precision, run.accelerator.native_amp = "fp16", True
    run.optimizer.__init__(run.optimizer.optimizer, scaler=scaler)  # as Accelerate does it with fp16
    run.accelerator._optimizers = [run.optimizer]
    monkeypatch.setattr(run.accelerator, "autocast", nullcontext)  # only the scaler is of interest
    clip = run.accelerator.clip_grad_norm_

    def clipped(*args: object) -> torch.Tensor:
        norm: torch.Tensor = clip(*args)
        scaler.calls.append("clip")
        return norm

    monkeypatch.setattr(run.accelerator, "clip_grad_norm_", clipped)
    run.run(lines.append)
    assert scaler.calls == ["unscale", "clip", "step"] * 3
    assert untimed(lines) == untimed(plain_lines)  # a power of two scales exactly
    same_weights(plain, run)


def test_a_loss_that_is_no_number_stops_the_run(trainer: Make) -> None:
    run = trainer("run")
    with torch.no_grad():
        run.network.norm.weight.fill_(float("nan"))
    with pytest.raises(EditFlowError, match="lower the learning rates"):
        run.run(lambda line: None)


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
    for other in (replace(SHAPE, layers=3), replace(SHAPE, layers=1), replace(SHAPE, width=32)):
        with pytest.raises(EditFlowError, match="another network"):
            start_from(Backbone(other), tmp_path / "w.safetensors")


def test_the_averaged_network_is_evaluated_on_time_and_at_the_end(trainer: Make) -> None:
    run = trainer("run", replace(CONFIG, steps=5, evaluate_every=2))
    seen: list[int] = []

    def evaluate(network: Backbone, step: int) -> None:
        seen.append(step)
        for name, value in run.average.values.items():
            assert network.get_parameter(name).equal(value)

    run.run(lambda line: None, evaluate)
    run.run(lambda line: None, evaluate)  # complete: nothing is left to evaluate
    assert seen == [2, 4, 5]


def test_the_last_step_is_evaluated_once(trainer: Make) -> None:
    seen: list[int] = []
    run = trainer("run", replace(CONFIG, steps=4, evaluate_every=2))
    run.run(lambda line: None, lambda network, step: seen.append(step))
    assert seen == [2, 4]


def test_a_causal_mask_opens_step_by_step(trainer: Make) -> None:
    shares: list[float] = []
    run = trainer("run", replace(CONFIG, steps=4, anneal_steps=3))
    run.network.register_forward_pre_hook(lambda network, inputs: shares.append(network.open_share))
    run.run(lambda line: None)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1, 1])


def test_adapters_and_heads_are_trained_alone(trainer: Make) -> None:
    pytest.importorskip("peft")
    run = trainer("run", replace(CONFIG, steps=4, optimizer="adamw", lora_rank=2, evaluate_every=2))
    before = {name: p.detach().clone() for name, p in run.network.named_parameters()}
    run.run(lambda line: None, lambda network, step: None)
    moved = {name for name, p in run.network.named_parameters() if not p.equal(before[name])}
    assert {"operation_head.weight", "embedding.weight"} < moved
    blocks = {name for name in moved if name.startswith("blocks.")}
    assert blocks and all("lora_" in name for name in blocks)
    assert trainer("run", run.config).step == 4


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")  # the compiler's own imports warn
def test_compiled_blocks_give_the_same_losses(trainer: Make) -> None:
    lines: list[Lines] = [[], []]
    for place, compiled in enumerate((False, True)):
        trainer(str(compiled), replace(CONFIG, steps=2, compile=compiled)).run(lines[place].append)
    for plain, other in zip(*lines, strict=True):
        assert other["loss"] == pytest.approx(plain["loss"], abs=1e-4)

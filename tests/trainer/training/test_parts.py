"""Optimizer, average, objective, states and machine: the parts of the training loop on their own."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from editflow.backbone import Backbone
from editflow.errors import EditFlowError
from editflow_trainer.data.batches import Batches
from editflow_trainer.training.average import Average
from editflow_trainer.training.config import TrainConfig
from editflow_trainer.training.machine import Machine, accelerator
from editflow_trainer.training.objective import Objective, draw_kappa
from editflow_trainer.training.optimizer import make_optimizer
from editflow_trainer.training.state import read_state, write_state
from tests.trainer.training.runs import CONFIG, MACHINE, SHAPE


def test_every_parameter_has_one_optimizer() -> None:
    model = Backbone(SHAPE)
    muon, adam = (group["params"] for group in make_optimizer(model, CONFIG).param_groups)
    assert sorted(map(id, [*muon, *adam])) == sorted(map(id, model.parameters()))
    assert {p.ndim for p in muon} == {2}
    assert id(model.embedding.weight) in set(map(id, adam))


def test_what_is_frozen_has_none() -> None:
    model = Backbone(SHAPE).requires_grad_(False)
    model.blocks[0].requires_grad_(True)
    model.token_bias.requires_grad_(True)
    for name in ("muon", "adamw"):
        groups = make_optimizer(model, replace(CONFIG, optimizer=name)).param_groups
        assert {id(p) for group in groups for p in group["params"]} == {
            id(p) for p in model.parameters() if p.requires_grad
        }


def test_muon_with_adam_steps_like_the_two_apart() -> None:
    torch.manual_seed(0)
    together, apart = Backbone(SHAPE), Backbone(SHAPE)
    apart.load_state_dict(together.state_dict())
    one = make_optimizer(together, CONFIG)
    matrices, others = (
        [dict(apart.named_parameters())[name] for name in names] for names in _names(together, one)
    )
    muon = torch.optim.Muon(matrices, lr=CONFIG.muon_rate, weight_decay=CONFIG.weight_decay, momentum=0.95)
    adam = torch.optim.AdamW(others, lr=CONFIG.adam_rate, betas=(0.9, 0.98), weight_decay=0.0)
    for _ in range(3):
        for p, q in zip(together.parameters(), apart.parameters(), strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        one.load_state_dict(one.state_dict())  # a loaded state is what both go on with
        for optimizer in (one, muon, adam):
            optimizer.step()
    for p, q in zip(together.parameters(), apart.parameters(), strict=True):
        assert p.equal(q)


def _names(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[list[str]]:
    """Names of the parameters of each group."""
    name_of = {id(p): name for name, p in model.named_parameters()}
    return [[name_of[id(p)] for p in group["params"]] for group in optimizer.param_groups]


@given(st.floats(0.5, 0.999), st.integers(1, 20))
def test_the_average_follows_its_formula(decay: float, steps: int) -> None:
    model = nn.Linear(2, 1)
    average = Average(model, decay)
    expected = model.weight.detach().double()
    generator = torch.Generator().manual_seed(0)
    for step in range(1, steps + 1):
        with torch.no_grad():
            model.weight.copy_(torch.randn(1, 2, generator=generator))
        average.update(model, step)
        d = min(decay, (1 + step) / (10 + step))
        expected = d * expected + (1 - d) * model.weight.detach().double()
    torch.testing.assert_close(average.values["weight"].double(), expected, rtol=1e-5, atol=1e-6)


def test_kappa_is_dense_at_the_source_and_uniform_elsewhere() -> None:
    kappa = draw_kappa(20_000, torch.Generator().manual_seed(0))
    assert float((kappa == 0).float().mean()) == pytest.approx(0.4, abs=0.02)
    assert float((kappa == 1).float().mean()) == pytest.approx(0.1, abs=0.02)
    between = kappa[(kappa > 0) & (kappa < 1)]
    assert torch.allclose(torch.histc(between, 4, 0, 1) / len(between), torch.full((4,), 0.25), atol=0.02)


def test_on_policy_batches_come_late_and_as_often_as_asked(
    shards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(CONFIG, on_policy_share=0.3, on_policy_from=0.5)
    objective = Objective(Backbone(SHAPE), config)
    late = [objective._passes(seed, 0.5) for seed in range(1000)]
    assert [objective._passes(seed, 0.49) for seed in range(1000)] == [0] * 1000
    assert sum(passes > 0 for passes in late) / 1000 == pytest.approx(0.3, abs=0.05)
    assert set(late) == {0, 1, 2}


def test_decoding_without_gradients_takes_none_from_the_loss(shards: Path) -> None:
    torch.manual_seed(0)
    objective = Objective(Backbone(SHAPE), replace(CONFIG, on_policy_share=1.0, on_policy_from=0.0))
    with torch.no_grad():
        objective.network.operation_head.weight.normal_()  # so that something fires
    batch = next(Batches(shards, CONFIG.data, 300, 0).stream())
    with torch.autocast("cpu", torch.bfloat16):
        terms = objective(batch.aligned, batch.seed, 1.0)
    terms.total.backward()
    gradients = {name: p.grad for name, p in objective.network.blocks.named_parameters()}
    assert all(gradient is not None for gradient in gradients.values())
    down = gradients["0.down.weight"]
    assert down is not None and float(down.abs().sum()) > 0


def test_the_newest_states_are_kept_and_a_torn_one_is_never_read(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    for step in (9, 10, 11):
        write_state(tmp_path, step, {"step": step}, keep=2)
    (tmp_path / "state-0000012.partial").write_bytes(b"torn")
    assert sorted(path.name for path in tmp_path.glob("*.pt")) == ["state-0000010.pt", "state-0000011.pt"]
    state = read_state(tmp_path)
    assert state is not None and state["step"] == 11


@pytest.mark.parametrize(
    ("config", "machine", "advice"),
    [
        (CONFIG, replace(MACHINE, device="cuda"), "--device cpu"),
        (CONFIG, replace(MACHINE, fsdp=True), "adamw"),
        (replace(CONFIG, optimizer="adamw"), replace(MACHINE, fsdp=True), "torchrun"),
        (replace(CONFIG, optimizer="adamw", precision="fp16"), replace(MACHINE, fsdp=True), "bf16"),
        (replace(CONFIG, precision="fp16"), MACHINE, "needs a GPU"),
    ],
)
def test_a_machine_that_cannot_run_it_says_why(
    config: TrainConfig, machine: Machine, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EditFlowError, match=advice):
        accelerator(config, machine)

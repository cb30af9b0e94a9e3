"""Low-rank updates: they alone move the blocks, and merging changes nothing."""

import torch

from editflow.adapters.apply import SCALE
from editflow.backbone import Backbone, BackboneConfig
from editflow_trainer.adaptation.lora import add_lora, merge_lora, rank_of

CONFIG = BackboneConfig(64, width=16, layers=2, heads=4, hidden=24, copy_width=8, max_count=4, kv_heads=2)


def states(model: Backbone) -> torch.Tensor:
    ids = torch.arange(20).view(2, 10)
    found: torch.Tensor = model(ids, ids % 4, torch.ones_like(ids).bool()).states
    return found


def make_pair() -> tuple[Backbone, Backbone]:
    """A network without updates, and the same one with updates of rank 3 that are not zero."""
    torch.manual_seed(0)
    plain = Backbone(CONFIG)
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model = Backbone(CONFIG)
    model.load_state_dict(plain.state_dict())
    add_lora(model, 3)
    return plain, model


def disturb(model: Backbone) -> None:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_B." in name:
                parameter.add_(torch.randn_like(parameter))


@torch.no_grad()
def test_updates_start_without_effect_and_merge_without_loss() -> None:
    plain, model = make_pair()
    assert torch.allclose(states(plain), states(model), atol=1e-6)
    disturb(model)
    before = states(model)
    assert not torch.allclose(before, states(plain), atol=1e-2)
    merge_lora(model)
    assert torch.allclose(states(model), before, atol=1e-5)
    assert model.state_dict().keys() == plain.state_dict().keys()
    assert all(p.requires_grad for p in model.parameters())


@torch.no_grad()
def test_a_merged_matrix_is_the_matrix_and_its_scaled_update() -> None:
    plain, model = make_pair()
    disturb(model)
    state = model.state_dict()
    merge_lora(model)
    for name in ("blocks.0.qkv", "blocks.1.down"):
        a, b = (state[f"{name}.lora_{which}.default.weight"] for which in "AB")
        expected = plain.state_dict()[f"{name}.weight"] + SCALE * b @ a
        assert torch.allclose(model.state_dict()[f"{name}.weight"], expected, atol=1e-5)


def test_updates_and_all_that_is_no_block_train() -> None:
    _, model = make_pair()
    states(model).square().mean().backward()  # type: ignore[no-untyped-call]
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {n for n, _ in model.named_parameters() if ".lora_" in n or not n.startswith("blocks.")}
    assert sum(".lora_" in name for name in trained) == 2 * 4 * CONFIG.layers
    assert all(p.grad is None for p in model.parameters() if not p.requires_grad)


def test_the_rank_is_read_from_a_state() -> None:
    plain, model = make_pair()
    for network, rank in ((plain, 0), (model, 3)):
        assert rank_of((name, tuple(p.shape)) for name, p in network.named_parameters()) == rank

"""Layouts: packed rows compute what padded rows do, and a mask opens from causal to full."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from editflow import backbone as backbone_module
from editflow.backbone import Backbone, BackboneConfig
from editflow.packing import Packed, Padded, can_pack, lay_out, opened

CONFIG = BackboneConfig(
    64, width=16, layers=2, heads=4, hidden=24, copy_width=8, max_count=4, kv_heads=2, qk_norm=2
)
LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any)


def rows(lengths: list[int]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, roles and what is live of left-aligned rows."""
    generator = torch.Generator().manual_seed(sum(lengths))
    shape = (len(lengths), max(lengths))
    ids = torch.randint(0, 64, shape, generator=generator)
    return ids, ids % 4, torch.arange(shape[1]) < torch.tensor(lengths)[:, None]


def make_backbone(config: BackboneConfig = CONFIG) -> Backbone:
    """A network in which every part has an effect."""
    generator = torch.Generator().manual_seed(0)
    model = Backbone(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model


@given(LENGTHS)
def test_packing_takes_the_live_tokens_in_order_and_puts_them_back(lengths: list[int]) -> None:
    ids, _, live = rows(lengths)
    layout = Packed.of(live, live.sum(1).tolist())
    x = torch.randn(*ids.shape, 3, generator=torch.Generator().manual_seed(0))
    packed = layout.gather(x)
    assert packed.equal(x[live])
    assert layout.scatter(packed).equal(torch.where(live[..., None], x, 0))
    assert layout.positions.tolist() == [i for n in lengths for i in range(n)]
    assert layout.bounds.tolist() == [sum(lengths[:i]) for i in range(len(lengths) + 1)]
    assert layout.bounds.dtype == torch.int32


@pytest.mark.parametrize("lengths", [[5, 9, 2], [7, 7], [1, 0, 4]])
def test_packed_rows_give_the_states_and_gradients_of_padded_ones(
    monkeypatch: pytest.MonkeyPatch, lengths: list[int]
) -> None:
    model, (ids, role, live) = make_backbone(), rows(lengths)
    weight = torch.randn(*ids.shape, CONFIG.width, generator=torch.Generator().manual_seed(1))
    found = []
    for packs in (False, True):
        monkeypatch.setattr(backbone_module, "can_pack", lambda x, size, packs=packs: packs)
        states = model(ids, role, live).states
        model.zero_grad()
        (states * weight)[live].sum().backward()
        gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
        found.append((states[live].detach(), gradients))
    (padded, of_padded), (packed, of_packed) = found
    assert torch.allclose(padded, packed, atol=1e-5)
    assert len(of_padded) == 19  # embeddings, norm, and eight of each block
    for one, other in zip(of_padded, of_packed, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_rows_are_packed_only_where_that_saves_padding_and_attention_is_open() -> None:
    _, _, ragged = rows([3, 5])
    full = torch.ones_like(ragged)
    assert isinstance(lay_out(ragged, 1.0, True), Packed)
    assert isinstance(lay_out(ragged, 1.0, False), Padded)
    assert isinstance(lay_out(ragged, 0.5, True), Padded)
    complete = lay_out(full, 1.0, True)
    assert isinstance(complete, Padded)
    assert complete.mask is None


def test_nothing_is_packed_on_a_cpu() -> None:
    assert not can_pack(torch.zeros(1, dtype=torch.bfloat16), 64)


def test_a_mask_opens_from_causal_to_full_by_its_share() -> None:
    length, device = 200, torch.device("cpu")
    past = torch.ones(length, length).bool().tril()
    assert opened(length, 0.0, device).equal(past)
    masks = [opened(length, share, device) for share in (0.1, 0.5, 0.9)]
    for share, mask in zip((0.1, 0.5, 0.9), masks, strict=True):
        assert mask[past].all()
        assert float(mask[~past].float().mean()) == pytest.approx(share, abs=0.02)
        assert mask.equal(opened(length, share, device))
    assert not masks[1].equal(opened(length, 0.5 + 1e-9, device))


@torch.no_grad()
@pytest.mark.parametrize(("share", "felt"), [(0.0, False), (0.6, True), (1.0, True)])
def test_a_closed_network_does_not_feel_what_comes_later(share: float, felt: bool) -> None:
    model, (ids, role, live) = make_backbone(), rows([12])
    model.open_share = share
    before = model(ids, role, live).states
    changed = ids.clone()
    changed[0, 8] = (ids[0, 8] + 1) % 64
    after = model(changed, role, live).states
    assert before[0, :8].equal(after[0, :8]) is not felt
    assert not before[0, 8:].equal(after[0, 8:])


@torch.no_grad()
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_padding_is_not_seen_while_a_mask_opens(share: float) -> None:
    model, (ids, role, live) = make_backbone(), rows([12, 4])
    model.open_share = share
    before = model(ids, role, live).states
    after = model(torch.where(live, ids, (ids + 1) % 64), role, live).states
    assert before[live].equal(after[live])


@pytest.mark.gpu
@torch.no_grad()
@pytest.mark.parametrize("heads", [{}, {"kv_heads": 0}])
def test_packed_rows_agree_with_padded_ones_on_cuda(
    monkeypatch: pytest.MonkeyPatch, heads: dict[str, int]
) -> None:
    model = make_backbone(replace(CONFIG, width=64, **heads)).cuda()
    ids, role, live = (t.cuda() for t in rows([5, 90, 33, 1]))
    with torch.autocast("cuda", torch.bfloat16):
        packed = model(ids, role, live).states
        monkeypatch.setattr(backbone_module, "can_pack", lambda x, size: False)
        padded = model(ids, role, live).states
    assert float((packed - padded)[live].abs().max()) < 0.1
    assert float((packed - padded)[live].abs().mean()) < 0.01
    assert (packed[~live] == 0).all()


@pytest.mark.gpu
def test_packed_rows_train_on_cuda() -> None:
    model, (ids, role, live) = make_backbone(replace(CONFIG, width=64)).cuda(), rows([5, 90, 33])
    ids, role, live = ids.cuda(), role.cuda(), live.cuda()
    with torch.autocast("cuda", torch.bfloat16):
        states = model(ids, role, live).states
    states[live].square().mean().backward()
    gradients = [p.grad for p in model.blocks.parameters()]
    assert all(g is not None and bool(g.isfinite().all()) for g in gradients)
    assert any(g is not None and bool(g.any()) for g in gradients)

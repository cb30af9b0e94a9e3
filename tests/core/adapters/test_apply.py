"""Adapters over a network: the same as weights merged by hand, sharing all that is not changed."""

from copy import deepcopy

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from editflow.adapters.adapter import AdapterError
from editflow.adapters.apply import adapted
from editflow.backbone import Backbone
from tests.core.wild import random_backbone

QKV = "blocks.0.qkv.weight"  # [96, 32]
QUERY = "substitute_head.query.weight"  # [8, 32]
BIAS = "operation_head.bias"  # [3]
NAMES = [name for name, _ in random_backbone().named_parameters()]


@pytest.fixture(scope="module")
def base() -> Backbone:
    return random_backbone().eval().requires_grad_(False)


def answer(model: Backbone) -> Tensor:
    """Logits that depend on the trunk, the heads and the vocabulary."""
    ids = torch.tensor([[1, 20, 21, 300, 2]])
    live = torch.ones_like(ids).bool()
    hidden = model(ids, torch.ones_like(ids), live)
    rows = model.substitutions(hidden, torch.tensor([0]), torch.tensor([2]))  # [1, V]
    return torch.cat((model.operations(hidden).flatten(), rows.flatten()))


def merged(base: Backbone, tensors: dict[str, Tensor]) -> Backbone:
    model = deepcopy(base)
    model.load_state_dict(base.state_dict() | tensors)
    return model


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(NAMES), min_size=1))
def test_whole_tensors_take_the_place_of_the_bases(base: Backbone, names: set[str]) -> None:
    own = dict(base.named_parameters())
    tensors = {name: torch.randn(own[name].shape).bfloat16() for name in names}
    twin = adapted(base, tensors)
    assert answer(twin).equal(answer(merged(base, {n: t.float() for n, t in tensors.items()})))
    parameters = dict(twin.named_parameters())
    assert {name for name in own if parameters[name] is not own[name]} == names
    assert {p.dtype for p in parameters.values()} == {torch.float32}


def test_a_low_rank_update_is_added_to_its_matrix(base: Backbone) -> None:
    before, copies = answer(base), {name: p.clone() for name, p in base.named_parameters()}
    a, b = torch.randn(4, 32).bfloat16(), torch.randn(8, 4).bfloat16()
    twin = adapted(base, {f"{QUERY}.lora_A": a, f"{QUERY}.lora_B": b})
    matrix, rise, fall = base.get_parameter(QUERY).tolist(), b.tolist(), a.tolist()
    by_hand = [
        [w + 2 * sum(rise[i][k] * fall[k][j] for k in range(4)) for j, w in enumerate(row)]
        for i, row in enumerate(matrix)
    ]
    assert twin.get_parameter(QUERY).allclose(torch.tensor(by_hand))
    assert not answer(twin).equal(before)
    assert answer(base).equal(before)
    assert all(p.equal(copies[name]) for name, p in base.named_parameters())


def test_the_vocabulary_stays_tied(base: Backbone) -> None:
    matrix = torch.randn(base.embedding.weight.shape)
    twin = adapted(base, {"embedding.weight": matrix})
    assert twin._output[0] is twin.embedding
    assert base._output[0] is base.embedding


def test_nothing_to_change_is_the_base_again(base: Backbone) -> None:
    twin = adapted(base, {})
    assert twin is not base
    assert answer(twin).equal(answer(base))
    assert [p.data_ptr() for p in twin.parameters()] == [p.data_ptr() for p in base.parameters()]


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"blocks.7.qkv.weight": torch.zeros(96, 32)}, "'blocks.7.qkv.weight', which its base does not have"),
        ({"": torch.zeros(3)}, "which its base does not have"),
        ({".lora_A": torch.zeros(3)}, "which its base does not have"),
        ({"\x1b[31m\n": torch.zeros(3)}, "which its base does not have"),
        ({BIAS: torch.zeros(4)}, "does not fit the base's [3]"),
        ({BIAS: torch.zeros(1, 3)}, "does not fit the base's [3]"),
        ({f"{QKV}.lora_A": torch.zeros(4, 32)}, "lora_A [4, 32] does not fit the base's [96, 32]"),
        ({f"{QKV}.lora_B": torch.zeros(96, 4)}, "does not fit"),
        ({f"{QKV}.lora_A": torch.zeros(4, 32), f"{QKV}.lora_B": torch.zeros(96, 5)}, "does not fit"),
        ({f"{QKV}.lora_A": torch.zeros(4, 31), f"{QKV}.lora_B": torch.zeros(96, 4)}, "does not fit"),
        ({f"{QKV}.lora_A": torch.zeros(4, 32), f"{QKV}.lora_B": torch.zeros(1, 4)}, "does not fit"),
        ({f"{QKV}.lora_A": torch.zeros(32), f"{QKV}.lora_B": torch.zeros(96)}, "does not fit"),
        ({f"{BIAS}.lora_A": torch.zeros(1, 1), f"{BIAS}.lora_B": torch.zeros(3, 1)}, "does not fit"),
        (
            {
                QKV: torch.zeros(96, 32),
                f"{QKV}.lora_A": torch.zeros(4, 32),
                f"{QKV}.lora_B": torch.zeros(96, 4),
            },
            "does not fit",
        ),
        ({BIAS: torch.zeros(3).int()}, "not in floating point"),
        ({BIAS: torch.tensor([0.0, float("nan"), 0.0])}, "not finite"),
        ({BIAS: torch.tensor([0.0, float("-inf"), 0.0])}, "not finite"),
        (
            {f"{QKV}.lora_A": torch.full((1, 32), 3e38), f"{QKV}.lora_B": torch.full((96, 1), 3e38)},
            "not finite",
        ),
    ],
    ids=range(18),
)
def test_what_does_not_fit_is_refused_in_one_line(
    base: Backbone, tensors: dict[str, Tensor], words: str
) -> None:
    with pytest.raises(AdapterError) as caught:
        adapted(base, tensors)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()

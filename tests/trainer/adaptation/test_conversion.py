"""What a base computes is what the converted network computes, and what cannot be converted is refused."""

from typing import Any

import pytest
import torch
from transformers import GPT2Config, LlamaConfig, PretrainedConfig, PreTrainedModel

from editflow.backbone import Backbone, BackboneConfig
from editflow.canvas import FIRST_TEXT_ID
from editflow.heads import Hidden
from editflow_trainer.adaptation.errors import AdaptationError
from editflow_trainer.adaptation.shape import backbone_config, refuse_other
from editflow_trainer.adaptation.vocabulary import Vocabulary, base_vocabulary
from editflow_trainer.adaptation.weights import COPY_SHARE, convert
from tests.trainer.adaptation.bases import KINDS, SHAPE, make_base

each_kind = pytest.mark.parametrize("kind", KINDS)


def converted(kind: str, layers: list[int]) -> tuple[Backbone, Vocabulary, PreTrainedModel]:
    """The causal network made from a base, with the base."""
    base, model = make_base(kind)
    vocabulary = base_vocabulary(base)
    config = backbone_config(base.config, vocabulary.size, len(layers))
    network = Backbone(config).eval()
    network.load_state_dict(convert(base.weights, config, layers, vocabulary))
    network.open_share = 0.0
    return network, vocabulary, model


def some_rows(vocabulary: Vocabulary) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids [2, 11] of tokens that the base has too, and its ids for them."""
    last = max(i for i, pieces in enumerate(vocabulary.pieces) if len(pieces) == 1)
    ids = torch.randint(FIRST_TEXT_ID, last + 1, (2, 11), generator=torch.Generator().manual_seed(0))
    return ids, torch.tensor([[vocabulary.pieces[i][0] for i in row] for row in ids.tolist()])


def run(network: Backbone, ids: torch.Tensor) -> Hidden:
    hidden: Hidden = network(ids, torch.zeros_like(ids), torch.ones_like(ids).bool())
    return hidden


@each_kind
@torch.no_grad()
def test_hidden_states_and_logits_are_the_bases(kind: str) -> None:
    network, vocabulary, model = converted(kind, [0, 1, 2])
    ids, theirs = some_rows(vocabulary)
    answer = model(theirs, output_hidden_states=True)
    states = run(network, ids).states
    for head in (network.substitute_head, network.insert_head):
        assert torch.allclose(states * head.norm.weight, answer.hidden_states[-1], atol=1e-5, rtol=1e-4)
        logits, _, gate = head(states.flatten(0, 1), network._output[0].weight, network.token_bias)
        shared = [i for i, pieces in enumerate(vocabulary.pieces) if i >= FIRST_TEXT_ID and len(pieces) == 1]
        columns = [vocabulary.pieces[i][0] for i in shared]
        expected = answer.logits.flatten(0, 1)[:, columns]
        assert torch.allclose(logits[:, shared], expected, atol=1e-4, rtol=1e-4)
        assert torch.allclose(gate.sigmoid(), torch.tensor(COPY_SHARE))


@torch.no_grad()
def test_what_replaces_a_token_is_read_as_the_base_predicts_it_and_what_follows_one_too() -> None:
    network, vocabulary, _ = converted("llama", [0, 1, 2])
    for head in (network.substitute_head, network.insert_head):
        head.gate.bias.fill_(-30.0)  # no copying, which both start to learn from other weights
    ids, _ = some_rows(vocabulary)
    hidden = run(network, ids)
    row, column = torch.tensor([0, 0, 1]), torch.tensor([1, 6, 9])
    before = network.insertions(hidden, row, column - 1)
    assert torch.allclose(network.substitutions(hidden, row, column), before, atol=1e-4)


@each_kind
@torch.no_grad()
def test_kept_layers_are_the_base_without_the_others(kind: str) -> None:
    network, vocabulary, model = converted(kind, [0, 2])
    whole, _, _ = converted(kind, [0, 1, 2])
    whole.blocks = torch.nn.ModuleList([whole.blocks[0], whole.blocks[2]])
    ids, _ = some_rows(vocabulary)
    assert run(network, ids).states.equal(run(whole, ids).states)
    assert model.config.num_hidden_layers == 3


@torch.no_grad()
def test_an_adapted_network_edits_nothing_before_training() -> None:
    network, vocabulary, _ = converted("qwen3", [0, 1, 2])
    network.open_share = 1.0
    hidden = run(network, some_rows(vocabulary)[0])
    assert (network.operations(hidden)[..., 0].exp() > 0.95).all()
    assert (network.gaps(hidden)[0].sigmoid() > 0.95).all()


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"hidden_act": "gelu"}, "activation"),
        ({"attention_bias": True}, "biases"),
        ({"mlp_bias": True}, "biases"),
        ({"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}, "rotary"),
    ],
)
def test_a_model_that_the_backbone_cannot_be_is_refused(change: dict[str, Any], finding: str) -> None:
    with pytest.raises(AdaptationError, match=finding):
        refuse_other(LlamaConfig(vocab_size=90, **SHAPE, **change))


def test_another_family_is_refused() -> None:
    config: PretrainedConfig = GPT2Config(n_embd=16, n_layer=1, n_head=2)
    with pytest.raises(AdaptationError, match="gpt2"):
        refuse_other(config)


@pytest.mark.parametrize(
    ("layers", "width", "least", "most"), [(30, 576, 130e6, 140e6), (28, 3584, 7e9, 8e9)]
)
def test_sizes_to_7b_are_a_matter_of_configuration(
    layers: int, width: int, least: float, most: float
) -> None:
    """SmolLM2-135M and Qwen2.5-7B, counted without building them."""
    small = width == 576
    config = BackboneConfig(
        vocab_size=49152 if small else 152064,
        width=width,
        layers=layers,
        heads=9 if small else 28,
        hidden=1536 if small else 18944,
        kv_heads=3 if small else 4,
        untied=int(not small),
    )
    assert least < config.matrix_size() < most

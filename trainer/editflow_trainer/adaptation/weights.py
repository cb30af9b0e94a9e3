"""Weights of a pretrained causal model as weights of the backbone.

A causal model predicts token i + 1 from its state h_i. So with `shift` Q_sub of token i reads h_{i-1} and Q_ins
right of token i reads h_i, and both token heads start as the base's softmax. Their last step is an RMSNorm. The
trunk's final norm therefore starts without weights, and the base's final weights w become those of the heads' norms:
q = w * norm(norm(x)) = w * norm(x), the state that the base multiplies with its vocabulary (up to epsilon).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log

import torch
from torch import Tensor

from editflow.backbone import Backbone, BackboneConfig
from editflow_trainer.adaptation.vocabulary import Vocabulary, transfer

COPY_SHARE = 0.02
"""How much of Q is copied from the window before training: the base knows no copying."""


def convert(
    weights: Mapping[str, Tensor], config: BackboneConfig, layers: Sequence[int], vocabulary: Vocabulary
) -> dict[str, Tensor]:
    """A state dict for Backbone(config) in float32: blocks `layers` of the base, its softmax in both token heads.

    What the base lacks (rates, roles, copying) starts as in a fresh network, but for roles, which start at zero.
    """
    state = _fresh(config)
    state["embedding.weight"] = transfer(weights["model.embed_tokens.weight"], vocabulary)
    if config.untied:
        state["output.weight"] = transfer(weights["lm_head.weight"], vocabulary)
    state["role_embedding.weight"].zero_()
    final = weights["model.norm.weight"].float()
    for head in ("substitute_head", "insert_head"):
        state[f"{head}.norm.weight"] = final.clone()
        state[f"{head}.query.weight"] /= final.square().mean().sqrt()
        state[f"{head}.gate.weight"].zero_()
        state[f"{head}.gate.bias"].fill_(log(COPY_SHARE / (1 - COPY_SHARE)))
    for number, layer in enumerate(layers):
        block = _block(weights, f"model.layers.{layer}.", config)
        state |= {f"blocks.{number}.{name}": value.float() for name, value in block.items()}
    return state


def _fresh(config: BackboneConfig) -> dict[str, Tensor]:
    """Everything but the blocks, newly initialised; one block is built in vain, not all of them."""
    torch.manual_seed(0)
    state = Backbone(replace(config, layers=1)).state_dict()
    return {name: value for name, value in state.items() if not name.startswith("blocks.")}


def _block(weights: Mapping[str, Tensor], at: str, config: BackboneConfig) -> dict[str, Tensor]:
    """One block: projections of queries, keys and values in one matrix, gate and up in another."""

    def joined(names: Sequence[str]) -> Tensor:
        return torch.cat([weights[at + name] for name in names])

    projections = [f"self_attn.{name}_proj" for name in "qkv"]
    block = {
        "attention_norm.weight": weights[at + "input_layernorm.weight"],
        "qkv.weight": joined([f"{name}.weight" for name in projections]),
        "attention_out.weight": weights[at + "self_attn.o_proj.weight"],
        "mlp_norm.weight": weights[at + "post_attention_layernorm.weight"],
        "gate_up.weight": joined(("mlp.gate_proj.weight", "mlp.up_proj.weight")),
        "down.weight": weights[at + "mlp.down_proj.weight"],
    }
    if config.qkv_bias:
        block["qkv.bias"] = joined([f"{name}.bias" for name in projections])
    if config.qk_norm:
        norms = {f"{name}_norm.weight": weights[f"{at}self_attn.{name}_norm.weight"] for name in "qk"}
        block |= norms
    return block

"""The backbone that computes what a Llama, Mistral, Qwen2 or Qwen3 trunk computes, by configuration alone."""

from __future__ import annotations

from transformers import PretrainedConfig

from editflow.backbone import MAX_SIZE, BackboneConfig
from editflow_trainer.adaptation.errors import AdaptationError

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")


def backbone_config(base: PretrainedConfig, vocab_size: int, layers: int) -> BackboneConfig:
    """The shape of `base` with `layers` of its blocks; AdaptationError where the backbone differs from it."""
    refuse_other(base)
    size = getattr(base, "head_dim", None) or base.hidden_size // base.num_attention_heads
    return BackboneConfig(
        vocab_size=vocab_size,
        width=base.hidden_size,
        layers=layers,
        heads=base.num_attention_heads,
        hidden=base.intermediate_size,
        rope_base=float(base.rope_parameters["rope_theta"]),
        kv_heads=base.num_key_value_heads,
        head_width=size,
        qk_norm=2 if base.model_type == "qwen3" else 0,
        qkv_bias=int(base.model_type == "qwen2"),
        embedding_scale=0,
        norm_epsilon=base.rms_norm_eps,
        shift=1,
        untied=int(not base.tie_word_embeddings),
    )


def refuse_other(base: PretrainedConfig) -> None:
    """AdaptationError for what the backbone does not compute."""
    rope = base.rope_parameters.get("rope_type", "default") if hasattr(base, "rope_parameters") else None
    biased = getattr(base, "attention_bias", False) or getattr(base, "mlp_bias", False)
    findings = {
        f"its family is {base.model_type}, not one of {', '.join(FAMILIES)}": base.model_type not in FAMILIES,
        f"its rotary positions are scaled ({rope})": rope != "default",
        f"its activation is {getattr(base, 'hidden_act', None)}": getattr(base, "hidden_act", "") != "silu",
        "it has biases beyond those of queries, keys and values": bool(biased),
        f"it has more than {MAX_SIZE} tokens": base.vocab_size > MAX_SIZE,
    }
    for finding, found in findings.items():
        if found:
            raise AdaptationError(f"this model cannot be adapted: {finding}")

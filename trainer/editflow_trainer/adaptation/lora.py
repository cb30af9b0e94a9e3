"""Low-rank updates (LoRA, Hu et al. 2021, arXiv 2106.09685) of the blocks' matrices, by PEFT on the plain network.

The network stays a Backbone: PEFT replaces matrices in place. All that is not a block trains whole: heads, roles and
the vocabulary are new to an adapted model.
"""

from __future__ import annotations

from collections.abc import Iterable

from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer

from editflow.adapters.apply import SCALE
from editflow.backbone import Backbone

TARGETS = ("qkv", "attention_out", "gate_up", "down")


def add_lora(model: Backbone, rank: int, *, alone: bool = False) -> None:
    """Give the blocks' matrices W an update SCALE * B A of this rank with B = 0; freeze all else in the blocks.

    With `alone` everything else is frozen too.
    """
    alpha = round(SCALE * rank)
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(TARGETS)), model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name or not (alone or name.startswith("blocks.")))


def merge_lora(model: Backbone) -> None:
    """W + SCALE * B A in place of W and its update; a network without updates stays as it is."""
    for name, module in list(model.named_modules()):
        if isinstance(module, LoraLayer):
            module.merge()
            model.set_submodule(name, module.get_base_layer())
    model.requires_grad_(True)


def rank_of(names_and_shapes: Iterable[tuple[str, tuple[int, ...]]]) -> int:
    """Rank of the updates among a state's tensors, 0 where there are none."""
    return max((shape[0] for name, shape in names_and_shapes if ".lora_A." in name), default=0)

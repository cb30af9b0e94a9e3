"""An adapter over the network of its base: a second network that shares every tensor which it leaves as it is."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

from torch import Tensor

from editflow.adapters.adapter import AdapterError
from editflow.backbone import Backbone

SCALE = 2.0
"""alpha / rank of every low-rank update (LoRA, Hu et al. 2021, arXiv 2106.09685): W + SCALE * B A."""
LORA_A, LORA_B = ".lora_A", ".lora_B"


def adapted(base: Backbone, tensors: Mapping[str, Tensor]) -> Backbone:
    """The base with these tensors in place of its own, in its precision and on its device; the base stays as it is.

    A tensor that is named like a parameter takes its place. `X.lora_A` [r, in] and `X.lora_B` [out, r] make
    W + SCALE * B A of the parameter X, a matrix W [out, in].

    Raises:
        AdapterError: a name or a shape does not fit the base, or a number is not finite.
    """
    own = dict(base.named_parameters())
    changed = {name: _finite(name, _changed(name, own, tensors)) for name in _names(tensors)}
    twin = deepcopy(base, {id(parameter): parameter for parameter in base.parameters()})
    twin.load_state_dict(changed, strict=False, assign=True)
    return twin


def _names(tensors: Mapping[str, Tensor]) -> list[str]:
    """The parameters that are changed."""
    return sorted({name.removesuffix(LORA_A).removesuffix(LORA_B) for name in tensors})


def _changed(name: str, own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> Tensor:
    """What a parameter becomes."""
    if name not in own:
        raise AdapterError(f"the adapter changes {name!r}, which its base does not have")
    weight = own[name].detach()
    parts = {end: tensors[name + end] for end in ("", LORA_A, LORA_B) if name + end in tensors}
    if not all(part.is_floating_point() for part in parts.values()):
        raise AdapterError(f"the adapter's {name} is not in floating point")
    given = {end: part.to(weight) for end, part in parts.items()}
    if given.keys() == {""} and given[""].shape == weight.shape:
        return given[""]
    if given.keys() == {LORA_A, LORA_B} and _fits(weight, given[LORA_A], given[LORA_B]):
        return weight + SCALE * (given[LORA_B] @ given[LORA_A])
    shapes = ", ".join(f"{name}{end} {list(part.shape)}" for end, part in given.items())
    raise AdapterError(f"the adapter's {shapes} does not fit the base's {list(weight.shape)}")


def _fits(weight: Tensor, a: Tensor, b: Tensor) -> bool:
    """Whether B A has the shape of W."""
    shapes = b.shape[:1] + a.shape[1:], b.shape[1:] + weight.shape[1:]
    return a.ndim == b.ndim == 2 and shapes == (weight.shape, a.shape)


def _finite(name: str, tensor: Tensor) -> Tensor:
    if not bool(tensor.isfinite().all()):
        raise AdapterError(f"the adapter's {name} holds a number that is not finite")
    return tensor

"""Int8 weights: no weight moves by more than half a step of its row, and damaged files are refused."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from editflow.checkpoint import SCALE
from editflow.quantization import LEVELS, WeightsFormat, dequantize, encode, quantize

WEIGHT = st.floats(-(2.0**100), 2.0**100, width=32) | st.floats(-1, 1, width=32)
MATRIX = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(WEIGHT, min_size=width, max_size=width), min_size=1, max_size=4)
)


@given(MATRIX)
def test_no_weight_moves_by_more_than_half_a_step(rows: list[list[float]]) -> None:
    matrix = torch.tensor(rows)
    packed = quantize({"x": matrix})
    assert packed["x"].dtype is torch.int8 and packed["x"].abs().max() <= LEVELS
    error = (dequantize(packed)["x"].double() - matrix.double()).abs()
    half = packed["x" + SCALE].double()[:, None] / 2
    rounding = matrix.double().abs().amax(1, keepdim=True) * 2e-7  # of the scale itself, in float32
    assert bool((error <= half + rounding).all())


@given(MATRIX)
def test_the_largest_weight_of_a_row_comes_back(rows: list[list[float]]) -> None:
    matrix = torch.tensor(rows)
    largest = dequantize(quantize({"x": matrix}))["x"].abs().amax(1)
    assert torch.allclose(largest, matrix.abs().amax(1), rtol=1e-5, atol=1e-36)


def test_zeros_stay_zeros() -> None:
    assert dequantize(quantize({"x": torch.zeros(2, 3)}))["x"].equal(torch.zeros(2, 3))


def test_norms_and_biases_stay_in_bfloat16() -> None:
    packed = quantize({"norm": torch.tensor([1.0, 2.5]), "x": torch.ones(2, 2)})
    assert packed.keys() == {"norm", "x", "x" + SCALE}
    assert (packed["norm"].dtype, packed["x" + SCALE].dtype) == (torch.bfloat16, torch.float32)
    assert dequantize(packed)["norm"].equal(torch.tensor([1.0, 2.5]))


@pytest.mark.parametrize(("form", "size"), [(WeightsFormat.bf16, 2), (WeightsFormat.int8, 1)])
def test_a_format_has_its_bytes_a_weight(form: WeightsFormat, size: int) -> None:
    state = {"x": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)), "norm": torch.ones(4)}
    packed = encode(state, form)
    assert packed["x"].element_size() == size
    restored = dequantize(packed)
    assert restored.keys() == state.keys()
    assert all(tensor.dtype is torch.float32 for tensor in restored.values())
    assert torch.allclose(restored["x"], state["x"], atol=0.02)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_have_no_int8_form(value: float) -> None:
    with pytest.raises(ValueError, match="x holds a number that is not finite"):
        quantize({"x": torch.tensor([[1.0, value]])})


@pytest.mark.parametrize(
    "scale",
    [
        None,
        torch.ones(3),
        torch.ones(2, 1),
        torch.ones(2, dtype=torch.int64),
        torch.tensor([1.0, float("nan")]),
        torch.tensor([1.0, float("inf")]),
        torch.tensor([1.0, 0.0]),
        torch.tensor([1.0, -1.0]),
    ],
    ids=str,
)
def test_a_damaged_scale_is_refused(scale: Tensor | None) -> None:
    tensors = {"x": torch.ones(2, 4, dtype=torch.int8)} | ({} if scale is None else {"x" + SCALE: scale})
    with pytest.raises(ValueError, match="x "):
        dequantize(tensors)


@pytest.mark.parametrize(
    "tensor", [torch.ones(2, dtype=torch.int8), torch.ones(2, 2, dtype=torch.int32)], ids=str
)
def test_other_whole_numbers_are_no_weights(tensor: Tensor) -> None:
    with pytest.raises(ValueError, match="x "):
        dequantize({"x": tensor, "x" + SCALE: torch.ones(2)})

"""Learning rates follow their formulas, and a configuration that makes no sense is refused."""

from math import cos, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.process.continuous import FlowConfig
from editflow_trainer.training.config import TrainConfig


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.5), st.floats(0.01, 0.5))
def test_a_trapezoid(a: float, b: float, warmup: float, cooldown: float) -> None:
    config = TrainConfig(warmup=warmup, cooldown=cooldown)
    assert config.rate((warmup + 1 - cooldown) / 2) == 1
    assert config.rate(warmup) == pytest.approx(1)
    assert config.rate(1 - cooldown) == pytest.approx(1)
    assert config.rate(warmup / 2) == pytest.approx(0.5)
    assert config.rate(1 - cooldown / 2) == pytest.approx(0.5)
    assert config.rate(1) == 0
    low, high = sorted((a, b))
    if high <= 1 - cooldown:
        assert config.rate(low) <= config.rate(high)
    if low >= warmup:
        assert config.rate(low) >= config.rate(high)


@given(st.floats(0, 1), st.floats(0.01, 0.5))
def test_a_cosine(progress: float, warmup: float) -> None:
    config = TrainConfig(schedule="cosine", warmup=warmup, cooldown=0.0)
    rest = (progress - warmup) / (1 - warmup)
    expected = progress / warmup if progress < warmup else (1 + cos(pi * rest)) / 2
    assert config.rate(progress) == pytest.approx(expected, abs=1e-12)
    assert config.rate(1) == pytest.approx(0, abs=1e-12)
    assert config.rate((1 + warmup) / 2) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "knobs",
    [
        {"steps": 0},
        {"micro_batches": 0},
        {"batch_tokens": 10},
        {"warmup": 0.6, "cooldown": 0.6},
        {"schedule": "linear"},
        {"optimizer": "sgd"},
        {"precision": "int8"},
        {"on_policy_share": 1.5},
        {"on_policy_share": 0.5, "flow": FlowConfig()},
    ],
)
def test_a_run_that_makes_no_sense_is_refused(knobs: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        TrainConfig(**knobs)  # type: ignore[arg-type]

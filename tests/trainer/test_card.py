"""Model cards: every number is one of the facts, and nothing is left open."""

import random
import re

import pytest

from editflow.backbone import BackboneConfig
from editflow.checkpoint import Calibration
from editflow.confidence import Operation
from editflow.process.continuous import FlowConfig
from editflow.process.edit_flow import Thresholds
from editflow.quantization import WeightsFormat
from editflow_trainer.calibration import Outcome, Settled
from editflow_trainer.card import CURVE, CardFacts, DataFacts, TrainingFacts, curve, flow_card, model_card
from editflow_trainer.data.codec import Codec
from editflow_trainer.data.header import Header, Vocabulary
from editflow_trainer.evaluation.statistics import Rate

SHAPE = BackboneConfig(vocab_size=600, width=16, layers=1, heads=2, hidden=24, copy_width=8, max_count=4)
TRAINING = TrainingFacts(1234, 8192, 98.7, "Muon and AdamW", [4.0, 3.0, 2.0, 1.0])


def facts_of(outcomes: tuple[Outcome, ...], weights: WeightsFormat = WeightsFormat.int8) -> CardFacts:
    thresholds, calibration = Thresholds(0.6, 0.3, 0.4), Calibration(show=0.61)
    settled = Settled(thresholds, calibration, 600, Rate(129, 300), Rate(1, 300), outcomes)
    sources = {f"package{i}": 100 - i for i in range(12)}
    data = DataFacts({"injected": 1000, "fix": 2114}, sources)
    return CardFacts("small", SHAPE, weights, 7_246_012, TRAINING, data, settled, "make it")


def test_a_card_says_what_the_run_was() -> None:
    card = model_card(facts_of((Outcome(Operation.insert, 0.7, True),)))
    for said in (
        "# EditFlow checkpoint `small`",
        "| weights | int8, a float32 scale for every row of a matrix; norms and biases bfloat16; 7.2 MB |",
        "1234 steps of at most 8192 tokens, 99 minutes; Muon and AdamW |",
        "4.000 █▆▃▁ 1.000",
        "3,114 examples: fix 2,114, injected 1,000. From 12 packages and repositories: package0 100,",
        "and 4 more.",
        "delete 0.6, substitute 0.3, insert 0.4",
        "confidence below 0.61 are not shown",
        "On 600 further functions",
        "43.0 % (37.5 to 48.7)",
        "0.3 % (0.1 to 1.9)",
        "| insert | 1 | 100.0 % (20.7 to 100.0) | 0.300 | 0.090 |",
        "Reproduce: `make it`.",
    ):
        assert said in card
    assert not re.search(r"[{}]|None|nan", card)


def test_a_card_names_the_format_and_survives_a_network_that_proposes_nothing() -> None:
    card = model_card(facts_of((), WeightsFormat.bf16))
    assert "| weights | bfloat16; 7.2 MB |" in card
    assert "No edit fired." in card


def test_the_card_of_a_flow_is_short_and_says_which() -> None:
    card = flow_card(SHAPE, FlowConfig("cubic"), TRAINING)
    assert "1234 steps" in card and "schedule='cubic'" in card and "Not calibrated" in card


def test_facts_are_read_from_the_log_and_from_the_shards() -> None:
    log = [{"step": 20.0, "loss": 3.5, "elapsed": 60.0}, {"step": 40.0, "loss": 2.5, "elapsed": 120.0}]
    assert TrainingFacts.of(log, 100, "AdamW") == TrainingFacts(40, 100, 2.0, "AdamW", [3.5, 2.5])
    form = (Codec.zlib, Vocabulary(600, "0" * 64, (), ()), ())
    headers = [
        Header(*form, streams={"injected": 3}, sources={"a": 2, "b": 1}),
        Header(*form, streams={"injected": 1, "fix": 1}, sources={"b": 2}),
    ]
    assert DataFacts.of(headers) == DataFacts({"injected": 4, "fix": 1}, {"a": 2, "b": 3})


@pytest.mark.parametrize("count", [1, 5, CURVE, 1000])
def test_a_curve_falls_as_its_values_do(count: int) -> None:
    values = [10.0 - 9.0 * i / count for i in range(count)]
    first, bars, last = curve(values).split()
    assert [float(first), float(last)] == pytest.approx([values[0], values[-1]], abs=1e-3)
    assert len(bars) == min(count, CURVE)
    assert list(bars) == sorted(bars, reverse=True)


def test_a_noisy_curve_keeps_its_ends_and_no_curve_says_so() -> None:
    rng = random.Random(0)
    values = [rng.random() for _ in range(500)]
    assert curve(values).startswith(f"{values[0]:.3f} ") and curve(values).endswith(f" {values[-1]:.3f}")
    assert curve([]) == "not logged"

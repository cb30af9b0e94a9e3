"""Rates: three readings of one network, what may not change, and how fast a row is left."""

from typing import cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from editflow.heads import Hidden
from editflow.process.base import Answers
from editflow.process.corruption import DELETE, KEEP, SUBSTITUTE
from editflow.process.rates import PARAMETERISATIONS, Rates, hazard, scaled_softplus, softplus

COUNTS = 3
HIDDEN = Hidden(
    torch.zeros(2, 4, 1), torch.zeros(2, 4, dtype=torch.int64), torch.ones(2, 4, dtype=torch.bool)
)
LOG_WEIGHT = torch.tensor([0.3, 2.5])
KINDS = ("insert", "delete", "substitute")


class Said:
    """Answers that are given."""

    def __init__(self, operation: Tensor, complete: Tensor, count: Tensor) -> None:
        self.operation, self.complete, self.count = operation, complete, count

    def operations(self, hidden: Hidden) -> Tensor:
        return self.operation.log_softmax(-1)

    def gaps(self, hidden: Hidden) -> tuple[Tensor, Tensor]:
        return self.complete, self.count.log_softmax(-1)


def random_answers(seed: int, scale: float, rare: float = 0.0) -> Said:
    """Logits N(0, scale^2), moved by `rare` towards nothing to do."""
    generator = torch.Generator().manual_seed(seed)
    operation, complete, count = (
        scale * torch.randn(2, 4, *shape, generator=generator) for shape in ((3,), (), (COUNTS,))
    )
    return Said(operation + rare * torch.eye(3)[KEEP], complete + rare, count)


def read(name: str, said: Said, log_weight: Tensor = LOG_WEIGHT) -> Rates:
    return PARAMETERISATIONS[name](cast(Answers, said), HIDDEN, log_weight)


@given(st.integers(0, 2**32))
def test_hazard_is_w_times_a_probability_and_w_times_an_expected_count(seed: int) -> None:
    said = random_answers(seed, 3.0)
    rates, w = read("hazard", said), LOG_WEIGHT.exp()
    p, missing = said.operation.softmax(-1), (-said.complete).sigmoid()
    for b in range(2):
        for i in range(4):
            mean = sum((k + 1) * float(share) for k, share in enumerate(said.count[b, i].softmax(-1)))
            expected = [float(missing[b, i]) * mean, float(p[b, i, DELETE]), float(p[b, i, SUBSTITUTE])]
            found = [float(getattr(rates, kind)[b, i].exp()) for kind in KINDS]
            assert found == pytest.approx([float(w[b]) * e for e in expected], rel=1e-4)


@given(st.integers(0, 2**32))
def test_hazard_never_asks_for_one_token_more_than_once(seed: int) -> None:
    rates = read("hazard", random_answers(seed, 20.0))
    assert (torch.logaddexp(rates.delete, rates.substitute) <= LOG_WEIGHT[:, None] + 1e-5).all()
    assert (rates.insert <= LOG_WEIGHT[:, None] + torch.tensor(COUNTS).log() + 1e-5).all()


@given(st.integers(0, 2**32), st.floats(8, 20))
def test_small_rates_agree_up_to_w(seed: int, rare: float) -> None:
    """Where edits are rare the log odds against keeping are the logarithm of a probability."""
    said = random_answers(seed, 0.5, rare)
    said.count = torch.tensor([0.0, -99, -99]).expand(2, 4, 3)  # one missing token, which softplus assumes
    bound, w = 100 * torch.tensor(-rare).exp() + 1e-5, LOG_WEIGHT[:, None]
    first, second, third = (read(name, said) for name in ("hazard", "softplus", "scaled_softplus"))
    for kind in KINDS:
        base = getattr(first, kind) - w
        assert ((getattr(second, kind) - base).abs() < bound).all()
        assert ((getattr(third, kind) - w - base).abs() < bound).all()


@given(st.integers(0, 2**32), st.sampled_from([1.0, 1e4]))
def test_only_plain_softplus_ignores_the_time(seed: int, scale: float) -> None:
    said = random_answers(seed, scale)
    for name in PARAMETERISATIONS:
        early, late = read(name, said, torch.zeros(2)), read(name, said)
        for kind in KINDS:
            expected = torch.zeros(2) if name == "softplus" else LOG_WEIGHT
            moved = getattr(early, kind) + expected[:, None]
            torch.testing.assert_close(getattr(late, kind), moved)
            assert getattr(late, kind).isfinite().all()


def test_softplus_of_log_odds_is_log_1_plus_odds() -> None:
    probability = torch.tensor([0.5, 0.3, 0.2])
    said = Said(probability.log().expand(2, 4, 3), torch.full((2, 4), -1.0), torch.zeros(2, 4, COUNTS))
    for rates, w in (
        (read("softplus", said), torch.ones(2)),
        (read("scaled_softplus", said), LOG_WEIGHT.exp()),
    ):
        odds = {"insert": torch.tensor(1.0).exp(), DELETE: torch.tensor(0.6), SUBSTITUTE: torch.tensor(0.4)}
        for log_rate, value in zip(
            (rates.insert, rates.delete, rates.substitute), odds.values(), strict=True
        ):
            torch.testing.assert_close(log_rate.exp(), (w * torch.log1p(value))[:, None].expand(2, 4))


@given(st.integers(0, 2**32))
def test_what_may_not_change_has_rate_0_and_the_rest_its_own(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    rates = read("hazard", random_answers(seed, 2.0))
    tokens, gaps = torch.rand(2, 2, 4, generator=generator) < 0.5
    open_to = rates.allowed(tokens, gaps)
    for kind in KINDS:
        mask = gaps if kind == "insert" else tokens
        assert getattr(open_to, kind)[mask].equal(getattr(rates, kind)[mask])
        assert (getattr(open_to, kind)[~mask] == float("-inf")).all()


@given(st.integers(0, 2**32))
def test_the_exit_rate_is_the_sum_of_all_rates_of_a_row(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    rates = read("hazard", random_answers(seed, 2.0)).allowed(
        *(torch.rand(2, 2, 4, generator=generator) < 0.5)
    )
    for b, total in enumerate(rates.exit_rate().tolist()):
        every = [float(getattr(rates, kind)[b, i].exp()) for kind in KINDS for i in range(4)]
        assert total == pytest.approx(sum(every), rel=1e-5)


def test_every_parameterisation_has_its_name() -> None:
    named = {"hazard": hazard, "softplus": softplus, "scaled_softplus": scaled_softplus}
    assert named == PARAMETERISATIONS

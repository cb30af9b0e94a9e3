"""Choosing tokens: sharpening against plain Python, draws against Q, and what is never written."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from editflow.canvas import FIRST_TEXT_ID
from editflow.process.choice import Sharpening, draw, uniform, writable

SIGMAS = 4.5
SCORES = st.lists(st.integers(-80, 80).map(lambda n: n / 10), min_size=1, max_size=9, unique=True)
SIZES = st.integers(0, 12)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def log_q_of(scores: list[float]) -> Tensor:
    return torch.tensor([scores], dtype=torch.float64).log_softmax(-1)


def sharpened(scores: list[float], temperature: float, top_p: float, top_k: int) -> list[float]:
    """Probabilities by sorting a list."""
    if temperature == 0:
        return [float(s == max(scores)) for s in scores]
    weights = [exp((s - max(scores)) / temperature) for s in scores]
    ranked = sorted(range(len(scores)), key=lambda i: -scores[i])
    ranked = ranked[:top_k] if top_k else ranked
    mass, kept = 0.0, list[int]()
    for i in ranked:
        if mass < top_p * sum(weights[j] for j in ranked):
            kept.append(i)
        mass += weights[i]
    total = sum(weights[i] for i in kept)
    return [weights[i] / total if i in kept else 0.0 for i in range(len(scores))]


@given(SCORES, st.sampled_from([0.0, 1.0]) | st.floats(0.2, 3), st.just(1.0) | st.floats(0.05, 1), SIZES)
def test_sharpening_is_that_of_a_sorted_list(
    scores: list[float], temperature: float, top_p: float, top_k: int
) -> None:
    expected = sharpened(scores, temperature, top_p, top_k)
    near = sharpened(scores, temperature, top_p - 1e-9, top_k)
    found = Sharpening(temperature, top_p, top_k)(log_q_of(scores)).exp()[0].tolist()
    assert found == pytest.approx(expected, abs=1e-9) or found == pytest.approx(near, abs=1e-9)


@given(SCORES, st.floats(0.05, 1, exclude_max=True))
def test_a_nucleus_is_the_smallest_set_with_its_probability(scores: list[float], top_p: float) -> None:
    q, kept = log_q_of(scores).exp()[0], Sharpening(top_p=top_p)(log_q_of(scores))[0].isfinite()
    assert q[kept].sum() > top_p - 1e-9
    assert q[kept].sum() - q[kept].min() < top_p + 1e-9
    assert not (~kept).any() or q[~kept].max() <= q[kept].min()


@given(SCORES)
def test_temperature_0_is_the_most_likely_token_and_the_default_changes_nothing(scores: list[float]) -> None:
    log_q = log_q_of(scores)
    cold = Sharpening(temperature=0)(log_q)
    assert cold.exp().tolist() == [[float(i == int(log_q.argmax())) for i in range(len(scores))]]
    assert draw(cold, seeded()).tolist() == log_q.argmax(1).tolist()
    assert Sharpening()(log_q) is log_q


def test_rows_are_sharpened_each_by_itself_and_argmax_keeps_one_of_equals() -> None:
    log_q = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7], [0.4, 0.4, 0.2]]).log()
    assert Sharpening(top_k=2)(log_q).exp().tolist() == [
        pytest.approx([7 / 9, 2 / 9, 0]),
        pytest.approx([0, 2 / 9, 7 / 9]),
        pytest.approx([0.5, 0.5, 0]),
    ]
    assert Sharpening(temperature=0)(log_q).isfinite().sum(1).tolist() == [1, 1, 1]


@pytest.mark.parametrize("bad", [{"temperature": -0.1}, {"top_p": 0.0}, {"top_p": 1.1}, {"top_k": -1}])
def test_numbers_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="top_p is in"):
        Sharpening(**bad)  # type: ignore[arg-type]


def test_draws_follow_q_to_its_rare_events() -> None:
    q = torch.tensor([0.6, 0.25, 0.1, 0.0489, 0.001, 0.0001], dtype=torch.float64)
    rows = 200_000
    counts = torch.bincount(draw(q.log().float().expand(rows, -1), seeded()), minlength=len(q))
    error = (counts - rows * q) / (rows * q * (1 - q)).sqrt()
    assert error.abs().max() < SIGMAS, error
    assert counts[-1] > 0
    assert (error**2).sum() < 5 + SIGMAS * 10**0.5  # chi-square: mean 5, variance 10


def test_noise_is_fine_enough_for_rates_that_float32_would_lose() -> None:
    u = uniform((200_000,), seeded(), torch.device("cpu"))
    assert u.dtype == torch.float64 and bool((u >= 0).all()) and bool((u < 1).all())
    assert float((u * 2**24 % 1).std()) == pytest.approx(12**-0.5, rel=0.02)  # bits below float32's
    assert abs(float(u.mean()) - 0.5) < SIGMAS * (1 / 12 / len(u)) ** 0.5


def test_what_has_probability_0_is_never_drawn() -> None:
    log_q = torch.tensor([float("-inf"), log(1e-30), float("-inf")]).expand(10_000, -1)
    assert (draw(log_q, seeded()) == 1).all()


def test_draws_are_the_generators() -> None:
    log_q = torch.zeros(50, 10).log_softmax(-1)
    first, second, other = (draw(log_q, seeded(seed)) for seed in (1, 1, 2))
    assert first.equal(second) and not first.equal(other)


@given(st.integers(0, 2**32), st.booleans())
def test_neither_specials_nor_the_token_itself_are_writable(seed: int, replaces: bool) -> None:
    log_q = torch.randn(5, FIRST_TEXT_ID + 6, generator=seeded(seed)).log_softmax(-1)
    before = log_q.clone()
    current = torch.randint(0, FIRST_TEXT_ID + 6, (5,), generator=seeded(seed)) if replaces else None
    found = writable(log_q, current)
    allowed = torch.ones(log_q.shape, dtype=torch.bool)
    allowed[:, :FIRST_TEXT_ID] = False
    for p, token in enumerate([] if current is None else current.tolist()):
        allowed[p, token] = False
    assert (found[~allowed] == float("-inf")).all()
    kept = torch.where(allowed, log_q.exp(), 0.0)
    torch.testing.assert_close(found.exp(), kept / kept.sum(1, keepdim=True))
    assert log_q.equal(before)

"""The continuous-time process: the marginals of its path, and what holds of its loss for any network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from editflow.backbone import Backbone, BackboneConfig
from editflow.canvas import BOS, EDIT, EOS, FIRST_TEXT_ID, Canvas
from editflow.process.base import BLANK, IGNORE, AlignedBatch, TrainedHeads
from editflow.process.continuous import LATEST, ContinuousEditFlow, FlowConfig, Sampling, TimedState
from editflow.process.corruption import draw_path, observe
from editflow.process.coupling import Empty, reversed_batch
from editflow.process.edit_flow import EditFlow
from editflow.process.rates import PARAMETERISATIONS
from editflow.process.schedule import SCHEDULES
from tests.core.enumeration import (
    MAX_COUNT,
    VOCABULARY,
    Enumeration,
    Logits,
    Pairs,
    TableAnswers,
    TableHeads,
)

SIGMAS = 4.5
ENUMERATIONS = [Enumeration(Pairs.random(seed), shows_origin=1) for seed in range(3)]
SEED = st.integers(0, 2**32)
TIME = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Wild(TableAnswers):
    """Random float32 logits of any size."""

    def __init__(self, enumeration: Enumeration, scale: float, seed: int) -> None:
        generator, places = seeded(seed), (1 + len(enumeration.rows), enumeration.width)
        shapes = [(3,), (), (MAX_COUNT,), (VOCABULARY,), (VOCABULARY,)]
        self.table = Logits(
            *(scale * torch.randn(*places, *shape, generator=generator).requires_grad_() for shape in shapes)
        )

    def logits(self, time: float) -> Logits:
        """The same at every time."""
        return self.table


class WildHeads(TableHeads, Wild):
    """A network of random logits, with reverse heads or without."""

    def __init__(self, enumeration: Enumeration, scale: float, seed: int, *, reverse: bool = True) -> None:
        super().__init__(enumeration)
        Wild.__init__(self, enumeration, scale, seed)
        self.reverse: Wild | None = Wild(enumeration, scale, seed + 1) if reverse else None

    @property
    def halves(self) -> list[Wild]:
        """The answers of either direction."""
        return [self] if self.reverse is None else [self, self.reverse]


def timed(process: ContinuousEditFlow, batch: AlignedBatch, zt: Tensor, time: Tensor) -> TimedState:
    """The state that a z_t makes."""
    weight = process.schedule.weight(time).float().clamp(max=process.config.max_weight)
    forward, backward = observe(batch, zt), observe(reversed_batch(batch), zt)
    return TimedState(forward, backward, time, weight[:, None].expand(zt.shape))


def small_network(**changed: int) -> Backbone:
    torch.manual_seed(0)
    size = dict(vocab_size=VOCABULARY, width=16, layers=1, heads=2, hidden=16, copy_width=4, max_count=4)
    network = Backbone(BackboneConfig(**size | {"time_features": 4, "reverse": 1} | changed))
    for parameter in network.parameters():  # rate heads start at zero
        parameter.data += 0.1 * torch.randn(parameter.shape)
    return network


def chi_square_exceeds(counts: Tensor, probability: Tensor) -> bool:
    """Whether counts [X] differ from draws of probabilities [X] by more than SIGMAS, expecting 5 at least."""
    expected = probability * counts.sum()
    often = expected >= 5
    counts = torch.cat((counts[often].double(), counts[~often].sum()[None].double()))
    expected = torch.cat((expected[often], expected[~often].sum()[None])).clamp_min(1e-9)
    statistic, degrees = ((counts - expected) ** 2 / expected).sum(), len(counts) - 1
    # Wilson and Hilferty (1931): the cube root is nearly normal
    normal = (statistic / degrees) ** (1 / 3) - (1 - 2 / (9 * degrees))
    return bool(normal > SIGMAS * (2 / (9 * degrees)) ** 0.5)


@pytest.mark.parametrize("pairs", [*map(Pairs.random, range(3)), Pairs.insertions(0)])
@pytest.mark.parametrize("schedule", ["linear", "cubic"])
@pytest.mark.parametrize("shows_origin", [0, 1])
def test_states_are_drawn_as_often_as_enumerated(pairs: Pairs, schedule: str, shows_origin: int) -> None:
    process = ContinuousEditFlow(FlowConfig(schedule, shows_origin=shows_origin))
    enumeration, generator, rows = Enumeration(pairs, shows_origin), seeded(0), 10_000
    for t in (0.3, 0.8):
        state = process.corrupt(pairs.draw(rows, generator), torch.full((rows,), t), generator).forward
        found = enumeration.find(state.ids, state.role, state.live)
        counts = torch.bincount(found, minlength=len(enumeration.rows) + 1)
        assert counts[-1] == 0
        assert not chi_square_exceeds(
            counts[:-1], enumeration.at(t ** (1 if schedule == "linear" else 3)).probability
        )
        assert chi_square_exceeds(counts[:-1], enumeration.at(t**2).probability)


def test_what_is_pending_is_that_of_the_enumeration() -> None:
    """Both ways, for every z_t: corruption against plain Python."""
    for enumeration in ENUMERATIONS:
        batch = enumeration.batch()
        for back, end in ((False, batch), (True, reversed_batch(batch))):
            state, known = observe(end, enumeration.paths), enumeration.at(0.5, back=back)
            chance = enumeration.chances(0.5) / known.probability[enumeration.index]
            for kind in ("substitute", "insert"):
                row, column, token = (getattr(state, f"{kind}_{part}") for part in ("row", "column", "token"))
                total = torch.zeros_like(known.insert)
                total.index_put_((enumeration.index[row], column, token), chance[row], accumulate=True)
                torch.testing.assert_close(total, getattr(known, kind))


@settings(max_examples=60)
@given(
    st.integers(0, 2),
    st.sampled_from([0.0, 1.0, 1e2, 1e4]),
    st.sampled_from(sorted(PARAMETERISATIONS)),
    st.sampled_from(sorted(SCHEDULES)),
    st.sampled_from([0.0, 4.0]),
    TIME,
    SEED,
)
def test_the_loss_is_finite_whatever_the_network_says(
    problem: int, scale: float, parameterisation: str, schedule: str, propagation: float, t: float, seed: int
) -> None:
    enumeration, generator = ENUMERATIONS[problem], seeded(seed)
    propagation = 0.0 if parameterisation == "hazard" else propagation
    process = ContinuousEditFlow(FlowConfig(schedule, parameterisation, 1, propagation))
    state = process.corrupt(enumeration.pairs.draw(8, generator), torch.full((8,), t), generator)
    heads = WildHeads(enumeration, scale, seed, reverse=not propagation)
    loss = process.loss(heads, state).total
    assert loss.isfinite()
    logits = [getattr(half.table, f.name) for half in heads.halves for f in fields(Logits)]
    for slope in torch.autograd.grad(loss, logits, allow_unused=True, materialize_grads=True):
        assert slope.isfinite().all()


@settings(max_examples=20)
@given(st.integers(1, 6), st.sampled_from(sorted(PARAMETERISATIONS)), SEED)
def test_the_loss_of_a_batch_is_that_of_its_rows_by_tokens(
    rows: int, parameterisation: str, seed: int
) -> None:
    process, network, generator = (
        ContinuousEditFlow(FlowConfig("cubic", parameterisation)),
        small_network(),
        seeded(seed),
    )
    batch = ENUMERATIONS[0].pairs.draw(rows, generator)
    time = torch.rand(rows, generator=generator)
    zt = draw_path(batch, process.schedule.kappa(time), generator)
    total = torch.zeros(())
    with torch.no_grad():
        for b in range(rows):
            width = int((batch.z1[b] != IGNORE).sum())  # alone, a row has no padding
            one = AlignedBatch(*(getattr(batch, f.name)[b : b + 1, :width] for f in fields(AlignedBatch)))
            terms = process.loss(network, timed(process, one, zt[b : b + 1, :width], time[b : b + 1]))
            total += terms.total * terms.tokens.clamp(min=1)
        together = process.loss(network, timed(process, batch, zt, time))
    torch.testing.assert_close(together.total * together.tokens.clamp(min=1), total, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
@pytest.mark.parametrize("enumeration", ENUMERATIONS)
def test_frozen_tokens_never_contribute(enumeration: Enumeration, parameterisation: str) -> None:
    process, generator = ContinuousEditFlow(FlowConfig(parameterisation=parameterisation)), seeded(0)
    state = process.corrupt(enumeration.pairs.draw(50, generator), torch.full((50,), 0.4), generator)
    heads, canvas = WildHeads(enumeration, 1.0, 0), enumeration.canvas()
    least = process.loss(heads, state).total
    closed = torch.nn.functional.pad(~canvas.editable_gaps, (0, 0, 0, 1), value=True)
    frozen = torch.nn.functional.pad(canvas.frozen, (0, 0, 0, 1), value=True)
    assert frozen[:-1, :2].all() and closed[:-1, 0].all() and not closed[:-1, 1].any()
    for half in heads.halves:
        spoiled = {
            "operation": frozen,
            "substitute": frozen,
            "complete": closed,
            "count": closed,
            "insert": closed,
        }
        for name, where in spoiled.items():
            logits = getattr(half.table, name)
            noise = 20 * torch.randn(logits.shape, generator=generator)
            mask = where.view(*where.shape, *([1] * (logits.ndim - 2))).expand(logits.shape)
            half.table = replace(half.table, **{name: torch.where(mask, noise, logits)})
    assert process.loss(heads, state).total == least


@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
def test_with_nothing_pending_only_the_exit_rate_is_left(parameterisation: str) -> None:
    enumeration, t = ENUMERATIONS[0], 0.9
    config = FlowConfig(parameterisation=parameterisation)
    process, heads = ContinuousEditFlow(config), WildHeads(enumeration, 1.0, 0, reverse=False)
    batch = enumeration.pairs.batch
    state = timed(process, batch, batch.z1, torch.full((len(batch.z0),), t))
    terms = process.loss(heads, state)
    seen = state.forward
    canvas = enumeration.canvas().select(enumeration.find(seen.ids, seen.role, seen.live)).trimmed()
    exits = process.jumps(heads, canvas, t).rates.exit_rate()
    torch.testing.assert_close(terms.total * terms.tokens, exits.sum())
    assert bool((exits > 0).all())
    assert (int(terms.pending), int(terms.substitutions), int(terms.insertions)) == (0, 0, 0)


class Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Remembers the number of elements of the largest tensor that is made."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.numel = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        sizes = [leaf.numel() for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
        self.numel = max(self.numel, *sizes, 0)
        return out


@contextmanager
def limited(numel: int) -> Iterator[None]:
    """Fails where a tensor of at least so many elements is made."""
    with Largest() as largest:
        yield
    assert largest.numel < numel, f"a tensor of {largest.numel} elements, not below {numel}"


ROWS, LENGTH, LARGE = 8, 64, 8192


def long_rows() -> AlignedBatch:
    """Rows of 64 slots, a third of them insertions, deletions and substitutions."""
    generator = seeded(0)
    z = torch.randint(FIRST_TEXT_ID, LARGE, (2, ROWS, LENGTH), generator=generator)
    kind = torch.randint(0, 9, (ROWS, LENGTH), generator=generator)
    z0 = torch.where(kind == 0, BLANK, z[0])
    z1 = torch.where(kind == 1, BLANK, torch.where(kind > 2, z0, z[1]))
    for side in (z0, z1):
        side[:, 0], side[:, 1], side[:, -1] = BOS, EDIT, EOS
    return AlignedBatch(z0, z1, (z0 >= FIRST_TEXT_ID).long())


@pytest.mark.parametrize("name", ["continuous", "time-free"])
def test_no_tensor_is_as_large_as_every_token_times_the_vocabulary(name: str) -> None:
    process = ContinuousEditFlow() if name == "continuous" else EditFlow()
    network = small_network(vocab_size=LARGE, **({} if name == "continuous" else {"time_features": 0}))
    state = process.corrupt(long_rows(), torch.full((ROWS,), 0.3), seeded(0))
    with limited(ROWS * LENGTH * LARGE // 2):
        loss = process.loss(cast(TrainedHeads, network), cast(Any, state)).total
        loss.backward()  # type: ignore[no-untyped-call]
    trained = [n for n, p in network.named_parameters() if p.grad is not None and bool(p.grad.any())]
    assert {"insert_head.transform.weight", "substitute_head.transform.weight"} <= set(trained)
    assert ("reverse.insert_head.transform.weight" in trained) == (name == "continuous")


@pytest.mark.parametrize("backwards", [False, True])
def test_such_a_tensor_would_be_noticed(backwards: bool) -> None:
    """In the forward pass, and where only the gradient is that large."""
    states = torch.randn(ROWS * LENGTH, 4, requires_grad=True)
    embedding = torch.randn(LARGE, 4)
    context = limited(ROWS * LENGTH * LARGE // 2)
    if backwards:
        logits = (states @ embedding.T).logsumexp(1)
    with pytest.raises(AssertionError, match="a tensor of"), context:
        if backwards:
            torch.autograd.grad(logits.sum(), states)
        else:
            (states @ embedding.T).sum()


def test_the_last_moment_is_never_trained_at() -> None:
    pairs, generator = Pairs.random(0), seeded(0)
    state = ContinuousEditFlow().corrupt(pairs.draw(2, generator), torch.ones(2), generator)
    assert state.time.tolist() == pytest.approx([LATEST, LATEST])
    assert (state.weight == 20).all()


def test_an_empty_region_can_be_written_into_and_trained_on() -> None:
    """Generation starts there: the marker that opens the region is the anchor."""
    pairs = Pairs.random(0)
    process, network = ContinuousEditFlow(coupling=Empty(), sampling=Sampling(steps=4)), small_network()
    state = process.corrupt(pairs.batch, torch.zeros(len(pairs.batch.z0)), seeded(0))
    assert state.forward.ids.tolist() == [[BOS, EDIT, EOS]] * len(pairs.batch.z0)
    terms = process.loss(network, state)
    assert terms.total.isfinite() and int(terms.pending) == int((pairs.batch.z1 >= FIRST_TEXT_ID).sum())
    start = process.prior(pairs.sources(3, seeded(0)))
    assert start.editable_gaps.tolist() == [[False, True, False]] * 3
    rates = process.jumps(network, start, 0.5).rates
    assert rates.insert[:, 1].isfinite().all()
    assert rates.insert[:, [0, 2]].tolist() == [[float("-inf")] * 2] * 3


@pytest.mark.parametrize(
    "bad",
    [
        {"schedule": "cosine"},
        {"parameterisation": "exp"},
        {"propagation": -1.0},
        {"propagation": 1.0},
        {"max_weight": 0.0},
    ],
)
def test_a_configuration_that_does_not_exist_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        FlowConfig(**bad)


def test_renoise_takes_a_share_of_the_editable_tokens_out() -> None:
    canvas = Canvas.from_rows([([BOS, EDIT, *range(16, 46), EOS], [0, 0, *[1] * 30, 0])] * 100)
    process = ContinuousEditFlow()
    frozen = canvas.ids[0][canvas.frozen[0]].tolist()
    for share in (0.0, 0.3, 1.0):
        left = process.renoise(canvas, share, seeded(0))
        kept = (left.live & ~left.frozen).sum() / (30 * 100)
        assert abs(float(kept) - (1 - share)) < 0.03
        for b in range(len(left.ids)):
            assert left.ids[b][left.frozen[b] & left.live[b]].tolist() == frozen
            origin = left.origin[b][left.live[b]]
            assert (origin.diff() > 0).all()  # what is left stands in its old order

"""The loss at its analytic optimum on a problem small enough to enumerate, and the rules of a step."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, combinations
from math import comb
from typing import cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from editflow.canvas import BOS, EOS, FIRST_TEXT_ID, PAD, PLACEHOLDER, Canvas, Role, apply_edits
from editflow.heads import Hidden
from editflow.process.base import BLANK, AlignedBatch, TrainedHeads
from editflow.process.corruption import KEEP, SUBSTITUTE, Corrupted, observe
from editflow.process.edit_flow import EditFlow, Thresholds
from tests.core.oracle import FIRST_KEY, Noise, Oracle, canvas_of, text_of

VOCABULARY = FIRST_TEXT_ID + 3
MAX_COUNT = 4
KAPPAS = {0.0: 0.4, 0.5: 0.4, 0.8: 0.2}
Key = tuple[tuple[int, ...], tuple[int, ...]]
Path = tuple[int, ...]


@dataclass
class Weighted:
    """A corrupted pair with its probability."""

    probability: float
    state: Corrupted

    @property
    def key(self) -> Key:
        """All that a network sees of it."""
        return tuple(self.state.ids[0].tolist()), tuple(self.state.role[0].tolist())


@dataclass
class Problem:
    """A distribution of pairs over three tokens, and every x_t that it can lead to."""

    pairs: list[AlignedBatch]
    states: list[Weighted]


def random_pair(generator: torch.Generator) -> AlignedBatch:
    """One to four slots between two frozen tokens; few sources, so that an x_t has several explanations."""

    def drawn(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    slots = [(FIRST_TEXT_ID, FIRST_TEXT_ID)]
    for _ in range(drawn(1, 4)):
        old, new = drawn(FIRST_TEXT_ID - 1, VOCABULARY - 1), drawn(FIRST_TEXT_ID - 1, VOCABULARY)
        slot = (old if old >= FIRST_TEXT_ID else BLANK, new if new >= FIRST_TEXT_ID else BLANK)
        slots += [slot] if slot != (BLANK, BLANK) else []
    z0, z1 = torch.tensor([[(BOS, BOS), *slots, (EOS, EOS)]]).unbind(-1)
    role = torch.where(z0 >= FIRST_TEXT_ID, int(Role.ORIGINAL), 0)
    return AlignedBatch(z0, z1, role)


def subsets(items: list[int]) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def paths(pair: AlignedBatch, kappa: float) -> dict[Path, float]:
    """Every z_t with its probability: some slots have arrived, some runs of insertions show placeholders."""
    z0, z1 = pair.z0[0].tolist(), pair.z1[0].tolist()
    open_slots = [s for s in range(len(z0)) if z0[s] != z1[s]]
    found: dict[Path, float] = defaultdict(float)
    for arrived in subsets(open_slots):
        zt = [z1[s] if s in arrived else z0[s] for s in range(len(z0))]
        chance = kappa ** len(arrived) * (1 - kappa) ** (len(open_slots) - len(arrived))
        pending = [s for s in range(len(z0)) if zt[s] == BLANK and z1[s] >= 0]
        runs = [s for s in pending if s - 1 not in pending]
        for opened in subsets(runs):
            # the share is 0 for half of the rows, else uniform: its integral is a Beta function
            share = 0.5 / ((len(runs) + 1) * comb(len(runs), len(opened))) + 0.5 * (not opened)
            hidden = {s for s in pending if max(run for run in runs if run <= s) in opened}
            found[tuple(PLACEHOLDER if s in hidden else zt[s] for s in range(len(zt)))] += chance * share
    return found


def make_problem(seed: int) -> Problem:
    generator = torch.Generator().manual_seed(seed)
    pairs = [random_pair(generator) for _ in range(12)]
    weights = torch.rand(len(pairs), generator=generator, dtype=torch.float64)
    weights /= weights.sum()
    states = []
    for pair, weight in zip(pairs, weights.tolist(), strict=True):
        found: dict[Path, float] = defaultdict(float)
        for kappa, share in KAPPAS.items():
            for zt, chance in paths(pair, kappa).items():
                found[zt] += weight * share * chance
        states += [Weighted(p, observe(pair, torch.tensor([zt]))) for zt, p in found.items()]
    return Problem(pairs, states)


class Table:
    """Heads that are one free logit for every x_t, place and answer."""

    def __init__(self, problem: Problem) -> None:
        self.index = {key: n for n, key in enumerate(dict.fromkeys(w.key for w in problem.states))}
        size = (len(self.index), max(len(ids) for ids, _ in self.index))
        widths = {
            "operation": 3,
            "complete": 2,
            "count": MAX_COUNT,
            "substitute": VOCABULARY,
            "insert": VOCABULARY,
        }
        self.logits = {name: torch.zeros(*size, width, dtype=torch.float64) for name, width in widths.items()}
        for weighted in problem.states:
            self._count(weighted)
        for name, counts in self.logits.items():
            self.logits[name] = counts.clamp_min(1e-14).log().requires_grad_()

    def _count(self, weighted: Weighted) -> None:
        """Add what is pending: up to a factor, the conditional expectation given x_t."""
        state, p, n = weighted.state, weighted.probability, self.index[weighted.key]
        for column in state.editable[0].nonzero().flatten().tolist():
            self.logits["operation"][n, column, int(state.operation[0, column])] += p
        for column in state.gaps[0].nonzero().flatten().tolist():
            missing = int(state.missing[0, column])
            self.logits["complete"][n, column, int(missing > 0)] += p
            if missing:
                self.logits["count"][n, column, missing - 1] += p
        for column, token in zip(
            state.substitute_column.tolist(), state.substitute_token.tolist(), strict=True
        ):
            self.logits["substitute"][n, column, token] += p
        for column, token in zip(state.insert_column.tolist(), state.insert_token.tolist(), strict=True):
            self.logits["insert"][n, column, token] += p

    def __call__(self, ids: Tensor, role: Tensor, live: Tensor, time: Tensor | None = None) -> Hidden:
        n = self.index[tuple(ids[0].tolist()), tuple(role[0].tolist())]
        return Hidden(torch.tensor([n]), ids, live)

    def operations(self, hidden: Hidden) -> Tensor:
        return self._answers("operation", hidden).log_softmax(-1)

    def gaps(self, hidden: Hidden) -> tuple[Tensor, Tensor]:
        complete = self._answers("complete", hidden)
        return complete[..., 0] - complete[..., 1], self._answers("count", hidden).log_softmax(-1)

    def substitution_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        return self._answers("substitute", hidden).log_softmax(-1)[row, column, token]

    def insertion_log_prob(self, hidden: Hidden, row: Tensor, column: Tensor, token: Tensor) -> Tensor:
        return self._answers("insert", hidden).log_softmax(-1)[row, column, token]

    def _answers(self, name: str, hidden: Hidden) -> Tensor:
        return self.logits[name][hidden.states][:, : hidden.ids.shape[1]]


def expected_loss(table: Table, problem: Problem) -> Tensor:
    heads = cast(TrainedHeads, table)
    losses = [w.probability * EditFlow().loss(heads, w.state).total for w in problem.states]
    return torch.stack(losses).sum()


@pytest.mark.parametrize("seed", range(3))
def test_the_conditional_expectations_are_the_minimum_of_the_loss(seed: int) -> None:
    problem = make_problem(seed)
    table = Table(problem)
    assert len(table.index) < len(problem.states)
    least = expected_loss(table, problem)
    least.backward()  # type: ignore[no-untyped-call]
    assert all(float(cast(Tensor, p.grad).abs().max()) < 1e-7 for p in table.logits.values())
    optimum = {name: p.detach() for name, p in table.logits.items()}
    for name in optimum:  # no head is left out
        table.logits = optimum | {name: torch.zeros_like(optimum[name])}
        assert float(expected_loss(table, problem)) > float(least.detach()) + 0.01
    generator = torch.Generator().manual_seed(seed)
    for scale in (0.1, 1.0):
        moved = {n: p + scale * torch.randn(p.shape, generator=generator) for n, p in optimum.items()}
        for table.logits in [moved, *(optimum | {name: moved[name]} for name in optimum)]:
            margin = 1e-3 * scale**2 if table.logits is moved else -1e-12
            assert float(expected_loss(table, problem)) > float(least.detach()) + margin


@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_gives_the_rates_of_the_theorem(seed: int) -> None:
    """u*(op | x_t) / w(t) is the expected number of pending slots that ask for op (Theorem 3.1)."""
    problem = make_problem(seed)
    table = Table(problem)
    seen: Counter[Key] = Counter()
    asked: Counter[tuple[Key, str, int, int]] = Counter()
    for w in problem.states:
        seen[w.key] += w.probability  # type: ignore[assignment]
        for kind in ("substitute", "insert"):
            columns = getattr(w.state, f"{kind}_column").tolist()
            for column, token in zip(columns, getattr(w.state, f"{kind}_token").tolist(), strict=True):
                place = w.state.editable if kind == "substitute" else w.state.gaps
                if place[0, column]:
                    asked[w.key, kind, column, token] += w.probability  # type: ignore[assignment]
    assert {kind for _, kind, _, _ in asked} == {"substitute", "insert"}
    q = {name: logits.detach().softmax(-1) for name, logits in table.logits.items()}
    counts = torch.arange(1, MAX_COUNT + 1, dtype=torch.float64)
    for (key, kind, column, token), probability in asked.items():
        at = table.index[key], column
        substitutions = float(q["operation"][at][SUBSTITUTE])
        insertions = float(q["complete"][at][1] * (counts * q["count"][at]).sum())
        rate = substitutions if kind == "substitute" else insertions
        assert rate * float(q[kind][at][token]) == pytest.approx(probability / seen[key], abs=1e-6)


@pytest.mark.parametrize("kappa", [0.0, 0.5])
def test_corruption_draws_the_states_that_were_enumerated(kappa: float) -> None:
    draws = 3000
    for n, pair in enumerate(make_problem(1).pairs):
        repeated = AlignedBatch(*(getattr(pair, name).repeat(draws, 1) for name in ("z0", "z1", "role")))
        generator = torch.Generator().manual_seed(n)
        state = EditFlow().corrupt(repeated, torch.full((draws,), kappa), generator)
        fields = torch.cat((state.ids, state.role, state.operation, state.missing), 1).reshape(draws, 4, -1)
        drawn = Counter(
            tuple(map(tuple, field[:, row].tolist())) for field, row in zip(fields, state.live, strict=True)
        )
        expected: dict[object, float] = defaultdict(float)
        for zt, probability in paths(pair, kappa).items():
            one = observe(pair, torch.tensor([zt]))
            parts = (one.ids, one.role, one.operation, one.missing)
            expected[tuple(tuple(part[0].tolist()) for part in parts)] += probability
        assert set(drawn) <= {key for key, probability in expected.items() if probability > 0}
        for key, probability in expected.items():
            assert drawn[key] / draws == pytest.approx(probability, abs=0.04)  # type: ignore[index]


TEXT = st.lists(st.integers(FIRST_TEXT_ID, FIRST_KEY - 1) | st.just(PLACEHOLDER), max_size=12)


@given(st.lists(TEXT, min_size=1, max_size=3), st.integers(0, 2**32), st.integers(1, 8))
def test_no_step_touches_a_frozen_token_or_writes_a_special_one(
    texts: list[list[int]], seed: int, passes_left: int
) -> None:
    canvas = canvas_of(texts)
    edits = EditFlow(Thresholds(0.3, 0.3, 0.3)).step(Noise(seed), canvas, passes_left)
    substituted, inserted = edits.substitute >= 0, edits.insert > 0
    assert not (edits.delete & substituted).any()
    assert not ((edits.delete | substituted) & canvas.frozen).any()
    assert not (inserted & ~canvas.editable_gaps).any()
    assert (edits.substitute[substituted] >= FIRST_TEXT_ID).all()
    assert (edits.substitute != canvas.ids)[substituted].all()
    assert (edits.insert_id[edits.insert == 1] >= FIRST_TEXT_ID).all()
    assert (edits.insert_id[edits.insert > 1] == PLACEHOLDER).all()
    for probability, at in (
        (edits.probability, edits.delete | substituted),
        (edits.insert_probability, inserted),
    ):
        assert ((probability[at] > 0) & (probability[at] <= 1)).all()
    if passes_left == 1:
        after = apply_edits(canvas, edits, 1000)
        assert (edits.insert <= 1).all()
        assert not (after.ids == PLACEHOLDER).any()


@pytest.mark.parametrize("favourite", [None, BOS, EOS, PLACEHOLDER])
def test_a_step_that_wants_the_token_itself_or_a_special_one_writes_the_next_best(
    favourite: int | None,
) -> None:
    class Stubborn(Oracle):
        """Puts all but a rest on the token that stands there, or on one special token everywhere."""

        def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
            answers = super().substitutions(hidden, row, column)
            here = hidden.ids[row, column] if favourite is None else torch.full_like(row, favourite)
            return answers.scatter(1, here[:, None], 9.0)

        def insertions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
            return (
                super().insertions(hidden, row, column).index_fill(1, torch.tensor([favourite or PAD]), 9.0)
            )

    canvas = canvas_of([[20, 21, 22]])
    edits = EditFlow().step(Stubborn({0: [20, 30, 22, 31]}), canvas, 8)
    assert edits.substitute.tolist() == [[-1, -1, -1, -1, 30, -1, -1]]
    assert (edits.insert.tolist(), int(edits.insert_id[0, 5, 0])) == ([[0, 0, 0, 0, 0, 1, 0]], 31)


def test_one_missing_token_is_written_at_once_and_a_run_opens_placeholders() -> None:
    oracle = Oracle({0: [20, 21, 22, 23], 1: [20, 23]})
    canvas = canvas_of([[20, 23], [23]])
    after = apply_edits(canvas, EditFlow().step(oracle, canvas, 8), 100)
    assert text_of(after.select(torch.tensor([0]))) == [20, PLACEHOLDER, PLACEHOLDER, 23]
    assert text_of(after.select(torch.tensor([1]))) == [20, 23]


@pytest.mark.parametrize(
    ("kind", "target", "probability"),
    [("delete", [20], 0.85), ("substitute", [20, 30], 0.85), ("insert", [20, 21, 22], 0.7)],
)
def test_an_operation_fires_from_its_threshold_on(kind: str, target: list[int], probability: float) -> None:
    """At a certainty of 0.7 the two other operations share 0.3, so a token is kept with 0.15."""
    oracle, canvas = Oracle({0: target}, certainty=0.7), canvas_of([[20, 21]])
    for threshold, fires in ((probability - 0.05, True), (probability + 0.05, False)):
        process = EditFlow(replace(Thresholds(), **{kind: threshold}))
        assert bool(process.step(oracle, canvas, 8).changed().any()) == fires


def test_placeholders_are_filled_most_certain_first() -> None:
    class Ranked(Oracle):
        def substitutions(self, hidden: Hidden, row: Tensor, column: Tensor) -> Tensor:
            best = torch.tensor([0.3, 0.5, 0.4, 0.2, 0.6, 0.1])[column - 3].log()
            return torch.full((len(row), FIRST_KEY), -9.0).index_put(
                (torch.arange(len(row)), column + 20), best
            )

    canvas = canvas_of([[PLACEHOLDER] * 6])
    heads = Ranked({0: [20] * 6}, certainty=0.8)
    for passes_left, filled in ((8, [4, 1]), (2, [4, 1, 2]), (1, range(6))):
        edits = EditFlow(fill_passes=3).step(heads, canvas, passes_left)
        expected = {column + 3: column + 23 for column in filled}
        assert {c: t for c, t in enumerate(edits.substitute[0].tolist()) if t >= 0} == expected
    sure = EditFlow(Thresholds(fill=0.35), fill_passes=3).step(heads, canvas, 8)
    assert (sure.substitute[0] >= 0).nonzero().flatten().tolist() == [4, 5, 7]


def test_strictness_scales_the_thresholds_of_its_row() -> None:
    """The oracle's edits have 0.85 and 0.7, at thresholds of 0.5."""
    oracle = Oracle({b: [20, 30] if b < 3 else [20, 21, 22] for b in range(6)}, certainty=0.7)
    canvas = replace(canvas_of([[20, 21]] * 6), strictness=torch.tensor([0.5, 1.6, 1.8] * 2))
    assert EditFlow().step(oracle, canvas, 8).changed().tolist() == [True, True, False, True, False, False]


def test_temperature_draws_tokens_for_its_row_alone() -> None:
    oracle, canvas = Oracle({0: [20, 30], 1: [20, 30], 2: [20, 21, 22]}), canvas_of([[20, 21]] * 3)
    warm = replace(canvas, temperature=torch.tensor([0.0, 50.0, 50.0]))

    def tokens(seed: int | None, canvas: Canvas) -> list[int]:
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        edits = EditFlow(generator=generator).step(oracle, canvas, 8)
        return [*edits.substitute[:2, 4].tolist(), int(edits.insert_id[2, 4, 0])]

    assert tokens(None, warm) == tokens(0, canvas) == [30, 30, 22]
    assert tokens(0, warm) == tokens(0, warm)
    drawn = [tokens(seed, warm) for seed in range(30)]
    assert {cold for cold, _, _ in drawn} == {30}
    for place in (1, 2):
        assert len({row[place] for row in drawn}) > 10
        assert min(row[place] for row in drawn) >= FIRST_TEXT_ID
    assert 21 not in {row[1] for row in drawn}


def test_suspicion_is_where_the_edits_are() -> None:
    oracle = Oracle({0: [20, 30, 26, 27, 23, 24, 25], 1: [20, 21]}, certainty=0.99)
    canvas = canvas_of([[20, 21, 26, 22, 27, 23, 25], [20, 21]])
    suspicious = EditFlow().suspicion(oracle, canvas) > 0.5
    # after three columns of context: 21 becomes 30, 22 is deleted, 24 is missing right of 23
    assert suspicious.nonzero().tolist() == [[0, 4], [0, 6], [0, 8]]


def test_renoise_hides_a_share_of_the_editable_tokens_only() -> None:
    canvas = canvas_of([list(range(20, 50))] * 100)
    generator = torch.Generator().manual_seed(0)
    noisy = EditFlow().renoise(canvas, 0.3, generator)
    hidden = noisy.ids == PLACEHOLDER
    assert 0.27 < float(hidden[~canvas.frozen].float().mean()) < 0.33
    assert not (hidden & canvas.frozen).any()
    assert noisy.ids[~hidden].equal(canvas.ids[~hidden])
    assert noisy.role.equal(torch.where(hidden, int(Role.EDITED), canvas.role))
    assert EditFlow().renoise(canvas, 0.0, generator).ids.equal(canvas.ids)
    assert EditFlow().renoise(canvas, 1.0, generator).ids.eq(PLACEHOLDER).equal(~canvas.frozen)


def test_the_prior_of_a_repair_is_its_source() -> None:
    canvas = canvas_of([[20, 21]])
    assert EditFlow().prior(canvas) is canvas


def test_a_state_without_pending_operations_has_a_finite_loss() -> None:
    z = torch.tensor([[BOS, FIRST_TEXT_ID, EOS]])
    pair = AlignedBatch(z, z, torch.tensor([[0, 1, 0]]))
    state = observe(pair, pair.z0)
    table = Table(Problem([pair], [Weighted(1.0, state)]))
    terms = EditFlow().loss(cast(TrainedHeads, table), state)
    assert float(terms.total.detach()) == pytest.approx(0, abs=1e-9)
    assert (int(terms.tokens), int(terms.substitutions), int(terms.insertions)) == (1, 0, 0)
    assert (state.operation == KEEP).all()


def test_a_branch_makes_the_operation_of_its_rank_and_no_other() -> None:
    """With thresholds out of reach, rank 1 is the oracle's edit, each rank another one, and it lasts one pass."""
    oracle = Oracle({row: [20, 30] for row in range(4)}, certainty=0.7)
    canvas = replace(canvas_of([[20, 21]] * 4), branch=torch.tensor([0, 1, 2, 3]))
    edits = EditFlow(Thresholds(1.1, 1.1, 1.1)).step(oracle, canvas, 8)
    made = edits.delete.long() + (edits.substitute >= 0) + (edits.insert > 0)
    assert made.sum(1).tolist() == [0, 1, 1, 1]
    assert edits.substitute[1, 4] == 30
    assert made[1].tolist() != made[2].tolist() or edits.insert[1].tolist() != edits.insert[2].tolist()
    assert apply_edits(canvas, edits, 99).branch.tolist() == [0, 0, 0, 0]

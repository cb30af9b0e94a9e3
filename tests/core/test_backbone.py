"""The network: padding is never felt, Q is a distribution however it is asked, and training stays small."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from editflow.backbone import Backbone, BackboneConfig, rotary, rotate
from editflow.canvas import BOS, EOS, FIRST_TEXT_ID, Canvas, Role
from editflow.heads import Hidden
from editflow.process.base import AlignedBatch
from editflow.process.edit_flow import EditFlow

CONFIG = BackboneConfig(vocab_size=256, width=32, layers=2, heads=2, hidden=48, copy_width=8, max_count=4)


def make_backbone(config: BackboneConfig = CONFIG, seed: int = 0) -> Backbone:
    """A network in which every part has an effect; a fresh one starts with its blocks switched off."""
    torch.manual_seed(seed)
    model = Backbone(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def make_canvas(lengths: list[int], seed: int = 0) -> Canvas:
    """Rows of the given lengths: a frozen token at each end, and ids that occur more than once."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for length in lengths:
        body = torch.randint(FIRST_TEXT_ID, FIRST_TEXT_ID + 30, (length - 2,), generator=generator).tolist()
        roles = torch.randint(1, 4, (length - 2,), generator=generator).tolist()
        rows.append(([BOS, *body, EOS], [int(Role.CONTEXT), *roles, int(Role.CONTEXT)]))
    return Canvas.from_rows(rows)


def run(model: Backbone, canvas: Canvas) -> Hidden:
    hidden: Hidden = model(canvas.ids, canvas.role, canvas.live)
    return hidden


@torch.no_grad()
def test_a_row_in_a_padded_batch_is_as_it_is_alone() -> None:
    model, canvas = make_backbone(), make_canvas([5, 17, 11, 3])
    together = run(model, canvas)
    for b in range(4):
        row = canvas.select(torch.tensor([b])).trimmed()
        alone, length = run(model, row), row.ids.shape[1]
        column = torch.arange(length)
        gaps = row.editable_gaps[0]
        rows, zeros = torch.full_like(column, b), torch.zeros_like(column)
        pairs = [
            (together.states[b, :length], alone.states[0]),
            (model.operations(together)[b, :length], model.operations(alone)[0]),
            (model.substitutions(together, rows, column), model.substitutions(alone, zeros, column)),
            (model.insertions(together, rows, column), model.insertions(alone, zeros, column)),
        ]
        pairs += [
            (many[b, :length][gaps], one[0][gaps])
            for many, one in zip(model.gaps(together), model.gaps(alone), strict=True)
        ]
        for many, one in pairs:
            assert one.dtype == torch.float32
            assert torch.allclose(many, one, atol=1e-5)


@torch.no_grad()
def test_every_live_token_is_felt_on_both_sides() -> None:
    model, canvas = make_backbone(), make_canvas([12])
    before = run(model, canvas).states[0]
    for changed in (2, 9):
        ids = canvas.ids.clone()
        ids[0, changed] += 1
        after = model(ids, canvas.role, canvas.live).states[0]
        assert ((after - before).abs().amax(1) > 1e-4).all()
    roles = torch.where(canvas.role == Role.ORIGINAL, int(Role.MARKED), canvas.role)
    assert not torch.allclose(model(canvas.ids, roles, canvas.live).states[0], before, atol=1e-3)


@pytest.mark.parametrize("kind", ["substitution", "insertion"])
def test_q_is_a_distribution_however_it_is_asked(kind: str) -> None:
    model, canvas = make_backbone(), make_canvas([9, 4, 14])
    hidden = run(model, canvas)
    row, column = canvas.live.nonzero(as_tuple=True)
    row, column = row.repeat_interleave(2), column.repeat_interleave(2)
    log_q: Tensor = getattr(model, f"{kind}s")(hidden, row, column)
    assert log_q.shape == (len(row), CONFIG.vocab_size)
    assert torch.allclose(log_q.exp().sum(1), torch.ones(len(row)), atol=1e-5)
    token = torch.randint(0, 50, (len(row),), generator=torch.Generator().manual_seed(1))
    gathered = getattr(model, f"{kind}_log_prob")(hidden, row, column, token)
    assert torch.allclose(gathered, log_q.gather(1, token[:, None])[:, 0], atol=1e-5)


@torch.no_grad()
def test_a_token_of_the_row_can_be_copied_and_one_of_another_row_cannot() -> None:
    model = make_backbone()
    model.substitute_head.gate.bias.fill_(30.0)  # copy only
    canvas = make_canvas([8, 12])
    row = torch.tensor([0, 0, 1])
    q = model.substitutions(run(model, canvas), row, torch.tensor([2, 5, 3])).exp()
    for place, b in enumerate(row.tolist()):
        present = torch.zeros(CONFIG.vocab_size, dtype=torch.bool)
        present[canvas.ids[b][canvas.live[b]]] = True
        assert float(q[place][present].sum()) == pytest.approx(1, abs=1e-4)
        assert (q[place][~present] < 1e-6).all()


@torch.no_grad()
def test_operations_and_counts_are_distributions_in_float32_under_autocast() -> None:
    model, canvas = make_backbone(), make_canvas([9, 4])
    with torch.autocast("cpu", torch.bfloat16):
        hidden = run(model, canvas)
        operations, (complete, counts) = model.operations(hidden), model.gaps(hidden)
        row, column = canvas.live.nonzero(as_tuple=True)
        log_q = model.insertions(hidden, row, column)
    assert {t.dtype for t in (operations, complete, counts, log_q)} == {torch.float32}
    assert (operations.shape, complete.shape, counts.shape) == ((2, 9, 3), (2, 9), (2, 9, CONFIG.max_count))
    for distribution in (operations, counts, log_q):
        assert torch.allclose(distribution.exp().sum(-1), torch.ones(()), atol=1e-4)


@torch.no_grad()
def test_a_fresh_network_edits_nothing() -> None:
    canvas = make_canvas([20, 6])
    model = Backbone(CONFIG)
    assert not EditFlow().step(model, canvas, 8).changed().any()
    assert (model.operations(run(model, canvas))[..., 0].exp() > 0.95).all()


def test_rotation_depends_on_the_distance_alone() -> None:
    q, k = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))
    cos, sin = rotary(torch.arange(40), 16, 10_000.0)
    turned_q, turned_k = (rotate(x.expand(40, 1, 16), cos, sin)[:, 0] for x in (q, k))
    scores = turned_q @ turned_k.T
    for distance in (0, 3, 11):
        diagonal = scores.diagonal(-distance)
        assert torch.allclose(diagonal, diagonal[0].expand_as(diagonal), atol=1e-4)
    assert float(scores[0, 0]) == pytest.approx(float(q @ k), abs=1e-5)


@pytest.mark.parametrize("shape", [{"width": 30, "heads": 4}, {"width": 6, "heads": 2}])
def test_a_width_that_heads_cannot_share_is_refused(shape: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="width"):
        BackboneConfig(**shape)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kv_heads", 3),
        ("head_width", 7),
        ("qk_norm", 3),
        ("shift", 2),
        ("untied", -1),
        ("rope_base", 0.0),
        ("norm_epsilon", float("nan")),
    ],
)
def test_a_shape_that_cannot_be_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name if name != "head_width" else "width"):
        replace(CONFIG, **{name: value})


SHARED = replace(CONFIG, heads=4, kv_heads=2, head_width=6, qk_norm=2, qkv_bias=1, untied=1)


@pytest.mark.parametrize("config", [CONFIG, SHARED, replace(CONFIG, time_features=8, reverse=1)])
def test_the_size_of_all_matrices_is_known_without_building_them(config: BackboneConfig) -> None:
    assert config.matrix_size() == sum(p.numel() for p in Backbone(config).parameters() if p.ndim == 2)


@torch.no_grad()
def test_shared_keys_are_repeated_ones() -> None:
    """A network in which two queries share a key computes what one with each key twice does."""
    model, canvas = make_backbone(SHARED), make_canvas([9, 6])
    wide = Backbone(replace(SHARED, kv_heads=4))
    state = model.state_dict()
    for name in [n for n in state if ".qkv." in n]:
        q, k, v = state[name].split((24, 12, 12))
        twice = [x.unflatten(0, (2, 6)).repeat_interleave(2, 0).flatten(0, 1) for x in (k, v)]
        state[name] = torch.cat((q, *twice))
    wide.load_state_dict(state)
    assert torch.allclose(run(wide, canvas).states, run(model, canvas).states, atol=1e-5)


@torch.no_grad()
def test_shifted_substitutions_are_read_from_the_token_before_and_insertions_are_not() -> None:
    plain, canvas = make_backbone(), make_canvas([9, 4])
    shifted = Backbone(replace(CONFIG, shift=1))
    shifted.load_state_dict(plain.state_dict())
    hidden = run(plain, canvas)
    row, column = torch.tensor([0, 0, 1]), torch.tensor([1, 5, 2])
    token = torch.tensor([20, 21, 22])
    assert shifted.substitutions(hidden, row, column).equal(plain.substitutions(hidden, row, column - 1))
    assert shifted.insertions(hidden, row, column).equal(plain.insertions(hidden, row, column))
    gathered = shifted.substitution_log_prob(hidden, row, column, token)
    assert gathered.equal(plain.substitution_log_prob(hidden, row, column - 1, token))


@torch.no_grad()
def test_an_untied_network_answers_by_a_matrix_of_its_own() -> None:
    model, canvas = make_backbone(SHARED), make_canvas([9])
    hidden, one = run(model, canvas), torch.tensor([0])
    before = model.insertions(hidden, one, one)
    model.embedding.weight.mul_(2)
    assert model.insertions(hidden, one, one).equal(before)
    model.output.weight.mul_(2)
    assert not torch.allclose(model.insertions(hidden, one, one), before, atol=1e-3)


class Largest(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the shapes of all tensors that any operation makes, backward ones included."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.shapes: set[tuple[int, ...]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.shapes |= {tuple(leaf.shape) for leaf in tree_leaves(out) if isinstance(leaf, Tensor)}
        return out

    @property
    def numel(self) -> int:
        """Elements of the largest one."""
        return max(torch.Size(shape).numel() for shape in self.shapes)


def some_pairs(rows: int, length: int) -> AlignedBatch:
    """Rows in which every sixth token is replaced and every tenth is missing."""
    generator = torch.Generator().manual_seed(0)
    z1 = torch.randint(FIRST_TEXT_ID, 256, (rows, length), generator=generator)
    z1[:, 0], z1[:, -1] = BOS, EOS
    z0, role = z1.clone(), torch.ones_like(z1)
    z0[:, 3:-1:6] = FIRST_TEXT_ID
    z0[:, 5:-1:10] = -1
    role[:, [0, -1]] = int(Role.CONTEXT)
    return AlignedBatch(z0, z1, torch.where(z0 < 0, 0, role))


def test_a_training_step_makes_no_tensor_of_batch_by_length_by_vocabulary() -> None:
    rows, length, vocabulary = 4, 40, 2048
    config = BackboneConfig(vocabulary, width=16, layers=1, heads=2, hidden=24, copy_width=8, max_count=4)
    model, batch = make_backbone(config), some_pairs(rows, length)
    with Largest() as seen:
        state = EditFlow().corrupt(batch, torch.full((rows,), 0.2), torch.Generator().manual_seed(0))
        terms = EditFlow().loss(model, state)
        terms.total.backward()  # type: ignore[no-untyped-call]
        torch.optim.SGD(model.parameters(), 0.1).step()
    assert (len(state.substitute_token), vocabulary) in seen.shapes
    assert len(state.insert_token) > 0
    assert seen.numel < rows * state.ids.shape[1] * vocabulary
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_a_batch_without_pending_operations_trains() -> None:
    model, batch = make_backbone(), some_pairs(2, 12)
    clean = AlignedBatch(batch.z1, batch.z1, torch.where(batch.z1 >= FIRST_TEXT_ID, 1, 0))
    state = EditFlow().corrupt(clean, torch.zeros(2), torch.Generator().manual_seed(0))
    terms = EditFlow().loss(model, state)
    terms.total.backward()  # type: ignore[no-untyped-call]
    assert float(terms.total.detach()) == pytest.approx(float((terms.operation + terms.gap) / terms.tokens))
    assert float(terms.count + terms.substitute + terms.insert) == 0
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@torch.no_grad()
def test_time_enters_by_the_first_token_of_its_row_alone() -> None:
    model, canvas = make_backbone(replace(CONFIG, time_features=8)), make_canvas([7, 7])
    seen: list[Tensor] = []
    model.blocks[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    for time in ([0.0, 0.5], [0.9, 0.5]):
        model(canvas.ids, canvas.role, canvas.live, torch.tensor(time))
    assert (seen[0] != seen[1]).any(-1).nonzero().tolist() == [[0, 0]]
    with pytest.raises(ValueError, match="needs the time"):
        run(model, canvas)


@torch.no_grad()
def test_a_fresh_network_does_not_feel_the_time_and_one_without_ignores_it() -> None:
    canvas = make_canvas([7, 5])
    for model in (Backbone(replace(CONFIG, time_features=8)), make_backbone()):
        early, late = (model(canvas.ids, canvas.role, canvas.live, torch.full((2,), t)) for t in (0.0, 1.0))
        assert early.states.equal(late.states)


@torch.no_grad()
def test_the_adjacency_embedding_marks_the_neighbours_of_what_the_flow_wrote() -> None:
    model = make_backbone(replace(CONFIG, adjacency=1))
    role = torch.tensor([[0, 1, 2, 1, 1, 2, 2, 0]])
    ids, live = torch.full_like(role, FIRST_TEXT_ID), torch.ones_like(role).bool()
    seen: list[Tensor] = []
    model.blocks[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    assert model.adjacency is not None
    for vector in (torch.zeros(CONFIG.width), torch.ones(CONFIG.width)):
        model.adjacency.copy_(vector)
        model(ids, role, live)
    assert (seen[1] - seen[0])[0, :, 0].round().tolist() == [0, 1, 0, 1, 1, 1, 1, 1]

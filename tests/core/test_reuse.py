"""A network without time that remembers: same answers, fewer runs."""

from dataclasses import replace

import torch
from hypothesis import given
from hypothesis import strategies as st

from editflow.backbone import Backbone, BackboneConfig
from editflow.canvas import FIRST_TEXT_ID, Canvas
from editflow.process.continuous import ContinuousEditFlow, Sampling
from editflow.process.guidance import Guidance
from editflow.reuse import REMEMBERED, Reuse
from editflow.sampler import Sampler
from tests.core.oracle import VOCABULARY, canvas_of

SHAPE = BackboneConfig(VOCABULARY, width=16, layers=1, heads=2, hidden=24, copy_width=8, max_count=4)


def make_network() -> Backbone:
    torch.manual_seed(0)
    network = Backbone(SHAPE)
    with torch.no_grad():
        network.operation_head.weight.normal_()
        network.gap_head.weight.normal_()
    return network.eval().requires_grad_(False)


NETWORK = make_network()
TEXT = st.lists(st.integers(FIRST_TEXT_ID, FIRST_TEXT_ID + 5), max_size=6)


def same(one: Reuse | Backbone, other: Reuse | Backbone, canvas: Canvas) -> None:
    hidden, expected = (heads(canvas.ids, canvas.role, canvas.live) for heads in (one, other))
    torch.testing.assert_close(hidden.states[canvas.live], expected.states[canvas.live])
    at = canvas.live.nonzero(as_tuple=True)
    torch.testing.assert_close(one.operations(hidden)[canvas.live], other.operations(expected)[canvas.live])
    torch.testing.assert_close(one.substitutions(hidden, *at), other.substitutions(expected, *at))
    torch.testing.assert_close(one.insertions(hidden, *at), other.insertions(expected, *at))


@given(st.lists(st.lists(TEXT, min_size=1, max_size=4), min_size=1, max_size=4))
def test_answers_are_those_of_the_network(batches: list[list[list[int]]]) -> None:
    reuse = Reuse(NETWORK)
    for texts in batches:
        same(reuse, NETWORK, canvas_of(texts))


def test_only_new_rows_are_run() -> None:
    reuse, canvas = Reuse(NETWORK), canvas_of([[20, 21], [22], [22, 23]])
    same(reuse, NETWORK, canvas)
    same(reuse, NETWORK, canvas)
    assert reuse.evaluations == 3
    changed = canvas.ids.clone()
    changed[1, 3] = 24
    same(reuse, NETWORK, replace(canvas, ids=changed))
    assert reuse.evaluations == 4
    marked = canvas.role.clone()
    marked[0, 3] = 2
    same(reuse, NETWORK, replace(canvas, role=marked))
    assert reuse.evaluations == 5


def test_what_is_remembered_is_bounded() -> None:
    reuse = Reuse(NETWORK)
    for token in range(20, 40):
        reuse(*(getattr(canvas_of([[token]]), name) for name in ("ids", "role", "live")))
    assert len(reuse._states) == REMEMBERED
    same(reuse, NETWORK, canvas_of([[20]]))
    assert reuse.evaluations == 21


def test_a_guided_run_is_that_of_the_network_at_a_fraction_of_the_cost() -> None:
    canvas, rows = canvas_of([[20, 21, 22], [23, 24]]), []
    reuse = Reuse(NETWORK)
    for heads in (NETWORK, reuse):
        process = ContinuousEditFlow(sampling=Sampling(50, guidance=Guidance(0.5, 0.5)))
        rows.append(Sampler(process, heads, process.passes).run(canvas).rows)
    for one, other in zip(*rows, strict=True):
        assert one.ids.equal(other.ids)
    assert 0 < reuse.evaluations < 100

"""Guidance against its definition: jump by jump on a small vocabulary, and on windows with and without a condition."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from editflow.backbone import Backbone, BackboneConfig
from editflow.canvas import FIRST_TEXT_ID, Canvas
from editflow.diagnostic import Diagnostic
from editflow.process.continuous import ContinuousEditFlow, Sampling
from editflow.process.guidance import Guidance, GuidedJumps, condition, unconditioned
from editflow.process.jumps import Jumps, ModelJumps
from editflow.tokens import CodeTokenizer
from editflow.window import DIAGNOSTIC, INSTRUCTION, Window, encode_window

CONFIG = BackboneConfig(
    vocab_size=600, width=32, layers=2, heads=2, hidden=48, copy_width=8, max_count=4, time_features=8
)
SMALL = replace(CONFIG, vocab_size=FIRST_TEXT_ID + 5)
TIME = 0.6
BARE = Window("x = foo(1)\n", file="a.py", imports="import os\n", after="y = 2\n")
FAULTY = replace(
    BARE, diagnostics=(Diagnostic(4, 7, "undefined name 'foo'", "pyflakes"),), instruction="rename it"
)
TEXT = st.text("ab<edit>\n .()é", min_size=1, max_size=40)
STRENGTH = st.floats(-2, 4)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    text, part = draw(TEXT), st.just("") | TEXT
    count = draw(st.integers(0, 5))
    diagnostics = tuple(Diagnostic(n % len(text), len(text), draw(TEXT), "python") for n in range(count))
    return Window(text, diagnostics, *[draw(part) for _ in range(6)])  # file to after


def network(config: BackboneConfig = CONFIG) -> Backbone:
    """Random, with an effect of every part; time, too, starts switched off."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Backbone(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model.requires_grad_(False)


def canvas_of(tokenizer: CodeTokenizer, *rows: Window) -> Canvas:
    encoded = [encode_window(window, tokenizer) for window in rows]
    return Canvas.from_rows([(row.ids, row.roles) for row in encoded])


def small_canvas() -> Canvas:
    """A condition of two tokens, a region of three, over five text tokens."""
    ids = [1, 5, 16, 17, 10, 18, 16, 20, 2]
    return Canvas.from_rows([(ids, [0, 0, 0, 0, 0, 1, 3, 1, 0])])


def jumps_of(model: Backbone, canvas: Canvas, guidance: Guidance) -> Jumps:
    return ContinuousEditFlow(sampling=Sampling(guidance=guidance)).jumps(model, canvas, TIME)


def parts(model: Backbone, canvas: Canvas) -> tuple[ModelJumps, ModelJumps]:
    """The model's jumps with the condition, and without it."""
    guided = jumps_of(model, canvas, Guidance(rates=1.0))
    assert isinstance(guided, GuidedJumps)
    return guided.given, guided.null


def places(canvas: Canvas) -> tuple[Tensor, Tensor]:
    row, column = (~canvas.frozen).nonzero(as_tuple=True)
    return row, column


def log_jumps(jumps: Jumps, canvas: Canvas) -> list[Tensor]:
    """log u of all jumps: deletions [P], substitutions and insertions [P, V]."""
    row, column = places(canvas)
    rates = jumps.rates
    return [
        rates.delete[row, column],
        rates.substitute[row, column, None] + jumps.substitutions(row, column),
        rates.insert[row, column, None] + jumps.insertions(row, column),
    ]


def test_strength_zero_is_the_plain_model(code_tokenizer: CodeTokenizer) -> None:
    model, canvas = network(), canvas_of(code_tokenizer, FAULTY, BARE)
    plain = jumps_of(model, canvas, Guidance())
    assert isinstance(plain, ModelJumps)  # one pass, not two
    assert not Guidance(tokens=1.0, joint=True)
    guided = GuidedJumps(*parts(model, canvas), Guidance())
    for name in ("insert", "delete", "substitute"):
        assert getattr(guided.rates, name).equal(getattr(plain.rates, name))
    for ours, theirs in zip(log_jumps(guided, canvas), log_jumps(plain, canvas), strict=True):
        torch.testing.assert_close(ours, theirs)


@given(STRENGTH.filter(bool), STRENGTH)
@settings(max_examples=20)
def test_separate_guidance_extrapolates_logarithms(rates: float, tokens: float) -> None:
    model, canvas = network(SMALL), small_canvas()
    given, null = parts(model, canvas)
    guided = jumps_of(model, canvas, Guidance(rates, tokens))
    row, column = places(canvas)
    for name in ("insert", "delete", "substitute"):
        a, b, moved = (getattr(jumps.rates, name) for jumps in (given, null, guided))
        open_places = a.isfinite()
        assert open_places.any() and moved.isneginf().equal(~open_places)
        expected = (1 + rates) * a[open_places] - rates * b[open_places]
        torch.testing.assert_close(moved[open_places], expected, rtol=1e-4, atol=1e-4)
    for ask in ("substitutions", "insertions"):
        a, b, moved = (getattr(jumps, ask)(row, column) for jumps in (given, null, guided))
        expected = torch.where(a.isneginf(), a, (1 + tokens) * a - tokens * b).softmax(-1)
        torch.testing.assert_close(moved.exp(), expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(moved.exp().sum(-1), torch.ones(len(row)))


def test_guiding_tokens_alone_leaves_rates_alone() -> None:
    model, canvas = network(SMALL), small_canvas()
    plain, guided = (jumps_of(model, canvas, Guidance(tokens=tokens)) for tokens in (0.0, 3.0))
    for name in ("insert", "delete", "substitute"):
        assert getattr(guided.rates, name).equal(getattr(plain.rates, name))
    row, column = places(canvas)
    for ask in ("substitutions", "insertions"):
        a, b = (getattr(jumps, ask)(row, column).exp() for jumps in (plain, guided))
        assert float((a - b).abs().max()) > 0.01


@pytest.mark.parametrize("strength", [-1.0, 0.5, 3.0])
def test_joint_guidance_weights_every_jump(strength: float) -> None:
    """u~(jump) = u(jump | c)^(1 + g) u(jump)^(-g), the sum over tokens being the rate."""
    model, canvas = network(SMALL), small_canvas()
    guided = jumps_of(model, canvas, Guidance(strength, joint=True))
    both = [log_jumps(jumps, canvas) for jumps in parts(model, canvas)]
    row, column = places(canvas)
    expected = []
    for given_u, null_u in zip(*both, strict=True):
        u = given_u.exp() ** (1 + strength) * null_u.exp().clamp_min(1e-30) ** -strength
        expected.append(torch.where(given_u.isneginf(), 0.0, u))
    for ours, jump in zip(log_jumps(guided, canvas), expected, strict=True):
        torch.testing.assert_close(ours.exp(), jump, rtol=1e-3, atol=1e-6)
    totals = guided.rates.delete, guided.rates.substitute, guided.rates.insert
    for total, jump in zip(totals, expected, strict=True):
        summed = jump if jump.ndim == 1 else jump.sum(1)
        torch.testing.assert_close(total[row, column].exp(), summed, rtol=1e-3, atol=1e-6)


@given(STRENGTH, STRENGTH, st.booleans())
@settings(max_examples=20)
def test_a_row_without_a_condition_is_never_moved(
    code_tokenizer: CodeTokenizer, rates: float, tokens: float, joint: bool
) -> None:
    model, canvas = network(), canvas_of(code_tokenizer, FAULTY, BARE)
    plain, guided = (jumps_of(model, canvas, how) for how in (Guidance(), Guidance(rates, tokens, joint)))
    bare = places(canvas)[0] == 1
    for ours, theirs in zip(log_jumps(guided, canvas), log_jumps(plain, canvas), strict=True):
        torch.testing.assert_close(ours[bare], theirs[bare], rtol=1e-3, atol=1e-3)


@given(st.lists(windows(), min_size=1, max_size=4))
def test_the_condition_is_diagnostics_and_instruction(
    code_tokenizer: CodeTokenizer, rows: list[Window]
) -> None:
    found = condition(canvas_of(code_tokenizer, *rows))
    for b, window in enumerate(rows):
        segments = encode_window(window, code_tokenizer).segments
        expected = [segment in (DIAGNOSTIC, INSTRUCTION) for segment in segments]
        assert found[b].tolist() == expected + [False] * (found.shape[1] - len(expected))
        assert any(expected) == bool(window.diagnostics or window.instruction)


@given(st.lists(windows(), min_size=1, max_size=3))
@settings(max_examples=30)
def test_unconditioned_is_the_network_on_windows_without_a_condition(
    code_tokenizer: CodeTokenizer, rows: list[Window]
) -> None:
    model, time = network(), torch.full((len(rows),), TIME)
    canvas = canvas_of(code_tokenizer, *rows)
    bare = canvas_of(code_tokenizer, *(replace(row, diagnostics=(), instruction="") for row in rows))
    spread = unconditioned(model, canvas, canvas.role, time)
    plain = model(bare.ids, bare.role, bare.live, time)
    kept = canvas.live & ~condition(canvas)
    assert canvas.ids[kept].equal(bare.ids[bare.live])
    torch.testing.assert_close(spread.states[kept], plain.states[bare.live], rtol=1e-4, atol=1e-4)
    editable, there = (~canvas.frozen).nonzero(as_tuple=True), (~bare.frozen).nonzero(as_tuple=True)
    for ask in (model.substitutions, model.insertions):
        torch.testing.assert_close(ask(spread, *editable), ask(plain, *there), rtol=1e-3, atol=1e-3)
    ours, theirs = model.gaps(spread)[0][canvas.editable_gaps], model.gaps(plain)[0][bare.editable_gaps]
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_strength_minus_one_is_the_model_without_the_condition(code_tokenizer: CodeTokenizer) -> None:
    model = network()
    faulty, bare = canvas_of(code_tokenizer, FAULTY), canvas_of(code_tokenizer, BARE)
    guided, plain = jumps_of(model, faulty, Guidance(-1.0, -1.0)), jumps_of(model, bare, Guidance())
    conditioned = jumps_of(model, faulty, Guidance())
    moved = False
    ours, theirs, given_too = (
        log_jumps(*pair) for pair in ((guided, faulty), (plain, bare), (conditioned, faulty))
    )
    for a, b, c in zip(ours, theirs, given_too, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3)
        moved = moved or not torch.allclose(a, c, rtol=1e-2, atol=1e-2)
    assert moved

"""The benchmarks of samplers and of training steps, on networks that know nothing."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from benchmarks.plots import CURVES, draw, plots
from benchmarks.sampler_cases import Pair, buggy_pairs, canvases, clean_pairs, pair_of
from benchmarks.sampler_runs import Model, Result, Variant, measure
from benchmarks.samplers import samplers
from benchmarks.training_step import Bench, Setup, setups, synthetic_batch
from editflow.backbone import Backbone, BackboneConfig
from editflow.canvas import PLACEHOLDER, Role
from editflow.errors import EditFlowError
from editflow.process.base import BLANK
from editflow.process.continuous import FlowConfig, Sampling
from editflow.process.edit_flow import Thresholds
from editflow.process.grid import Corrector
from editflow.process.guidance import Guidance
from editflow.tokens import CodeTokenizer
from editflow_trainer.evaluation.case import Settings, make_case, read_pool
from editflow_trainer.evaluation.statistics import Rate

SHAPE = BackboneConfig(600, width=16, layers=1, heads=2, hidden=24, copy_width=8, max_count=4)
TIMED = replace(SHAPE, time_features=8, reverse=1)
FEW, EULER = Variant("few passes"), Variant("euler", Sampling())
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def settings(tokenizer_file: Path) -> Settings:
    return Settings(tokenizer_file.parent)


@pytest.fixture(scope="module")
def clean(settings: Settings, code_tokenizer: CodeTokenizer) -> list[Pair]:
    return clean_pairs(settings, code_tokenizer, 3)


@pytest.fixture(scope="module")
def buggy(settings: Settings, code_tokenizer: CodeTokenizer) -> list[Pair]:
    return buggy_pairs(settings, code_tokenizer, 3)


def fresh(shape: BackboneConfig, tokenizer: CodeTokenizer) -> Model:
    """A network as it is before training: its rates are the same everywhere."""
    torch.manual_seed(0)
    backbone = Backbone(shape).eval().requires_grad_(False)
    return Model("fresh", backbone, tokenizer, Thresholds(), FlowConfig())


def harmonic(steps: int) -> float:
    return sum(1 / n for n in range(1, steps + 1))


def rates_of_a_fresh_network(pairs: Sequence[Pair]) -> float:
    """Edits pending a row: biases (4, -1/2, 0) over a token's operations, 4 against a gap that lacks 1 to 4."""
    _, delete, substitute = torch.tensor([4.0, -0.5, 0.0]).softmax(0).tolist()
    missing = float(torch.sigmoid(torch.tensor(-4.0))) * 2.5
    tokens = sum(len(pair.source.spans) for pair in pairs) / len(pairs)
    return float(tokens * (delete + substitute) + (tokens + 1) * missing)


def test_pairs_lead_from_the_window_to_the_clean_text(
    buggy: list[Pair], clean: list[Pair], code_tokenizer: CodeTokenizer
) -> None:
    for pair in [*buggy, *clean]:
        (canvas,) = canvases([pair], CPU)
        ids = pair.tokens_of(canvas)
        assert ids == pair.source.ids[pair.source.start : pair.source.end]
        assert pair.spurious(ids) == 0
        assert code_tokenizer.decode(pair.target_ids).encode() == pair.target
        assert (code_tokenizer.decode(ids).encode() != pair.target) == (pair.distance(ids) > 0)
        assert (pair in clean) == (pair.distance(ids) == 0)
        assert pair.spurious([*ids, ids[0]]) == pair.spurious(ids[1:]) == 1
    assert all(Role.MARKED in pair.source.roles for pair in buggy)


def test_a_case_whose_fix_lies_outside_of_its_window_is_no_pair(
    settings: Settings, code_tokenizer: CodeTokenizer
) -> None:
    function = min(read_pool(settings), key=lambda function: len(function.text))
    case = make_case("", function, function.text, settings)
    assert pair_of(case, code_tokenizer) is not None
    assert pair_of(replace(case, expected="import re\n" + case.expected), code_tokenizer) is None


def test_too_few_functions_are_an_error(settings: Settings, code_tokenizer: CodeTokenizer) -> None:
    with pytest.raises(EditFlowError, match="ask for fewer"):
        clean_pairs(settings, code_tokenizer, 1000)


def test_the_few_pass_decoder_leaves_unlikely_edits_alone(
    buggy: list[Pair], clean: list[Pair], code_tokenizer: CodeTokenizer
) -> None:
    (result,) = measure(fresh(SHAPE, code_tokenizer), FEW, [4], buggy, clean)
    assert (result.exact.hits, result.exact.cases) == (0, 3)
    assert (result.untouched.hits, result.untouched.cases) == (3, 3)
    assert (result.spurious, result.spurious_error, result.predicted) == (0, 0, None)
    assert result.evaluations == 1  # nothing changes: the first pass is the last
    start = [pair.source.ids[pair.source.start : pair.source.end] for pair in buggy]
    distances = [pair.distance(ids) for pair, ids in zip(buggy, start, strict=True)]
    assert result.distance == pytest.approx(sum(distances) / 3, abs=1e-3)


@pytest.mark.parametrize("shape", [SHAPE, TIMED])
def test_spurious_edits_are_predicted_by_harmonic_numbers(
    buggy: list[Pair], clean: list[Pair], code_tokenizer: CodeTokenizer, shape: BackboneConfig
) -> None:
    base = rates_of_a_fresh_network(clean)
    results = list(measure(fresh(shape, code_tokenizer), EULER, [1, 2, 8], buggy, clean))
    for result in results:
        assert result.predicted == pytest.approx(base * harmonic(result.steps), rel=0.03)  # bf16 weights
    assert results[0].spurious == pytest.approx(base, rel=0.4)
    assert results[0].spurious < results[1].spurious < results[2].spurious


def test_a_network_with_time_is_asked_at_every_pass(
    buggy: list[Pair], clean: list[Pair], code_tokenizer: CodeTokenizer
) -> None:
    model = fresh(TIMED, code_tokenizer)
    corrected = Variant("corrector", Sampling(corrector=Corrector(1.0, 0.25, 0.25)))
    (plain,) = measure(model, EULER, [4], buggy, clean)
    (back,) = measure(model, corrected, [4], buggy, clean)
    (guided,) = measure(model, Variant("guided", Sampling(guidance=Guidance(1.0, 1.0))), [4], buggy, clean)
    assert plain.passes == plain.evaluations == 4
    assert back.passes == back.evaluations > 4
    assert back.predicted is None
    assert guided.evaluations == 8  # with and without the diagnostics


def test_equal_seeds_give_equal_results(
    buggy: list[Pair], clean: list[Pair], code_tokenizer: CodeTokenizer
) -> None:
    model = fresh(SHAPE, code_tokenizer)
    one, again, other = (
        replace(next(iter(measure(model, EULER, [4], buggy, clean, seed))), seconds=0.0) for seed in (0, 0, 1)
    )
    assert one == again != other


def test_the_command_writes_a_table_a_file_and_curves(
    settings: Settings,
    code_tokenizer: CodeTokenizer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shapes = {"default": SHAPE, str(tmp_path): TIMED}
    loaded = {name: replace(fresh(shape, code_tokenizer), name=name) for name, shape in shapes.items()}
    monkeypatch.setattr(Model, "load", lambda name, device: loaded[name])
    assert settings.data is not None
    run = partial(
        samplers,
        settings.data,
        published=tmp_path,
        cases=3,
        timed_cases=2,
        timed_steps="2",
        threads=torch.get_num_threads(),
        output=tmp_path / "out.json",
        plots=tmp_path / "one",
    )
    run(steps="1,2", timed_only=True)
    capsys.readouterr()
    run(steps="1,2")
    rows = json.loads((tmp_path / "out.json").read_text("utf-8"))["results"]
    results = [Result.from_json(row) for row in rows]
    assert [r.as_json() for r in results] == json.loads(json.dumps(rows), object_hook=tuples)
    assert [(r.steps, r.exact.cases) for r in results] == [(2, 2)] * 3 + [(1, 3), (2, 3)] * 5
    printed = capsys.readouterr().out
    assert "| default | few passes | 2 | 0% (0-56) |" in printed
    plots(tmp_path / "two", [tmp_path / "out.json"])
    for curve in CURVES:
        drawn = (tmp_path / "one" / f"{curve}.svg").read_bytes()
        assert drawn == (tmp_path / "two" / f"{curve}.svg").read_bytes()
        assert b">euler, corrector<" in drawn


def tuples(values: dict[str, object]) -> dict[str, object]:
    """JSON has no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def test_curves_follow_the_numbers(tmp_path: Path) -> None:
    result = Result("m", "s", 4, 4, Rate(1, 4), 0.0, Rate(1, 4), 1.0, 0.5, 2.0, 3.0, 4.0)
    draw([result, replace(result, steps=8)], tmp_path)
    before = {curve: (tmp_path / f"{curve}.svg").read_bytes() for curve in CURVES}
    draw([result, replace(result, steps=8, exact=Rate(2, 4))], tmp_path)
    changed = [curve for curve in CURVES if (tmp_path / f"{curve}.svg").read_bytes() != before[curve]]
    assert changed == ["exact"]


def test_synthetic_rows_have_edits_masks_and_a_frame() -> None:
    batch = synthetic_batch(64, 256)
    assert batch.z0.shape == (64, 256)
    assert batch.z0.equal(synthetic_batch(64, 256).z0)
    assert not batch.z0.equal(synthetic_batch(64, 256, seed=1).z0)
    masked = batch.z0 == PLACEHOLDER
    edited = (batch.z0 != batch.z1) & ~masked
    assert float(edited.float().mean()) == pytest.approx(0.1, abs=0.01)
    assert 0.1 < float(masked.float().mean()) < 0.2
    kinds = [(batch.z0 == BLANK)[edited], (batch.z1 == BLANK)[edited]]
    assert all(float(kind.float().mean()) == pytest.approx(1 / 3, abs=0.06) for kind in kinds)
    frame = batch.role == Role.CONTEXT
    assert bool((batch.z0 == batch.z1)[:, [0, 1, -1]].all()) and bool(frame[:, [0, 1, -1]].all())


@pytest.mark.parametrize("setup", setups(replace(SHAPE, vocab_size=4096)), ids=lambda setup: setup.name)
def test_a_step_reaches_every_parameter(setup: Setup) -> None:
    bench = Bench(setup, synthetic_batch(4, 64))
    before = [parameter.detach().clone() for parameter in bench.model.parameters()]
    assert bench.step().total.isfinite()
    assert all(parameter.grad is not None for parameter in bench.model.parameters())
    assert all(p.equal(b) for p, b in zip(bench.model.parameters(), before, strict=True))
    bench.whole()
    assert not all(p.equal(b) for p, b in zip(bench.model.parameters(), before, strict=True))

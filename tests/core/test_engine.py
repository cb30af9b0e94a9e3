"""The engine: batches, rounds, candidates and cancellation, on a small random network and on a script."""

import shutil
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from editflow import engine as engine_module
from editflow.backbone import Backbone
from editflow.checkpoint import WEIGHTS, Calibration, write_config
from editflow.confidence import raised
from editflow.decisions import AcceptAll, RejectAll, decide
from editflow.device import choose_device
from editflow.diagnostics import check_python
from editflow.document import Document
from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow.pieces import TextEdit
from editflow.process.continuous import FlowConfig
from editflow.process.edit_flow import Thresholds
from editflow.request import ROUNDS, Decoder, Request
from editflow.window import Window
from tests.core.wild import SHAPE, ScriptedEngine, replacing, wild_checkpoint, wild_engine

BROKEN = "def add(first, second)\n    total = first + secnd\n    return total\n"
FIXED = "def add(first, second):\n    total = first + second\n    return total\n"
OTHER = "\n\ndef other(value):\n    return value\n\n\nprint(add(1, 2))\n"
SHORT = "A line, no more.\n"  # random tokens are often not UTF-8, and then there is no proposal
PROSE = "One line of text,\nand another: it goes on\nfor a while.\n\nThe end (nearly)."


@pytest.fixture
def engine(tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The random engine, in float32 whatever the processor."""
    monkeypatch.setattr(engine_module, "computes_bfloat16", lambda: False)
    return wild_engine(tokenizer_file)


def python(text: str, **options: object) -> Request:
    return Request(Document.from_text(text, Path("a.py")), **options)  # type: ignore[arg-type]


def prose(text: str = PROSE, **options: object) -> Request:
    return Request(Document.from_text(text, Path("a.txt")), **options)  # type: ignore[arg-type]


class TestLoad:
    def test_a_folder(self, tokenizer_file: Path) -> None:
        engine = Engine.load(str(wild_checkpoint(tokenizer_file)), "cpu")
        assert engine.name == f"wild@{engine.checkpoint.fingerprint[:8]}"
        assert engine.device == torch.device("cpu")

    @pytest.mark.parametrize("device", ["tpu", "", "cuda:7"])
    def test_an_unknown_device_is_refused(self, tokenizer_file: Path, device: str) -> None:
        with pytest.raises(EditFlowError, match="unknown device"):
            Engine.load(str(wild_checkpoint(tokenizer_file)), device)

    @pytest.mark.parametrize(("has_cuda", "device"), [(False, "cpu"), (True, "cuda")])
    def test_auto_takes_cuda_where_there_is_one(
        self, monkeypatch: pytest.MonkeyPatch, has_cuda: bool, device: str
    ) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
        assert choose_device("auto").type == device
        assert choose_device("cpu").type == "cpu"

    def test_cuda_is_refused_where_there_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(EditFlowError, match="--device cpu"):
            choose_device("cuda")

    def test_a_missing_checkpoint_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(EditFlowError, match="no checkpoint"):
            Engine.load(str(tmp_path / "none"))


class TestSteps:
    def test_the_last_is_done_and_counts_go_up(self, engine: Engine) -> None:
        steps = list(engine.fix(prose()))
        assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]
        assert [step.index for step in steps[:-1]] == list(range(1, len(steps)))
        assert all(step.index <= step.total for step in steps)
        assert any(step.proposal.hunks for step in steps)
        assert all(step.alternatives == () for step in steps)

    def test_fix_last_is_the_last(self, engine: Engine) -> None:
        *_, last = engine.fix(prose())
        assert engine.fix_last(prose()) == last
        assert last.proposal.hunks

    def test_one_pass_fills_all_that_it_opens(self, engine: Engine) -> None:
        passes = list(engine.fix(prose(steps=1)))
        assert [(step.index, step.done) for step in passes] == [(1, False), (1, True)]
        assert passes[0].proposal.hunks

    @pytest.mark.parametrize("text", ["", "\n\n", "x = 1\n"])
    def test_without_windows_there_is_one_step_without_hunks(self, engine: Engine, text: str) -> None:
        (step,) = engine.fix(python(text))
        assert (step.index, step.done, step.proposal.hunks) == (0, True, ())

    def test_a_file_of_many_batches_makes_no_more_passes_than_it_says(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engine, "batch_tokens", 1)
        text = "".join(f"def f{n}(x):\n    return x + {n}\n\n" for n in range(12))
        steps = list(engine.fix(python(text, steps=1)))
        assert steps[-1].index >= 12
        assert all(step.index <= step.total for step in steps)

    def test_accepting_all_is_the_proposal_and_rejecting_all_the_file(self, engine: Engine) -> None:
        last = engine.fix_last(prose())
        assert decide(last.proposal, AcceptAll()).decided_text() == last.proposal.text != PROSE
        rejected = decide(last.proposal, RejectAll())
        assert rejected.document.encode(rejected.decided_text()) == PROSE.encode()

    def test_closing_stops_the_network(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[int] = []
        trunk = engine.backbone.trunk

        def counted(x: torch.Tensor, live: torch.Tensor) -> torch.Tensor:
            calls.append(len(x))
            return trunk(x, live)

        monkeypatch.setattr(engine.backbone, "trunk", counted)
        steps = engine.fix(prose())
        assert calls == []
        assert len(list(islice(steps, 1))) == 1
        assert len(calls) == 1
        steps.close()  # type: ignore[attr-defined]
        assert list(steps) == []
        assert len(calls) == 1
        assert engine.fix_last(prose()) == engine.fix_last(prose())


class TestBatches:
    def test_many_requests_are_as_each_alone(self, engine: Engine) -> None:
        lines = [" ".join(PROSE.split()[n:]) + "\n" for n in range(6)]
        requests = [prose(line) for line in lines]
        requests += [
            prose(steps=2),
            prose(candidates=3, seed=5),
            prose(candidates=2),
            python(BROKEN),
            python(""),
        ]
        together = engine.fix_many(requests)
        alone = [engine.fix_last(request) for request in requests]
        assert [step.proposal.text for step in together] == [step.proposal.text for step in alone]
        assert [[p.text for p in step.alternatives] for step in together] == [
            [p.text for p in step.alternatives] for step in alone
        ]
        assert [step.proposal.document for step in together] == [request.document for request in requests]
        confidences = [[h.confidence for h in step.proposal.hunks] for step in together]
        for found, expected in zip(confidences, alone, strict=True):
            assert found == pytest.approx([h.confidence for h in expected.proposal.hunks], abs=1e-4)

    def test_no_requests_no_steps(self, engine: Engine) -> None:
        assert engine.fix_many([]) == []

    def test_the_size_of_a_batch_does_not_matter(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = (PROSE + "\n") * 40
        whole = engine.fix_last(prose(text)).proposal.text
        monkeypatch.setattr(engine, "batch_tokens", 1)
        assert engine.fix_last(prose(text)).proposal.text == whole != text


class TestCandidates:
    def test_alternatives_are_distinct_and_the_proposal_is_the_first(self, engine: Engine) -> None:
        *passes, last = engine.fix(prose(candidates=3))
        assert last.alternatives[0] == last.proposal
        assert len({proposal.text for proposal in last.alternatives}) == len(last.alternatives) >= 2
        assert all(step.alternatives == () for step in passes)

    def test_the_seed_decides(self, engine: Engine) -> None:
        def texts(seed: int) -> list[str]:
            return [p.text for p in engine.fix_last(prose(candidates=3, seed=seed)).alternatives]

        assert texts(1) == texts(1)
        assert texts(1) != texts(2)

    def test_the_first_candidate_needs_no_seed(self, engine: Engine) -> None:
        assert engine.fix_last(prose(seed=1)) == engine.fix_last(prose(seed=2))


class TestRounds:
    def test_the_second_sees_what_a_syntax_error_had_hidden(self, engine: Engine) -> None:
        repairs = {"python": ("second)", "second):"), "pyflakes": ("secnd", "second")}

        def script(window: Window) -> list[TextEdit]:
            return replacing(*(repairs[d.source] for d in window.diagnostics))(window)

        scripted = ScriptedEngine(engine, script)
        steps = list(scripted.fix(python(BROKEN + OTHER)))
        assert [step.proposal.text for step in steps] == [
            BROKEN.replace("second)", "second):") + OTHER,
            FIXED + OTHER,
            FIXED + OTHER,
        ]
        hunks = [(hunk.old, hunk.new) for hunk in steps[-1].proposal.hunks]
        assert hunks == [("second)", "second):"), ("secnd", "second")]
        assert len({window.text for window in scripted.seen}) == 3  # branches see the same ones
        assert scripted.seen[-1].text == BROKEN.replace("second)", "second):")

    def test_there_are_no_more_than_stated(self, engine: Engine) -> None:
        scripted = ScriptedEngine(engine, replacing(("f(", "f(x, ")))
        text = "def f(x)\n    return x\n"
        steps = list(scripted.fix(python(text)))
        assert len(steps) == ROUNDS + 1
        assert steps[-1].proposal.text == text.replace("f(", "f(" + "x, " * ROUNDS)

    def test_edits_that_break_a_file_are_shown_on_the_way_but_not_offered(self, engine: Engine) -> None:
        scripted = ScriptedEngine(engine, replacing(("total)", "total"), ("return ", "return 2 * ")))
        text = "def f(total):\n    return abs(total)\n"
        first, last = scripted.fix(python(text))
        assert len(check_python(first.proposal.text)) == 1
        assert last.proposal.text == text.replace("return", "return 2 *")

    def test_a_threshold_of_one_offers_nothing(self, engine: Engine) -> None:
        for candidates in (1, 3):
            assert engine.fix_last(prose(threshold=1.0, candidates=candidates)).proposal.hunks == ()


class TestInstruction:
    def test_what_is_asked_for_is_surer_where_the_calibration_says_so(self, engine: Engine) -> None:
        scripted = ScriptedEngine(engine, replacing(("2", "3"), probability=0.4))
        scripted.calibration = Calibration(show=0.5, instructed=2.0)
        text = "def double(value):\n    return 2 * value\n"
        assert scripted.fix_last(python(text)).proposal.hunks == ()
        (hunk,) = scripted.fix_last(python(text, instruction="Triple it")).proposal.hunks
        assert hunk.confidence == pytest.approx(raised(0.4, 2.0))


class TestRegions:
    def test_code_outside_functions_is_left_alone(self, engine: Engine) -> None:
        scripted = ScriptedEngine(engine, replacing(("value", "number")))
        text = "value = 1\n\n\ndef f(value):\n    return value\n\n\nprint(value)\n"
        function = "def f(number):\n    return number\n"
        assert scripted.fix_last(python(text)).proposal.text == f"value = 1\n\n\n{function}\n\nprint(value)\n"

    def test_but_not_where_a_diagnostic_is(self, engine: Engine) -> None:
        scripted = ScriptedEngine(engine, replacing(("valeu", "value")))
        text = "value = 1\n\n\ndef f():\n    return 1\n\n\nprint(valeu)\n"
        assert scripted.fix_last(python(text)).proposal.text == text.replace("valeu", "value")
        assert {window.text for window in scripted.seen} == {"def f():\n    return 1\n", "print(valeu)\n"}

    def test_nor_where_the_lines_are_asked_for(self, engine: Engine) -> None:
        scripted = ScriptedEngine(engine, replacing(("value", "number")))
        text = "value = 1\nother = value\n\n\ndef f(value):\n    return value\n"
        assert scripted.fix_last(python(text, lines=(1, 1))).proposal.text == text
        fixed = scripted.fix_last(python(text, lines=(1, 2))).proposal.text
        assert fixed == text.replace("value", "number", 2)


class TestSuspicion:
    def test_tokens_are_spans_of_the_document(self, engine: Engine) -> None:
        text = (BROKEN + "é = '😀'\n" + OTHER).replace("\n", "\r\n").rstrip()
        spans = engine.suspicion(Document.from_text(text, Path("a.py")))
        assert all(0 <= start < end <= len(text) and 0 <= rate <= 1 for start, end, rate in spans)
        assert all(a[1] <= b[0] for a, b in pairwise(spans))
        covered = {place for start, end, _ in spans for place in range(start, end)}
        assert all(place in covered for place, character in enumerate(text) if not character.isspace())

    def test_of_some_lines(self, engine: Engine) -> None:
        spans = engine.suspicion(Document.from_text(FIXED, Path("a.py")), (2, 2))
        start, end = FIXED.index("total"), FIXED.index("return")
        assert spans
        assert all(start - 5 <= a < b <= end + 1 for a, b, _ in spans)

    def test_of_nothing(self, engine: Engine) -> None:
        assert engine.suspicion(Document.from_text("")) == []


class TestContinuousTime:
    def test_the_seed_decides_and_steps_are_euler_steps(self, engine: Engine) -> None:
        request = prose(SHORT, decoder=Decoder.ctmc, steps=5)
        steps = list(engine.fix(request))
        assert [step.index for step in steps] == [1, 2, 3, 4, 5, 5]
        assert steps == list(engine.fix(request))
        assert len({engine.fix_last(replace(request, seed=seed)).proposal.text for seed in range(8)}) > 2

    def test_requests_in_company_are_as_each_alone(self, engine: Engine) -> None:
        requests = [prose(SHORT[i:], decoder=Decoder.ctmc, steps=3) for i in range(3)]
        assert engine.fix_many(requests) == [engine.fix_last(request) for request in requests]

    def test_candidates_are_further_runs(self, engine: Engine) -> None:
        step = engine.fix_last(prose(SHORT, decoder=Decoder.ctmc, steps=3, candidates=3))
        assert len(step.alternatives) > 1
        assert step.proposal in step.alternatives

    def test_guidance_moves_what_depends_on_the_condition(self, engine: Engine) -> None:
        request = prose(SHORT, decoder=Decoder.ctmc, steps=4, instruction="shorter")
        plain, guided = (engine.fix_last(replace(request, guidance=g)).proposal for g in (0.0, 3.0))
        assert plain != guided
        request = replace(request, instruction="")
        plain, guided = (engine.fix_last(replace(request, guidance=g)).proposal for g in (0.0, 3.0))
        assert plain.text == guided.text

    @pytest.mark.parametrize("time_features", [0, 8])
    def test_a_network_of_its_own_runs_by_default_and_in_no_other_way(
        self, tokenizer_file: Path, tmp_path: Path, time_features: int
    ) -> None:
        folder = Path(shutil.copytree(wild_checkpoint(tokenizer_file), tmp_path / "timed"))
        shape = replace(SHAPE, time_features=time_features)
        weights = {name: p.detach() for name, p in Backbone(shape).named_parameters()}
        save_file(weights | load_file(folder / WEIGHTS), folder / WEIGHTS)
        write_config(folder, "timed", shape, Thresholds(), Calibration(show=0.0), FlowConfig(shows_origin=0))
        timed = Engine.load(str(folder), "cpu")
        assert any(step.proposal.hunks for step in timed.fix(prose(SHORT, steps=3)))
        assert timed.suspicion(Document.from_text(PROSE, Path("a.txt")))
        with pytest.raises(EditFlowError, match="continuous time only"):
            timed.fix_last(prose(decoder=Decoder.passes))

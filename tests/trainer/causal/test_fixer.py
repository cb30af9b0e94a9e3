"""A causal model in the engine's place, with answers that are known; then a random network through `editflow eval`."""

import inspect
import json
import math
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from editflow import cli
from editflow.checkpoint import TOKENIZER
from editflow.document import Document
from editflow.errors import EditFlowError
from editflow.request import Request
from editflow.window import DIAGNOSTIC, Window, encode_window
from editflow_trainer.causal import fixer
from editflow_trainer.causal.decode import Answer
from editflow_trainer.causal.fixer import GROWTH, CausalFixer
from editflow_trainer.causal.formats import MARK, FormatName
from editflow_trainer.causal.model import new_model, save_model
from editflow_trainer.causal.parts import Parts
from editflow_trainer.causal.refusal import Reason
from editflow_trainer.evaluation.baselines import load
from tests.trainer.causal.tiny import SHAPE, tiny_folder

TEXT = "def f(a):\n    b = a\n    return c\n"
FIXED = TEXT.replace("return c", "return b")
SURE = -0.1


class Answers:
    """Stands for `decode`: gives one known answer to every prompt, and keeps what it was asked."""

    def __init__(self, engine: CausalFixer) -> None:
        self.engine = engine
        self.prompts: list[list[int]] = []
        self.limits: list[int] = []
        self.answer = Answer([], SURE, finished=True)

    def __call__(
        self, model: object, prompts: Sequence[list[int]], limits: Sequence[int], lookup: int
    ) -> list[Answer]:
        self.prompts += prompts
        self.limits += limits
        return [self.answer] * len(prompts)

    def turn(self, source: str, target: str) -> None:
        """Answer what turns a window of the source into the target."""
        parts = Parts.of_window(encode_window(Window(source), self.engine.tokenizer))
        ids = self.engine.format.write(parts, self.engine.tokenizer.encode(target).ids)
        self.answer = Answer(ids, SURE, finished=True)


@pytest.fixture(params=list(FormatName))
def engine(request: pytest.FixtureRequest, tokenizer_file: Path) -> CausalFixer:
    loaded = load(request.param, "default", tiny_folder(tokenizer_file, request.param), "cpu")
    assert isinstance(loaded, CausalFixer)
    return loaded


@pytest.fixture
def answers(engine: CausalFixer, monkeypatch: pytest.MonkeyPatch) -> Answers:
    scripted = Answers(engine)
    monkeypatch.setattr(fixer, "decode", scripted)
    return scripted


def asked(text: str = TEXT, threshold: float | None = None, lines: tuple[int, int] | None = None) -> Request:
    return Request(Document.from_text(text, Path("a.py")), threshold=threshold, lines=lines)


class TestFixer:
    def test_an_answer_becomes_the_only_step(self, engine: CausalFixer, answers: Answers) -> None:
        answers.turn(TEXT, FIXED)
        [step] = engine.fix(asked())
        assert step.done
        assert step.proposal.text == FIXED
        assert [hunk.confidence for hunk in step.proposal.hunks] == pytest.approx([math.exp(SURE)])
        assert step.index == step.total == len(answers.answer.ids)

    def test_requests_are_answered_in_one_batch_and_in_order(
        self, engine: CausalFixer, answers: Answers
    ) -> None:
        answers.turn(TEXT, FIXED)
        steps = engine.fix_many([asked(), asked("x = 1\n"), asked()])
        assert [step.proposal.text for step in steps] == [FIXED, "x = 1\n", FIXED]
        assert len(answers.prompts) == 2

    def test_the_limit_is_the_region_and_some_more(self, engine: CausalFixer, answers: Answers) -> None:
        engine.fix_many([asked()])
        assert answers.limits == [len(engine.tokenizer.encode(TEXT).ids) + GROWTH]

    def test_an_undefined_name_is_underlined_and_complained_about(
        self, engine: CausalFixer, answers: Answers
    ) -> None:
        engine.fix_many([asked()])
        [prompt] = answers.prompts
        assert prompt.count(MARK) == 2
        assert DIAGNOSTIC in prompt

    def test_an_unsure_answer_is_not_shown(self, engine: CausalFixer, answers: Answers) -> None:
        answers.turn(TEXT, FIXED)
        answers.answer = replace(answers.answer, log_probability=-2.0)
        assert not engine.fix_many([asked()])[0].proposal.hunks
        assert engine.fix_many([asked(threshold=0.0)])[0].proposal.text == FIXED

    def test_an_answer_that_breaks_what_parsed_is_not_shown(
        self, engine: CausalFixer, answers: Answers
    ) -> None:
        answers.turn(TEXT, TEXT.replace("def f(a):", "def f(a:"))
        assert not engine.fix_many([asked(threshold=0.0)])[0].proposal.hunks

    def test_only_the_requested_lines_change(self, engine: CausalFixer, answers: Answers) -> None:
        answers.turn(TEXT, FIXED.replace("b = a", "b = a + 1"))
        assert engine.fix_many([asked(lines=(3, 3))])[0].proposal.text == FIXED

    def test_line_ends_of_the_document_are_kept(self, engine: CausalFixer, answers: Answers) -> None:
        answers.turn(TEXT, FIXED.replace("b = a", "b = a\n    b += 1"))
        crlf = engine.fix_many([asked(TEXT.replace("\n", "\r\n"))])[0].proposal.text
        assert crlf == FIXED.replace("b = a", "b = a\n    b += 1").replace("\n", "\r\n")


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer([20], SURE, finished=False), Reason.unfinished),
            (Answer([MARK], SURE, finished=True), Reason.malformed),
        ],
    )
    def test_what_does_not_apply_is_counted(
        self, engine: CausalFixer, answers: Answers, answer: Answer, reason: Reason
    ) -> None:
        answers.answer = answer
        steps = engine.fix_many([asked(), asked()])
        assert not any(step.proposal.hunks for step in steps)
        assert engine.refusals == {reason: 2}

    def test_bytes_that_are_not_text_are_refused(
        self, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = load("rewrite", "default", tiny_folder(tokenizer_file, FormatName.rewrite), "cpu")
        assert isinstance(engine, CausalFixer)
        half = engine.tokenizer.encode("ü").ids[:1]
        monkeypatch.setattr(fixer, "decode", lambda *given: [Answer(half, SURE, finished=True)])
        assert not engine.fix_many([asked()])[0].proposal.hunks
        assert engine.refusals == {Reason.not_text: 1}

    def test_a_hunk_on_other_lines_refuses_the_answer(
        self, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = load("diff", "default", tiny_folder(tokenizer_file, FormatName.diff), "cpu")
        assert isinstance(engine, CausalFixer)
        answers = Answers(engine)
        answers.turn(TEXT, FIXED)
        monkeypatch.setattr(fixer, "decode", answers)
        assert not engine.fix_many([asked("def f(a):\n    b = a\n    return d\n")])[0].proposal.hunks
        assert engine.refusals == {Reason.other_lines: 1}


class TestLoading:
    def test_a_folder_is_named_and_checked(self, tokenizer_file: Path, tmp_path: Path) -> None:
        folder = tiny_folder(tokenizer_file, FormatName.diff)
        with pytest.raises(EditFlowError, match="needs --baseline-model"):
            load("rewrite", "default", None)
        with pytest.raises(EditFlowError, match="answers by diff, not rewrite: use --baseline diff"):
            load("rewrite", "default", folder)
        with pytest.raises(EditFlowError, match=r"has no tokenizer\.json"):
            load("diff", "default", tmp_path)
        with pytest.raises(EditFlowError, match="no model of its own"):
            load("copy", "default", folder)

    @pytest.mark.parametrize(
        ("file", "text", "reason"),
        [
            ("config.json", "{}", "is not a causal LM of transformers"),
            ("config.json", '{"model_type": "x", "auto_map": {"AutoConfig": "x.y"}}', "is not a causal LM"),
            ("model.safetensors", "", "is not a causal LM of transformers"),
            ("causal.json", "{}", "names no format"),
            ("tokenizer.json", "{}", "does not fit"),
        ],
    )
    def test_a_damaged_folder_is_an_error(
        self, tokenizer_file: Path, tmp_path: Path, file: str, text: str, reason: str
    ) -> None:
        folder = tmp_path / "damaged"
        shutil.copytree(tiny_folder(tokenizer_file, FormatName.diff), folder)
        (folder / file).write_text(text, "utf-8")
        with pytest.raises(EditFlowError, match=reason):
            load("diff", "default", folder)

    def test_a_tokenizer_of_another_size_is_an_error(self, tokenizer_file: Path, tmp_path: Path) -> None:
        save_model(new_model(replace(SHAPE, vocab_size=700)), tokenizer_file, tmp_path, FormatName.diff, {})
        with pytest.raises(EditFlowError, match="has 700 outputs and 600 tokens"):
            load("diff", "default", tmp_path)

    def test_a_model_of_another_kind_answers_too(self, tokenizer_file: Path, tmp_path: Path) -> None:
        from transformers import GPT2Config, GPT2LMHeadModel

        config = GPT2Config(vocab_size=600, n_embd=16, n_layer=1, n_head=2, n_positions=512)
        GPT2LMHeadModel(config).save_pretrained(tmp_path)
        shutil.copyfile(tokenizer_file, tmp_path / TOKENIZER)
        [step] = load("rewrite", "default", tmp_path, "cpu").fix_many([asked()])
        assert step.done


@pytest.mark.parametrize("baseline", list(FormatName))
def test_a_random_network_goes_through_the_command(
    baseline: FormatName,
    tokenizer_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point = EntryPoint("eval", "editflow_trainer.commands.eval:evaluate", "editflow.commands")
    monkeypatch.setattr(cli, "entry_points", lambda group: EntryPoints([point]))
    (tmp_path / "shell.py").write_text(inspect.getsource(textwrap), "utf-8")
    folder = tiny_folder(tokenizer_file, baseline)
    where = ["clean", "--data", str(tmp_path), "--limit", "2", "--json"]
    with pytest.raises(SystemExit) as caught:
        cli.main(["eval", *where, "--baseline", baseline, "--baseline-model", str(folder)])
    printed = capsys.readouterr()
    assert caught.value.code == 0, printed.err
    report = json.loads(printed.out)
    assert report["model"].startswith(f"tiny-{baseline}@")
    assert report["notes"][0].startswith(f"baseline {baseline}: ")
    assert report["rows"][0]["cases"] == 2

"""Mined fixes of small repositories through engines whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from editflow import cli
from editflow.errors import EditFlowError
from editflow.request import Request
from editflow.tokens import CodeTokenizer
from editflow_trainer.evaluation.case import Settings
from editflow_trainer.evaluation.exhibit import Measured
from editflow_trainer.evaluation.hints import parse_hints
from editflow_trainer.evaluation.mined import fixes_in, open_mined, says_strongly
from editflow_trainer.evaluation.realcases import RealCase, draw_real, take_turns, tokens_changed
from editflow_trainer.evaluation.realfix import evaluate_realfix
from editflow_trainer.evaluation.report import Row
from editflow_trainer.evaluation.statistics import Rate
from editflow_trainer.fix_kinds import FixKind
from tests.core.wild import wild_checkpoint
from tests.trainer.evaluation.makers import KnownEngine, make_repository, mine_into
from tests.trainer.mining.history_maker import SHOP, commit, make, replaced

Answer = Sequence[tuple[str, float]]


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clones")
    make_repository(folder / "ada+shop")
    return folder


@pytest.fixture(scope="module")
def mined(clones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mine_into(tmp_path_factory.mktemp("data") / "mined", clones / "ada+shop")


@pytest.fixture(scope="module")
def settings(clones: Path, mined: Path) -> Settings:
    return Settings(mined, repositories=clones)


def drawn(settings: Settings, tokenizer: CodeTokenizer) -> list[RealCase]:
    assert settings.data is not None
    return draw_real(open_mined(settings.data), settings, tokenizer)


def oracle(cases: Sequence[RealCase], sure: float = 0.9) -> KnownEngine:
    right = {fix.case.request.document.text: fix.case.expected for fix in cases}

    def answer(request: Request) -> Answer:
        text = request.document.text
        return [(right[text], sure)] if text in right else []

    return KnownEngine(answer)


def row(measured: Measured, name: str) -> Row:
    (found,) = (row for row in measured.rows if row.name == name)
    return found


class TestDrawing:
    def test_fixes_are_single_functions_of_commits_that_say_so(self, mined: Path) -> None:
        fixes = list(fixes_in(open_mined(mined).edits("ada/shop")))
        assert [
            (fix.edit.message.partition("\n")[0], fix.edit.scope, fix.kind, fix.tier_a) for fix in fixes
        ] == [
            ("Fix a typo", "kind", FixKind.wrong_literal, False),
            ("Bug in area, it was no area", "area", FixKind.missing_wrapping_call, True),
            ("Fix name", "Shop.name", FixKind.wrong_attribute_or_call, False),
            ("Fix the sum", "Shop.total", FixKind.wrong_operator, True),
        ]

    def test_two_functions_or_code_around_are_no_single_fix(self, tmp_path: Path) -> None:
        folder = make(tmp_path / "ada" / "two")
        commit(folder, "Start", {"shop.py": SHOP})
        both = replaced("radius * radius", "radius ** 2", replaced("amount + tax", "amount * tax"))
        commit(folder, "Fix both", {"shop.py": both})
        commit(
            folder,
            "Fix import",
            {"shop.py": both.replace("import math", "import math, os").replace("** 2", "** 3")},
        )
        store = open_mined(mine_into(tmp_path / "out", folder))
        assert len(list(store.edits("ada/two"))) == 4
        assert list(fixes_in(store.edits("ada/two"))) == []

    @pytest.mark.parametrize(
        ("message", "strong"),
        [
            ("Fix crash in parser", True),
            ("Bugfix: off by one", True),
            ("Fixed regression of #12\n\nDocs too.", True),
            ("Add error message", False),
            ("Fix typo", False),
            ("Fix mypy errors", False),
            ("Fix docs of the parser", False),
            ("Prefix names", False),
        ],
    )
    def test_strong_words(self, message: str, strong: bool) -> None:
        assert says_strongly(message) is strong

    def test_document_is_the_function_in_its_file(
        self, settings: Settings, code_tokenizer: CodeTokenizer
    ) -> None:
        (fix,) = (fix for fix in drawn(settings, code_tokenizer) if fix.kind is FixKind.wrong_operator)
        document = fix.case.request.document
        assert document.path == Path("shop.py")
        assert document.text.startswith(
            "import math\n\nShop = area = halves = kind = math = None\n\n\nclass Shop:\n"
        )
        assert document.text.endswith("        return amount + tax\n")
        assert fix.case.expected == document.text.replace("amount + tax", "amount * tax")
        (unchanged,) = fix.unchanged
        assert unchanged.expected == unchanged.request.document.text
        assert "def halves" in unchanged.expected  # all others are fixed later
        assert (fix.one_token, fix.tier_a, fix.changed) == (True, True, 1)

    def test_without_repositories_only_the_scope_is_known(
        self, settings: Settings, code_tokenizer: CodeTokenizer
    ) -> None:
        fixes = drawn(replace(settings, repositories=None), code_tokenizer)
        texts = {fix.kind: fix.case.request.document.text for fix in fixes}
        assert texts[FixKind.wrong_operator].startswith("\nclass Shop:\n    def total(")
        assert texts[FixKind.wrong_literal].startswith("\ndef kind(")
        for fix in fixes:
            (unchanged,) = fix.unchanged
            assert unchanged.request.document.text == fix.case.expected

    def test_missing_clone_is_named(
        self, settings: Settings, tmp_path: Path, code_tokenizer: CodeTokenizer
    ) -> None:
        make_repository(tmp_path / "bob" / "other")
        with pytest.raises(EditFlowError, match="lacks ada/shop"):
            drawn(replace(settings, repositories=tmp_path / "bob"), code_tokenizer)

    @pytest.mark.parametrize(
        ("hint", "narrow", "told"), [("none", 0, 0), ("line+message", 1, 1), ("message", 0, 1)]
    )
    def test_hints_are_given_to_both_sides(
        self, settings: Settings, code_tokenizer: CodeTokenizer, hint: str, narrow: bool, told: bool
    ) -> None:
        for fix in drawn(replace(settings, hints=parse_hints(hint)), code_tokenizer):
            for case in (fix.case, *fix.unchanged):
                first, last = case.request.lines or (0, 0)
                assert (first == last) is bool(narrow) or "kind" in case.name
                assert bool(case.request.instruction) is bool(told)
                assert case.request.diagnostics == ()
            if narrow:
                line = fix.case.request.lines
                texts = fix.case.request.document.text.split("\n"), fix.case.expected.split("\n")
                assert line is not None and texts[0][line[0] - 1] != texts[1][line[0] - 1]

    def test_limit_takes_turns_and_seed_draws(
        self, settings: Settings, code_tokenizer: CodeTokenizer
    ) -> None:
        two = replace(settings, limit=2)
        assert len(drawn(two, code_tokenizer)) == 2
        names = {tuple(f.case.name for f in drawn(replace(two, seed=s), code_tokenizer)) for s in range(5)}
        assert len(names) > 1
        streams = [iter("abc"), iter(""), iter("xyzuv")]
        assert "".join(take_turns(streams)) == "axbyczuv"

    def test_changed_tokens_are_slots_that_differ(self, code_tokenizer: CodeTokenizer) -> None:
        assert tokens_changed("a = b\n", "a = b\n", code_tokenizer) == 0
        assert tokens_changed("a = b\n", "a = c\n", code_tokenizer) == 1
        assert tokens_changed("a = b\nx\n", "a = b\n", code_tokenizer) >= 2


class TestRates:
    def test_oracle_is_exact_at_no_false_alarm(
        self, settings: Settings, code_tokenizer: CodeTokenizer
    ) -> None:
        measured = evaluate_realfix(oracle(drawn(settings, code_tokenizer)), settings, code_tokenizer)
        for name, cases in (("all", 4), ("one-token rewrites", 2), ("tier A", 2), ("ada/shop", 4)):
            assert row(measured, name).cases == cases
            assert {rate.value for rate in row(measured, name).rates.values()} == {1.0}
        assert row(measured, "unchanged functions").rates == {"false_positive": Rate(0, 4)}
        point = row(measured, "all, at most 2.0% false")
        assert (point.rates["exact"].value, point.rates["false_positive"].value) == (1.0, 0.0)
        assert sum(r.cases for r in measured.rows if r.section == "edits") == 4
        assert len(measured.exhibits) == 8 and all(shown.right for shown in measured.exhibits)
        assert any("may have been trained" in note and "ada/shop" in note for note in measured.notes)

    def test_unsure_answers_are_exact_only_where_the_threshold_lets_them(
        self, settings: Settings, code_tokenizer: CodeTokenizer
    ) -> None:
        engine = oracle(drawn(settings, code_tokenizer), sure=0.3)
        measured = evaluate_realfix(engine, settings, code_tokenizer)
        rates = row(measured, "all").rates
        assert (rates["exact"].value, rates["repaired_given_line"].value) == (0.0, 1.0)
        assert row(measured, "all, at most 1.0% false").rates["exact"].value == 1

    def test_alarms_are_what_limits_an_eager_engine(
        self, settings: Settings, code_tokenizer: CodeTokenizer
    ) -> None:
        right = {f.case.request.document.text: f.case.expected for f in drawn(settings, code_tokenizer)}

        def answer(request: Request) -> Answer:
            text = request.document.text
            return [(right[text], 0.6)] if text in right else [(text + "# more\n", 0.7)]

        measured = evaluate_realfix(KnownEngine(answer), settings, code_tokenizer)
        assert row(measured, "all").rates["exact"].value == 1
        assert row(measured, "unchanged functions").rates["false_positive"].value == 1
        point = row(measured, "all, at most 16.5% false")
        assert (point.rates["exact"].value, point.rates["false_positive"].value) == (0.0, 0.0)
        assert point.numbers["threshold"] > 0.7

    def test_line_is_given_in_a_run_of_its_own(
        self, settings: Settings, code_tokenizer: CodeTokenizer
    ) -> None:
        right = {f.case.request.document.text: f.case.expected for f in drawn(settings, code_tokenizer)}

        def answer(request: Request) -> Answer:
            first, last = request.lines or (0, 1)
            text = request.document.text
            return [(right[text], 0.9)] if first == last and text in right else []

        whole = replace(settings, limit=2, seed=1)
        rates = row(evaluate_realfix(KnownEngine(answer), whole, code_tokenizer), "all").rates
        assert (rates["exact"].value, rates["repaired_given_line"].value) == (0.0, 1.0)
        engine = KnownEngine(answer)
        told = replace(whole, hints=parse_hints("line"))
        rates = row(evaluate_realfix(engine, told, code_tokenizer), "all").rates
        assert (rates["exact"].value, rates["repaired_given_line"].value) == (1.0, 1.0)
        assert len(engine.requests) == 8  # two fixes, two unchanged functions, and again without a threshold

    def test_likeliest_operation_stands_in_where_nothing_fires(
        self, settings: Settings, code_tokenizer: CodeTokenizer
    ) -> None:
        right = {f.case.request.document.text: f.case.expected for f in drawn(settings, code_tokenizer)}

        def answer(request: Request) -> Answer:
            text = request.document.text
            return [(text, 1.0), (right.get(text, text), 0.1)]

        measured = evaluate_realfix(KnownEngine(answer), settings, code_tokenizer)
        assert row(measured, "all").rates["proposed"].value == 0
        assert row(measured, "all, at most 1.0% false").rates["exact"].value == 1


class TestRefusals:
    def test_no_data_and_other_folders_are_one_line(
        self, settings: Settings, tmp_path: Path, code_tokenizer: CodeTokenizer
    ) -> None:
        for data, match in ((None, "editflow mine"), (tmp_path, "holds no mined edits")):
            with pytest.raises(EditFlowError, match=match):
                evaluate_realfix(oracle([]), replace(settings, data=data), code_tokenizer)

    def test_reserved_repositories_are_refused(self, tmp_path: Path, code_tokenizer: CodeTokenizer) -> None:
        data = mine_into(tmp_path / "out", make_repository(tmp_path / "me" / "scrapy"))
        with pytest.raises(EditFlowError, match="me/scrapy is reserved"):
            evaluate_realfix(oracle([]), Settings(data), code_tokenizer)

    def test_validation_repositories_come_without_warning(
        self, tmp_path: Path, code_tokenizer: CodeTokenizer
    ) -> None:
        data = mine_into(tmp_path / "out", make_repository(tmp_path / "dask" / "dask"))
        measured = evaluate_realfix(oracle([]), Settings(data, limit=1), code_tokenizer)
        assert not any("may have been trained" in note for note in measured.notes)


def test_command_measures_a_network_on_mined_fixes(
    tokenizer_file: Path,
    clones: Path,
    mined: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    point = EntryPoint("eval", "editflow_trainer.commands.eval:evaluate", "editflow.commands")
    monkeypatch.setattr(cli, "entry_points", lambda group: EntryPoints([point]))
    options = ["--data", str(mined), "--repos", str(clones), "--model", str(wild_checkpoint(tokenizer_file))]
    html = tmp_path / "page.html"
    with pytest.raises(SystemExit) as caught:
        cli.main(
            ["eval", "realfix", *options, "--limit", "2", "--hint", "message", "--json", "--html", str(html)]
        )
    report = json.loads(capsys.readouterr().out)
    assert caught.value.code == 0
    assert report["settings"]["hint"] == "message"
    sections = {row["section"] for row in report["rows"]}
    assert sections == {"group", "kind", "edits", "repository", "unchanged", "operating point"}
    assert report["rows"][0]["cases"] == 2
    assert report["notes"][0] == "the model was given a message that says what is wrong"
    assert "ada/shop" in html.read_text("utf-8")

"""The evaluation suites, with engines whose answers are known: an oracle, an idle one, and careless ones."""

import heapq
import inspect
import io
import json
import shlex
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from editflow import cli
from editflow.diagnostics import check_python
from editflow.document import Document
from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow.proposal import Proposal
from editflow.request import Request
from editflow.step import Step
from editflow_trainer.evaluation.case import Case, Settings, make_case, read_pool
from editflow_trainer.evaluation.clean import draw_clean, evaluate_clean
from editflow_trainer.evaluation.hints import parse_hints
from editflow_trainer.evaluation.injected import BY_KIND, BY_SIZE, GROUPS, draw, evaluate_injected
from editflow_trainer.evaluation.lines import changed_lines
from editflow_trainer.evaluation.programs import Program, evaluate_programs, read_programs
from editflow_trainer.evaluation.report import Report, Row
from editflow_trainer.evaluation.statistics import Rate
from editflow_trainer.evaluation.verdict import judge
from editflow_trainer.injection import VISIBLE, BugKind
from editflow_trainer.sources import SourceFunction

ADD = "def add(a, b):\n    return a + b\n"
WRONG_ADD = "def add(a, b):\n    return a - b\n"
TEST_ADD = "assert add(2, 3) == 5\n"


class FakeEngine:
    """Answers a request with the texts that a function gives for its document's text, best first."""

    def __init__(self, answer: Callable[[str], Sequence[str]]) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def fix(self, request: Request) -> Iterator[Step]:
        yield self._step(request)

    def fix_many(self, requests: Sequence[Request]) -> list[Step]:
        self.requests += requests
        return [self._step(request) for request in requests]

    def _step(self, request: Request) -> Step:
        texts = self.answer(request.document.text)[: request.candidates]
        proposals = [Proposal.from_texts(request.document, text) for text in texts]
        return Step(1, 8, proposals[0], done=True, alternatives=tuple(proposals[1:] and proposals))


def idle() -> FakeEngine:
    return FakeEngine(lambda text: [text])


def oracle(cases: Sequence[Case]) -> FakeEngine:
    right = {case.request.document.text: case.expected for case in cases}
    return FakeEngine(lambda text: [right[text]])


def short(text: str) -> bool:
    return len(text) < 1200


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    for module in (heapq, shlex, textwrap):
        (folder / f"{module.__name__}.py").write_text(inspect.getsource(module), "utf-8")
    return folder


@pytest.fixture(scope="module")
def settings(packages: Path) -> Settings:
    return Settings(packages, limit=2)


@pytest.fixture(scope="module")
def cases(settings: Settings) -> list[Case]:
    pool = read_pool(settings)
    return [case for stratum in (*BY_KIND, *BY_SIZE) for case in draw(stratum, pool, settings, short)]


def by_name(rows: Sequence[Row]) -> dict[str, Row]:
    return {row.name: row for row in rows}


class TestCases:
    def test_function_stands_where_its_lines_say(self, cases: list[Case], settings: Settings) -> None:
        clean = {function.text for function in read_pool(settings)}
        for case in cases:
            document = case.request.document
            assert case.request.lines is not None
            first, last = case.request.lines
            head = document.text[: document.line_starts[first - 1]]
            assert case.expected.removeprefix(head) in clean
            assert document.text.count("\n") == last
            assert changed_lines(document, case.expected) <= set(range(first - 1, last))

    def test_visible_bugs_are_underlined_inside_the_function(self, cases: list[Case]) -> None:
        visible = [case for case in cases if case.stratum in VISIBLE]
        assert visible
        for case in visible:
            assert case.request.diagnostics
            assert case.request.lines is not None
            start = case.request.document.line_starts[case.request.lines[0] - 1]
            assert all(start <= d.start < d.end for d in case.request.diagnostics)

    def test_module_names_are_not_undefined_in_the_document(self, settings: Settings) -> None:
        for case in draw_clean(replace(settings, limit=9), short):
            assert [d.message for d in check_python(case.expected)] == [
                d.message for d in case.request.diagnostics or ()
            ]

    def test_diagnostics_keep_what_they_underline(self) -> None:
        function = SourceFunction(
            "p",
            "p/m.py",
            "f",
            "    def f(self):\n        return vale\n",
            "class A:\n",
            "import os\n",
            ("os", "value"),
        )
        request = make_case("x", function, function.text, Settings()).request
        assert request.diagnostics is not None
        (diagnostic,) = request.diagnostics
        assert request.document.text[diagnostic.start : diagnostic.end] == "vale"
        assert diagnostic.message == "undefined name 'vale'. Did you mean: 'value'?"
        assert request.document.path == Path("m.py")

    def test_same_seed_draws_the_same(self, settings: Settings) -> None:
        def drawn(seed: int) -> list[str]:
            return [case.expected for case in draw_clean(replace(settings, limit=9, seed=seed), short)]

        assert drawn(1) == drawn(1)
        assert drawn(1) != drawn(2)

    def test_too_long_texts_are_left_out(self, settings: Settings) -> None:
        assert not draw_clean(settings, lambda text: False)

    def test_corpus_file_reads_like_its_packages(self, settings: Settings, tmp_path: Path) -> None:
        functions = read_pool(settings)
        rows = [json.dumps(asdict(function)) for function in functions]
        (tmp_path / "functions.jsonl").write_text("\n".join(rows), "utf-8")
        for data in (tmp_path, tmp_path / "functions.jsonl"):
            assert read_pool(Settings(data)) == functions

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("absent.jsonl", None, "make heldout"),
            ("functions.jsonl", "not json\n", "not a corpus"),
            ("functions.jsonl", '{"text": ""}\n', "not a corpus"),
            ("functions.jsonl", "", "no Python functions"),
        ],
    )
    def test_bad_data_is_one_line(self, tmp_path: Path, name: str, content: str | None, message: str) -> None:
        if content is not None:
            (tmp_path / name).write_text(content)
        with pytest.raises(EditFlowError, match=message) as caught:
            read_pool(Settings(tmp_path / name))
        assert "\n" not in str(caught.value)

    def test_no_data_says_how_to_get_it(self) -> None:
        with pytest.raises(EditFlowError, match="make heldout"):
            read_pool(Settings())


class TestInjected:
    def test_oracle_is_always_right(self, cases: list[Case], settings: Settings) -> None:
        rows = evaluate_injected(oracle(cases), settings, short).rows
        found = [row for row in rows if row.cases]
        assert all(rate.hits == rate.cases > 0 for row in found for rate in row.rates.values())
        assert {row.name for row in rows} == {*GROUPS, *BugKind, "1 edit", "2-3 edits", "4-8 edits"}
        assert by_name(rows)["all"].cases == sum(row.cases for row in rows if row.section == "kind") > 40

    def test_idle_engine_is_never_right_and_groups_add_up(self, settings: Settings) -> None:
        rows = by_name(evaluate_injected(idle(), settings, short).rows)
        assert all(rate.hits == 0 for row in rows.values() for rate in row.rates.values())
        assert rows["visible"].cases == sum(rows[kind].cases for kind in VISIBLE)
        assert rows["all"].cases == rows["visible"].cases + rows["not visible"].cases

    def test_sizes_hold_what_they_say(self, settings: Settings) -> None:
        pool = read_pool(settings)
        for stratum in BY_SIZE[1:]:
            for case in draw(stratum, pool, settings, short):
                assert len(changed_lines(case.request.document, case.expected)) <= max(stratum.counts) * 5
                assert case.expected != case.request.document.text

    def test_without_diagnostics_none_are_given(self, settings: Settings) -> None:
        silent = replace(settings, hints=frozenset(), limit=1)
        (case,) = draw(BY_SIZE[0], read_pool(settings), silent, short)
        assert case.request.diagnostics == ()

    @pytest.mark.parametrize(
        ("text", "located", "exact"),
        [
            (ADD, True, True),
            (WRONG_ADD, False, False),
            ("def add(a, b):\n    return a * b\n", True, False),
            ("def add(b, a):\n    return a + b\n", False, False),
            ("def add(b, a):\n    return a - b\n", False, False),
        ],
        ids=["exact", "nothing", "right line", "one line too many", "another line"],
    )
    def test_location_is_the_lines_and_no_other(self, text: str, located: bool, exact: bool) -> None:
        document = Document.from_text(WRONG_ADD)
        case = Case("x", Request(document), ADD)
        verdict = judge(case, Proposal.from_texts(document, text))
        assert (verdict.located, verdict.exact) == (located, exact)
        assert verdict.proposed == (text != WRONG_ADD)

    def test_cut_into_hunks_makes_no_difference(self) -> None:
        document = Document.from_text("a\nb\nc\n")
        whole = Proposal.from_edits(document, [(0, 6, "a\nB\nc\n", 1.0)])
        assert changed_lines(document, whole.text) == {1}
        assert judge(Case("x", Request(document), "a\nB\nc\n"), whole).located


class TestClean:
    def test_idle_engine_touches_nothing(self, settings: Settings) -> None:
        (row,) = evaluate_clean(idle(), replace(settings, limit=9), short).rows
        assert row.cases == 9
        assert row.rates["untouched"] == Rate(9, 9)
        assert row.numbers == {"proposals_per_1000_lines": 0.0}

    def test_proposals_are_counted_by_lines_of_functions(self, settings: Settings) -> None:
        engine = FakeEngine(lambda text: [text + "# one\n"])
        (row,) = evaluate_clean(engine, replace(settings, limit=9), short).rows
        spans = [request.lines or (1, 0) for request in engine.requests]
        lines = sum(last - first + 1 for first, last in spans)
        assert row.rates["untouched"] == Rate(0, 9)
        assert row.numbers["proposals_per_1000_lines"] == pytest.approx(9000 / lines)


def write_parity(folder: Path) -> None:
    row = {"before": WRONG_ADD, "after": ADD, "tests": TEST_ADD, "prelude": ""}
    rows = [{**row, "n_bugs": 1}, {**row, "n_bugs": 2, "before": "def add(a, b):\n    return c - b\n"}]
    (folder / "parity4.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")


class TestPrograms:
    @pytest.fixture
    def programs(self, tmp_path: Path) -> list[Program]:
        write_parity(tmp_path)
        return read_programs("parity4", tmp_path)

    def test_oracle_solves_each_level(self, programs: list[Program]) -> None:
        rows = evaluate_programs(FakeEngine(lambda text: [ADD]), programs, Settings()).rows
        assert [(row.name, row.cases) for row in rows] == [("all", 2), ("bugs: 1", 1), ("bugs: 2", 1)]
        assert all(rate.value == 1 for row in rows for rate in row.rates.values())

    def test_idle_engine_solves_nothing_and_breaks_nothing(self, programs: list[Program]) -> None:
        rates = evaluate_programs(idle(), programs, Settings()).rows[0].rates
        assert {name: rate.value for name, rate in rates.items()} == {
            "pass@1": 0.0,
            "changed": 0.0,
            "still_correct": 1.0,
        }

    def test_correct_program_that_is_broken_counts(self, programs: list[Program]) -> None:
        rates = evaluate_programs(FakeEngine(lambda text: [WRONG_ADD]), programs, Settings()).rows[0].rates
        assert rates["still_correct"].value == 0
        assert rates["changed"] == Rate(1, 2)

    def test_any_of_the_first_k_solves(self, programs: list[Program]) -> None:
        right = "def add(a, b):\n    return b + a\n"
        engine = FakeEngine(lambda text: [WRONG_ADD, WRONG_ADD + "# still\n", right])
        for candidates, passed in (
            (1, {1: 0}),
            (2, {1: 0, 2: 0}),
            (3, {1: 0, 2: 0, 3: 2}),
            (5, {1: 0, 2: 0, 4: 2, 5: 2}),
        ):
            rates = evaluate_programs(engine, programs, Settings(candidates=candidates)).rows[0].rates
            shown = {name: rate.hits for name, rate in rates.items() if name.startswith("pass@")}
            assert shown == {f"pass@{k}": hits for k, hits in passed.items()}

    def test_more_answers_than_asked_for_do_not_count(self, programs: list[Program]) -> None:
        class Generous(FakeEngine):
            def _step(self, request: Request) -> Step:
                return super()._step(replace(request, candidates=9))

        engine = Generous(lambda text: [WRONG_ADD, WRONG_ADD + "# still\n", ADD])
        rates = evaluate_programs(engine, programs, Settings(candidates=2)).rows[0].rates
        assert rates["pass@2"] == Rate(0, 2)

    def test_limit_and_diagnostics_reach_the_engine(self, programs: list[Program]) -> None:
        for wanted, given_diagnostics in (("diagnostic", None), ("none", ())):
            engine = idle()
            evaluate_programs(engine, programs, Settings(limit=1, hints=parse_hints(wanted)))
            assert [request.diagnostics for request in engine.requests] == [given_diagnostics] * 2

    def test_prelude_is_context_outside_the_lines(self, tmp_path: Path) -> None:
        row = {
            "before": "x = TWO + 2",
            "after": "x = TWO + 3",
            "prelude": "TWO = 2",
            "tests": "assert x == 5",
        }
        (tmp_path / "humanevalpack.jsonl").write_text(json.dumps({**row, "kind": "value misuse"}), "utf-8")
        engine = FakeEngine(lambda text: ["TWO = 2\nx = TWO + 3\n"])
        rows = evaluate_programs(engine, read_programs("humanevalfix", tmp_path), Settings()).rows
        assert [row.name for row in rows] == ["all", "value misuse"]
        assert rows[0].rates["pass@1"].value == 1
        assert engine.requests[0].document.text == "TWO = 2\nx = TWO + 2\n"
        assert engine.requests[0].lines == (2, 2)

    @pytest.mark.parametrize("content", [None, "not json", '{"before": ""}', "[]"])
    def test_bad_file_is_one_line(self, tmp_path: Path, content: str | None) -> None:
        if content is not None:
            (tmp_path / "parity4.jsonl").write_text(content)
        with pytest.raises(EditFlowError, match=r"parity4\.jsonl"):
            read_programs("parity4", tmp_path)


def test_table_shows_every_row_with_its_interval() -> None:
    rows = (
        Row("group", "all", 20, {"exact": Rate(0, 20)}, {"hunks": 1.25}),
        Row("kind", "missing_colon", 0, {"exact": Rate(0, 0)}, {"hunks": 0.0}),
    )
    report = Report("injected", "m@1", "cpu", "2026-01-01T00:00:00+00:00", 3.21, {}, ("told nothing",), rows)
    console = Console(width=100, record=True, file=io.StringIO())
    report.print(console)
    shown = console.export_text()
    for text in ("0% (0-16)", "missing_colon", "1.2", "told nothing", "m@1 on cpu"):
        assert text in shown


class TestCommand:
    @pytest.fixture(autouse=True)
    def mounted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        point = EntryPoint("eval", "editflow_trainer.commands.eval:evaluate", "editflow.commands")
        monkeypatch.setattr(cli, "entry_points", lambda group: EntryPoints([point]))

    @pytest.fixture
    def loaded(self, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
        engine = FakeEngine(lambda text: [ADD])
        described = SimpleNamespace(fix=engine.fix, fix_many=engine.fix_many, name="fake@0", device="cpu")
        monkeypatch.setattr(Engine, "load", lambda name: described)
        return engine

    def run(self, capsys: pytest.CaptureFixture[str], *args: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as caught:
            cli.main(["eval", *args])
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    @pytest.mark.usefixtures("loaded")
    def test_json_is_one_object(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write_parity(tmp_path)
        code, out, _ = self.run(capsys, "parity4", "--data", str(tmp_path), "--json", "--hint", "none")
        assert code == 0
        report = json.loads(out)
        assert (report["suite"], report["model"], report["device"]) == ("parity4", "fake@0", "cpu")
        assert report["settings"] == {
            "limit": None,
            "seed": 0,
            "candidates": 1,
            "hint": "none",
            "repos": False,
            "baseline": None,
        }
        assert report["notes"][0] == "the model was given the code alone"
        assert report["rows"][0]["rates"]["pass@1"]["value"] == 1.0
        assert {"date", "seconds"} <= report.keys()

    @pytest.mark.usefixtures("loaded")
    def test_table_says_that_diagnostics_were_given(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_parity(tmp_path)
        code, out, _ = self.run(capsys, "parity4", "--data", str(tmp_path), "--limit", "1")
        assert code == 0
        assert "was given the complaints" in out
        assert "100%" in out

    @pytest.mark.usefixtures("loaded")
    def test_several_suites_share_a_folder_and_a_table(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for folder, name, kind in (
            ("parity4", "parity4", {"n_bugs": 1}),
            ("humanevalpack",) * 2 + ({"kind": "x"},),
        ):
            (tmp_path / folder).mkdir()
            row = {"before": WRONG_ADD, "after": ADD, "tests": TEST_ADD, **kind}
            (tmp_path / folder / f"{name}.jsonl").write_text(json.dumps(row), "utf-8")
        page = tmp_path / "page.html"
        wanted = ["parity4", "humanevalfix", "--data-root", str(tmp_path)]
        code, out, _ = self.run(capsys, *wanted, "--html", str(page))
        assert code == 0
        table = out[out.rindex("measure") :]
        assert table.count("pass@1") == table.count("still correct") == 2
        assert page.read_text("utf-8").count("<h1>") == 2
        code, out, _ = self.run(capsys, *wanted, "--json")
        assert [report["suite"] for report in json.loads(out)["suites"]] == ["parity4", "humanevalfix"]
        code, _, error = self.run(capsys, "parity4", "clean", "--data", str(tmp_path))
        assert (code, error.count("\n")) == (2, 1)
        assert "--data-root" in error

    @pytest.mark.usefixtures("loaded")
    def test_missing_data_is_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, error = self.run(capsys, "quixbugs")
        assert (code, out) == (2, "")
        assert error.startswith("editflow: quixbugs needs its programs")
        assert error.count("\n") == 1

    def test_unknown_suite_is_answered_with_the_known(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, error = self.run(capsys, "everything")
        assert code == 2
        assert "injected" in error

"""DebugBench and EditEval in rows made up here, and the baselines on a network that answers at random."""

import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow import cli
from editflow.diagnostics import check_python
from editflow.document import Document
from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow.request import Request
from editflow_trainer.evaluation.baselines import Copy, OnePass
from editflow_trainer.evaluation.case import Settings
from editflow_trainer.evaluation.debugbench import FILE as DEBUGBENCH
from editflow_trainer.evaluation.debugbench import PRELUDE, SIZES, Bug, evaluate_debugbench, read_debugbench
from editflow_trainer.evaluation.editeval import BY_TESTS, BY_TEXT, evaluate_editeval, read_editeval
from editflow_trainer.evaluation.editeval import FILE as EDITEVAL
from editflow_trainer.evaluation.programs import Program
from editflow_trainer.evaluation.report import Row
from editflow_trainer.evaluation.verdict import tidied
from tests.core.wild import ScriptedEngine, replacing, wild_checkpoint, wild_engine
from tests.trainer.test_evaluation import FakeEngine, by_name, idle

SOLUTION = "class Solution:\n    def first(self, values: List[int]) -> int:\n        return values[0]"
NO_COLON = "\n" + SOLUTION.replace("int:", "int  ")
TWO_BUGS = "\n" + SOLUTION.replace("[0]", "[1]").replace("Solution", "Solutions")
ADD = "def add(a, b):\n    return a + b"
WRONG_ADD = "def add(a, b):\n    return a - b"


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path.parent


def values(row: Row) -> dict[str, float | None]:
    return {name: rate.value for name, rate in row.rates.items()}


class TestDebugBench:
    @pytest.fixture
    def bugs(self, tmp_path: Path) -> list[Bug]:
        colon = {"kind": "missing colons", "before": NO_COLON, "after": SOLUTION}
        double = {"kind": "double", "before": TWO_BUGS, "after": SOLUTION}
        return read_debugbench(write(tmp_path / DEBUGBENCH, [colon, double, colon]))

    def test_repeated_rows_count_once(self, bugs: list[Bug]) -> None:
        assert [bug.kind for bug in bugs] == ["missing colons", "double"]

    def test_oracle_is_exact_in_every_row(self, bugs: list[Bug]) -> None:
        rows = by_name(
            evaluate_debugbench(FakeEngine(lambda text: [PRELUDE + SOLUTION]), bugs, Settings()).rows
        )
        assert {name: row.cases for name, row in rows.items()} == {
            "all": 2,
            "double": 1,
            "missing colons": 1,
            **dict.fromkeys(SIZES, 0),
            "1 edit": 1,
            "2-3 edits": 1,
        }
        assert all(set(values(row).values()) == {1.0} for row in rows.values() if row.cases)

    def test_idle_engine_proposes_nothing(self, bugs: list[Bug]) -> None:
        rates = values(evaluate_debugbench(idle(), bugs, Settings()).rows[0])
        assert rates == {"proposed": 0, "located": 0, "repaired_when_located": None, "exact": 0}

    def test_one_of_two_bugs_is_not_exact_nor_located(self, bugs: list[Bug]) -> None:
        engine = FakeEngine(lambda text: [text.replace("Solutions", "Solution")])
        rates = values(by_name(evaluate_debugbench(engine, bugs, Settings()).rows)["double"])
        assert (rates["proposed"], rates["located"], rates["exact"]) == (1, 0, 0)

    def test_whitespace_at_line_ends_is_no_difference(self, bugs: list[Bug]) -> None:
        spaced = FakeEngine(lambda text: [PRELUDE + SOLUTION.replace("\n", "  \n") + "\n\n"])
        assert values(evaluate_debugbench(spaced, bugs, Settings()).rows[0])["exact"] == 1
        only_spaces = FakeEngine(lambda text: [text.replace("\n", " \n")])
        assert values(evaluate_debugbench(only_spaces, bugs, Settings()).rows[0])["proposed"] == 0

    def test_right_solutions_have_no_complaint_and_only_the_program_may_change(self, bugs: list[Bug]) -> None:
        assert not check_python(PRELUDE + SOLUTION)
        engine = idle()
        evaluate_debugbench(engine, bugs, Settings())
        for request in engine.requests:
            assert request.lines is not None
            first, last = (request.document.line_starts[line - 1] for line in request.lines)
            assert request.document.text[first:].startswith("class Solution")
            assert request.document.text[last:].count("\n") == 1
            assert request.diagnostics is None

    def test_limit_and_seed_draw(self, bugs: list[Bug]) -> None:
        def drawn(seed: int) -> list[str]:
            engine = idle()
            evaluate_debugbench(engine, bugs, Settings(limit=1, seed=seed, hints=frozenset()))
            assert [request.diagnostics for request in engine.requests] == [()]
            return [request.document.text for request in engine.requests]

        assert drawn(3) == drawn(3)
        assert len({drawn(seed)[0] for seed in range(8)}) == 2


class TestEditEval:
    @pytest.fixture
    def row(self) -> dict[str, object]:
        return {
            "prelude": "TWO = 2\n",
            "template": None,
            "before": WRONG_ADD,
            "after": ADD,
            "tests": "assert add(TWO, 3) == 5",
            "instruction": "Add them.",
            "after_result": "pass",
        }

    def read(self, folder: Path, *rows: Mapping[str, object]) -> list[Program]:
        return read_editeval(write(folder / EDITEVAL, rows))

    def test_instruction_reaches_the_engine_and_prelude_stays_outside(
        self, tmp_path: Path, row: dict[str, object]
    ) -> None:
        engine = idle()
        evaluate_editeval(engine, self.read(tmp_path, row), Settings())
        assert [request.instruction for request in engine.requests] == ["Add them."] * 2
        assert [request.lines for request in engine.requests] == [(2, 3)] * 2
        assert engine.requests[0].document.text == "TWO = 2\n" + WRONG_ADD + "\n"

    def test_tests_accept_other_words_and_the_text_does_not(
        self, tmp_path: Path, row: dict[str, object]
    ) -> None:
        programs = self.read(tmp_path, row, {**row, "tests": ""}, {**row, "after_result": "fail"})
        other = FakeEngine(lambda text: ["TWO = 2\n" + ADD.replace("a + b", "b + a") + "\n"])
        rows = by_name(evaluate_editeval(other, programs, Settings()).rows)
        assert {name: (r.cases, r.rates["pass@1"].value) for name, r in rows.items()} == {
            BY_TESTS: (1, 1.0),
            BY_TEXT: (2, 0.0),
        }
        exact = FakeEngine(lambda text: ["TWO = 2\n" + ADD + "  \n"])
        assert (
            by_name(evaluate_editeval(exact, programs, Settings()).rows)[BY_TEXT].rates["pass@1"].value == 1
        )

    @pytest.mark.parametrize(
        ("template", "tests"),
        [
            (
                "edited_code = '''\n{{Code}}\n'''\n{{Code}}",
                "assert 'a + b' in edited_code and add(1, TWO) == 3",
            ),
            ("if TWO:\n    TWO = 0\n{{Code}}\n", "assert (TWO, add(1, 2)) == (0, 3)"),
        ],
        ids=["quoted", "around"],
    )
    def test_template_is_run_around_the_code(
        self, tmp_path: Path, row: dict[str, object], template: str, tests: str
    ) -> None:
        (program,) = self.read(tmp_path, {**row, "template": template, "tests": tests})
        assert program.passes(program.prelude + program.after)
        assert not program.passes(program.prelude + program.before)

    def test_idle_engine_solves_nothing_and_breaks_nothing(
        self, tmp_path: Path, row: dict[str, object]
    ) -> None:
        programs = self.read(tmp_path, row, {**row, "tests": ""})
        for found in evaluate_editeval(idle(), programs, Settings()).rows:
            assert values(found) == {"pass@1": 0, "changed": 0, "still_correct": 1}


NO_BEFORE = json.dumps({"kind": "", "before": None, "after": ADD, "tests": "", "instruction": ""})


@pytest.mark.parametrize(("read", "name"), [(read_debugbench, DEBUGBENCH), (read_editeval, EDITEVAL)])
@pytest.mark.parametrize("content", [None, "not json", '{"before": ""}', "[]", NO_BEFORE])
def test_bad_file_is_one_line(
    tmp_path: Path, read: Callable[[Path], object], name: str, content: str | None
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(EditFlowError, match=name) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="a \t\n\r\f"))
def test_tidied_is_settled_and_keeps_what_is_not_whitespace(text: str) -> None:
    once = tidied(text)
    assert tidied(once) == once
    assert once.split() == text.split()
    assert all(line == line.rstrip() for line in once.split("\n"))


BROKEN = "def add(first, second)\n    total = first + secnd\n    return total\n"


class TestBaselines:
    def request(self, text: str = BROKEN) -> Request:
        return Request(Document.from_text(text, Path("a.py")))

    def test_copy_changes_nothing(self, tokenizer_file: Path) -> None:
        requests = [self.request(), self.request("x = 1\n")]
        steps = Copy.load(str(wild_checkpoint(tokenizer_file)), "cpu").fix_many(requests)
        assert [step.proposal.text for step in steps] == [request.document.text for request in requests]
        assert all(step.done and not step.alternatives for step in steps)

    def test_one_pass_evaluates_the_network_once(self, tokenizer_file: Path) -> None:
        rows: dict[str, list[int]] = {}
        for kind in (Engine, OnePass):
            engine = kind.load(str(wild_checkpoint(tokenizer_file)), "cpu")
            calls = rows.setdefault(kind.__name__, [])
            engine.backbone.register_forward_pre_hook(
                lambda module, given, calls=calls: calls.append(len(given[0]))
            )
            engine.fix_many([self.request()])
        assert rows["OnePass"] == [1]
        assert len(rows["Engine"]) > 1

    def test_one_pass_does_not_repair_what_a_repair_uncovers(self, tokenizer_file: Path) -> None:
        class ScriptedOnePass(OnePass, ScriptedEngine):
            """One round of the script."""

        script = replacing(("f(", "f(x, "))
        engine, text = wild_engine(tokenizer_file), "def f():\n    return f(y)\n"
        often = ScriptedEngine(engine, script).fix_last(self.request(text)).proposal.text
        once = ScriptedOnePass(engine, script).fix_last(self.request(text)).proposal.text
        assert once == text.replace("f(", "f(x, ")
        assert often.count("x, ") > once.count("x, ")


class TestCommand:
    @pytest.fixture(autouse=True)
    def mounted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        point = EntryPoint("eval", "editflow_trainer.commands.eval:evaluate", "editflow.commands")
        monkeypatch.setattr(cli, "entry_points", lambda group: EntryPoints([point]))

    def run(self, capsys: pytest.CaptureFixture[str], *args: str) -> tuple[object, str, str]:
        with pytest.raises(SystemExit) as caught:
            cli.main(["eval", *args])
        printed = capsys.readouterr()
        return caught.value.code, printed.out, printed.err

    @pytest.mark.parametrize("baseline", ["copy", "one-pass"])
    def test_report_says_which_baseline_it_is(
        self, tmp_path: Path, tokenizer_file: Path, capsys: pytest.CaptureFixture[str], baseline: str
    ) -> None:
        row = {"kind": "double", "before": TWO_BUGS, "after": SOLUTION}
        data = ["--data", str(write(tmp_path / DEBUGBENCH, [row]))]
        model = ["--model", str(wild_checkpoint(tokenizer_file)), "--baseline", baseline]
        code, out, _ = self.run(capsys, "debugbench", *data, *model)
        assert code == 0
        assert out.startswith(f"debugbench: baseline {baseline} (wild@")
        code, out, _ = self.run(capsys, "debugbench", *data, *model, "--json")
        report = json.loads(out)
        assert report["settings"]["baseline"] == baseline
        assert report["notes"][0].startswith(f"baseline {baseline}: ")
        assert report["rows"][0]["rates"]["exact"]["hits"] == 0

    def test_baseline_gives_one_answer(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, error = self.run(capsys, "editeval", "--baseline", "copy", "--candidates", "2")
        assert (code, out) == (2, "")
        assert error.startswith("editflow: a baseline gives one answer")

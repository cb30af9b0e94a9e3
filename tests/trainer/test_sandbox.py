"""Running programs under limits, and the tests of a QuixBugs-like layout that run there."""

import time
from pathlib import Path

import pytest

from editflow.errors import EditFlowError
from editflow_trainer.evaluation import sandbox
from editflow_trainer.evaluation.failures import printed_by
from editflow_trainer.evaluation.limits import NO_LIMITS
from editflow_trainer.evaluation.programs import Program
from editflow_trainer.evaluation.quixbugs import read_quixbugs
from editflow_trainer.evaluation.sandbox import Outcome, run_program

ADD = "def add(a, b):\n    return a + b\n"
WRONG_ADD = "def add(a, b):\n    return a - b\n"
TEST_ADD = "assert add(2, 3) == 5\n"


class TestSandbox:
    @pytest.mark.parametrize(
        ("source", "outcome"),
        [
            (ADD + TEST_ADD, Outcome.PASSED),
            (WRONG_ADD + TEST_ADD, Outcome.FAILED),
            ("def add(a, b:\n", Outcome.FAILED),
            ("import sys; sys.exit(0)", Outcome.FAILED),
            ("import os; os._exit(0)", Outcome.FAILED),
            ("import atexit, os; atexit.register(os._exit, 3)", Outcome.FAILED),
            ("def f(): f()\nf()", Outcome.FAILED),
            ("blob = bytearray(2 << 30)", Outcome.FAILED),
            ("open('big', 'wb').write(bytes(32 << 20))", Outcome.FAILED),
            ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", Outcome.FAILED),
            ("while True: pass", Outcome.TIMEOUT),
        ],
    )
    def test_outcome(self, source: str, outcome: Outcome) -> None:
        assert run_program(source, timeout_s=1, memory_mb=512) is outcome

    def test_program_that_waits_is_stopped(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sandbox, "WALL_S", 1)
        assert run_program("import time; time.sleep(60)") is Outcome.TIMEOUT

    def test_children_die_with_their_program(self, tmp_path: Path) -> None:
        mark = tmp_path / "alive"
        child = f"import time, pathlib; time.sleep(1); pathlib.Path({str(mark)!r}).touch()"
        source = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}])"
        assert run_program(source) is Outcome.PASSED
        time.sleep(1.5)
        assert not mark.exists()

    def test_nothing_is_inherited(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EDITFLOW_SECRET", "1")
        expected = {"PYTHONHASHSEED", "LC_CTYPE"}  # the latter is set by Python itself
        source = f"import os, sys\nassert set(os.environ) <= {expected}\nassert not sys.stdin.read()"
        assert run_program(source) is Outcome.PASSED

    def test_program_sees_its_files_and_no_other(self) -> None:
        source = (
            "import os\nassert sorted(os.listdir()) == ['data', 'program.py']\n"
            "assert open('data/x', newline='').read() == 'a\\r\\n'"
        )
        assert run_program(source, files={"data/x": "a\r\n"}) is Outcome.PASSED

    def test_what_is_printed_goes_where_it_is_asked_for(self) -> None:
        noisy = "import sys\nprint('out', flush=True)\nprint('err', file=sys.stderr)\n"
        assert printed_by(noisy) == "out\nerr\n"
        assert printed_by(f"print('x' * {1 << 18})\nprint('end')").endswith("x\nend\n")
        assert len(printed_by(f"print('x' * {1 << 18})")) == 1 << 16

    def test_refused_limits_are_no_verdict(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        refusing = tmp_path / "limits.py"
        refusing.write_text(f"import sys; sys.exit({NO_LIMITS})")
        monkeypatch.setattr(sandbox, "_LAUNCHER", refusing)
        assert run_program(ADD) is Outcome.ERROR
        program = Program(Path("p.py"), "", ADD, ADD, "", lambda text: Outcome.ERROR)
        with pytest.raises(EditFlowError, match="refuses limits"):
            program.passes(ADD)


class TestQuixBugs:
    """A layout like that of the public repository, with two programs that have tests."""

    @pytest.fixture
    def layout(self, tmp_path: Path) -> Path:
        head = "from python_programs.{0} import {0}\n"
        loader = (
            "import json, pathlib\ncases = json.loads(pathlib.Path('json_testcases/add.json').read_text())\n"
        )
        files = {
            "conftest.py": "",
            "python_programs/add.py": WRONG_ADD,
            "correct_python_programs/add.py": ADD,
            "python_programs/spin.py": "def spin():\n    while True:\n        pass\n",
            "correct_python_programs/spin.py": "def spin():\n    return 1\n",
            "correct_python_programs/untested.py": ADD,
            "python_testcases/load_testdata.py": loader,
            "python_testcases/test_add.py": head.format("add")
            + "from load_testdata import cases\ndef test_add():\n    for given, expected in cases:\n"
            + "        assert add(*given) == expected\n",
            "python_testcases/test_spin.py": head.format("spin")
            + "def test_spin():\n    assert spin() == 1\n",
            "json_testcases/add.json": "[[[2, 3], 5]]",
        }
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return tmp_path

    def test_correct_sides_pass_and_buggy_sides_do_not(
        self, layout: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("editflow_trainer.evaluation.quixbugs.TIMEOUT_S", 2)
        programs = read_quixbugs(layout)
        assert [program.path.name for program in programs] == ["add.py", "spin.py"]
        assert [program.run(program.after) for program in programs] == [Outcome.PASSED] * 2
        assert [program.run(program.before) for program in programs] == [Outcome.FAILED, Outcome.TIMEOUT]

    def test_program_that_does_not_parse_fails(self, layout: Path) -> None:
        assert read_quixbugs(layout)[0].run("def add(a, b:\n") is Outcome.FAILED

    def test_failing_assertion_is_quoted(self, layout: Path) -> None:
        adding = read_quixbugs(layout)[0]
        assert adding.failure is not None
        assert adding.failure(adding.before) == "assert add(*given) == expected; assert -1 == 5"
        assert adding.failure(adding.after) == ""

    def test_other_folder_is_one_line(self, tmp_path: Path) -> None:
        with pytest.raises(EditFlowError, match="layout of QuixBugs"):
            read_quixbugs(tmp_path)

    def test_missing_pytest_is_named(self, layout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("editflow_trainer.evaluation.quixbugs.find_spec", lambda name: None)
        with pytest.raises(EditFlowError, match="pip install pytest"):
            read_quixbugs(layout)

"""`editflow fix` as a shell sees it: what is printed where, exit codes, and what is written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from editflow.document import Document
from editflow.request import Decoder
from tests.core.shell import Engine, Shell

BROKEN = "def f(value):\n    return valeu\n"
FIXED = BROKEN.replace("valeu", "value")
PATCH = """diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -1,2 +1,2 @@
 def f(value):
-    return valeu
+    return value
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_bytes(BROKEN.encode())
    return tmp_path / "a.py"


@pytest.mark.usefixtures("engine")
class TestPatch:
    @pytest.mark.parametrize("name", ["a.py", "./a.py", "sub/../a.py", "{cwd}/a.py"])
    def test_names_the_file_from_here(self, shell: Shell, path: Path, name: str) -> None:
        (path.parent / "sub").mkdir()
        assert shell("fix", name.format(cwd=path.parent)) == 0
        assert (shell.out, shell.err) == (PATCH, "")
        assert path.read_bytes() == BROKEN.encode()

    def test_diff_is_the_default(self, shell: Shell, path: Path) -> None:
        assert shell("fix", "--diff", path) == 0
        assert shell.out == PATCH

    @pytest.mark.parametrize(
        ("folder", "name"), [(".", "sub/a.py"), ("sub", "a.py"), ("other", "../sub/a.py"), (".", "link.py")]
    )
    def test_applies_in_a_repository_from_wherever_it_was_made(
        self, shell: Shell, path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, name: str
    ) -> None:
        top = path.parent
        for each in ("sub", "other"):
            (top / each).mkdir()
        fixed = path.rename(top / "sub" / "a.py")
        (top / "link.py").symlink_to(fixed)
        subprocess.run(["git", "init", "--quiet", top], check=True)
        monkeypatch.chdir(top / folder)
        assert shell("fix", name) == 0
        # git leaves out what a patch says about files outside the folder that it runs in
        subprocess.run(["git", "apply"], input=shell.data, cwd=top, check=True)
        assert fixed.read_bytes() == FIXED.encode()
        if folder == "sub":
            subprocess.run(["git", "apply", "--reverse"], input=shell.data, cwd=top / "sub", check=True)
            assert fixed.read_bytes() == BROKEN.encode()

    def test_file_outside_is_named_from_the_root(
        self, shell: Shell, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (path.parent / "sub").mkdir()
        monkeypatch.chdir(path.parent / "sub")
        assert shell("fix", "../a.py") == 0
        assert f"+++ b{path.resolve()}\n" in shell.out

    def test_bytes_are_those_of_the_file(self, shell: Shell, path: Path) -> None:
        data = BROKEN.replace("\n", "\r\n").encode() + b"# coding: latin-1 \xe9"
        path.write_bytes(b"# coding: latin-1\r\n" + data)
        assert shell("fix", path) == 0
        assert (
            b"-    return valeu\r\n+    return value\r\n # coding: latin-1 \xe9\n\\ No newline" in shell.data
        )

    def test_nothing_to_fix_is_no_patch(self, shell: Shell, path: Path) -> None:
        path.write_text(FIXED)
        assert shell("fix", "a.py") == 0
        assert (shell.out, shell.err) == ("", "")
        assert shell("fix", "a.py", err=True) == 0
        assert "a.py: nothing to fix" in shell.err

    def test_terminal_gets_colours_and_no_controls(self, shell: Shell, path: Path) -> None:
        path.write_text("# \x1b]0;title\x07\n" + BROKEN)
        assert shell("fix", "a.py", out=True) == 0
        assert "\x1b[31m-    return \x1b[0m" in shell.out
        assert "\x1b]0" not in shell.out and "\x07" not in shell.out
        assert "␛]0;title␇" in shell.out

    def test_two_files_are_fixed_with_one_model(self, shell: Shell, path: Path, engine: Engine) -> None:
        (path.parent / "b.py").write_text(BROKEN)
        assert shell("fix", "a.py", "b.py", "a.py") == 0
        assert shell.out == PATCH + PATCH.replace("a.py", "b.py")
        assert [request.document.path for request in engine.requests] == [Path("a.py"), Path("b.py")]


@pytest.mark.usefixtures("engine")
class TestModes:
    def test_write_changes_the_file(self, shell: Shell, path: Path) -> None:
        assert shell("fix", "a.py", "--write") == 0
        assert shell.out == "fixed a.py: 1 hunk\n"
        assert path.read_bytes() == FIXED.encode()
        assert shell("fix", "a.py", "--write") == 0
        assert shell.out == ""

    def test_check_counts(self, shell: Shell, path: Path) -> None:
        assert shell("fix", "--check", "a.py") == 1
        assert shell.out == "a.py: 1 hunk\n"
        path.write_text("def f(value)\n    return valeu\n")
        assert shell("fix", "--check", "a.py") == 1
        assert shell.out == "a.py: 2 hunks\n"
        path.write_text(FIXED)
        assert shell("fix", "--check", "a.py") == 0
        assert shell.out == ""

    def test_json_is_one_object_a_file(self, shell: Shell, path: Path) -> None:
        (path.parent / "b.py").write_text(FIXED)
        assert shell("fix", "--json", "a.py", "b.py") == 0
        first, second = map(json.loads, shell.out.splitlines())
        assert (first["file"], first["text"], len(first["hunks"])) == ("a.py", FIXED, 1)
        assert (first["model"], first["device"], first["passes"]) == ("fake@01234567", "cpu", 1)
        assert first["alternatives"] == [BROKEN]
        assert (second["file"], second["text"], second["hunks"]) == ("b.py", FIXED, [])

    def test_standard_input_comes_out_fixed(self, shell: Shell) -> None:
        data = b"\xef\xbb\xbf" + BROKEN.replace("\n", "\r\n").encode()
        assert shell("fix", "-", stdin=data) == 0
        assert shell.data == data.replace(b"valeu", b"value")
        assert shell("fix", "-", stdin=FIXED.encode()) == 0
        assert shell.out == FIXED

    def test_standard_input_on_a_terminal_is_safe(self, shell: Shell) -> None:
        assert shell("fix", "-", stdin=b"# \x1b[31m valeu\n", out=True) == 0
        assert shell.out == "# ␛[31m value\n"

    def test_standard_input_in_other_modes(self, shell: Shell) -> None:
        assert shell("fix", "-", "--diff", stdin=BROKEN.encode()) == 0
        assert shell.out == PATCH.replace("a.py", "stdin")
        assert shell("fix", "-", "--check", stdin=BROKEN.encode()) == 1
        assert shell.out == "standard input: 1 hunk\n"
        assert shell("fix", "-", "--json", stdin=BROKEN.encode()) == 0
        assert json.loads(shell.out)["file"] == "-"

    def test_empty_file_is_left(self, shell: Shell, path: Path) -> None:
        path.write_bytes(b"")
        for mode in ("--diff", "--check", "--write"):
            assert shell("fix", "a.py", mode) == 0
            assert shell.out == ""
        assert path.read_bytes() == b""


class TestOptions:
    def test_reach_the_engine(self, shell: Shell, path: Path, engine: Engine) -> None:
        words = "--range 1:2 --message rename --candidates 3 --steps 4 --seed 5 --threshold 0.25"
        assert shell("fix", "a.py", *words.split()) == 0
        (request,) = engine.requests
        assert (request.lines, request.instruction) == ((1, 2), "rename")
        assert (request.candidates, request.steps, request.seed) == (3, 4, 5)
        assert (request.threshold, request.diagnostics) == (0.25, None)
        assert (request.decoder, request.guidance) == (None, 0.0)

    def test_of_the_stochastic_sampler_reach_the_engine(
        self, shell: Shell, path: Path, engine: Engine
    ) -> None:
        assert shell("fix", "a.py", "--sampler", "ctmc", "--steps", "1000", "--guidance", "1.5") == 0
        (request,) = engine.requests
        assert (request.decoder, request.steps, request.guidance) == (Decoder.ctmc, 1000, 1.5)

    @pytest.mark.usefixtures("engine")
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ("--range 2", "not a range"),
            ("--range 0:2", "not a range"),
            ("--range 2:1", "not a range"),
            ("--range a:b", "not a range"),
            ("--range 2:3", "outside lines 1:2"),
            ("--candidates 0", "--candidates 0 is out of range"),
            ("--candidates 65", "--candidates 65 is out of range"),
            ("--steps 0", "--steps 0 is out of range"),
            ("--steps 65", "--steps 65 is out of range"),
            ("--sampler ctmc --steps 10001", "--steps 10001 is out of range"),
            ("--sampler gibbs", "--sampler gibbs is unknown: use passes or ctmc"),
            ("--guidance 1", "--guidance needs --sampler ctmc"),
            ("--sampler ctmc --guidance nan", "--guidance nan is out of range"),
            ("--threshold 1.5", "--threshold 1.5 is out of range"),
            ("--threshold nan", "--threshold nan is out of range"),
            ("--seed -1", "--seed -1 is out of range"),
            ("--device tpu", "unknown device 'tpu'"),
            ("--diff --write", "--diff and --write exclude each other"),
            ("--check --json", "--check and --json exclude each other"),
            ("-", "- cannot be combined with files"),
        ],
    )
    def test_that_make_no_sense_are_refused(self, shell: Shell, path: Path, options: str, words: str) -> None:
        assert shell("fix", "a.py", *options.split()) == 2
        assert (shell.out, shell.err.count("\n")) == ("", 1)
        assert shell.err.startswith("editflow: ")
        assert words in shell.err
        assert path.read_bytes() == BROKEN.encode()

    @pytest.mark.usefixtures("engine")
    def test_write_needs_a_file(self, shell: Shell) -> None:
        assert shell("fix", "-", "--write", stdin=BROKEN.encode()) == 2
        assert shell.err == "editflow: --write needs files: without it, - prints the fixed text\n"

    def test_range_of_an_empty_file(self, shell: Shell, path: Path, engine: Engine) -> None:
        path.write_bytes(b"")
        assert shell("fix", "a.py", "--range", "1:1") == 0
        assert shell("fix", "a.py", "--range", "1:2") == 2
        assert len(engine.requests) == 1


@pytest.mark.usefixtures("engine")
class TestErrors:
    @pytest.mark.parametrize(
        ("data", "words"),
        [
            (b"\x7fELF\0\1", "looks binary"),
            (b"a = 1\n" * 1_000_000, "larger than 2 MiB"),
            (b"a = 1\n#\n# \xff\xfe", "not valid utf-8"),
            (b"\n" + b"a" * 100_000, "line 2 is longer than 10000 characters"),
        ],
        ids=["binary", "large", "not-utf8", "long-line"],
    )
    def test_unreadable_content_is_one_line(self, shell: Shell, path: Path, data: bytes, words: str) -> None:
        path.write_bytes(data)
        assert shell("fix", "a.py", "--write") == 2
        assert shell.err.startswith("editflow: a.py: ") and shell.err.count("\n") == 1
        assert words in shell.err
        assert path.read_bytes() == data
        assert shell("fix", "-", stdin=data) == 2
        assert shell.out == ""
        assert shell.err.startswith("editflow: standard input: ") and shell.err.count("\n") == 1

    def test_missing_file_and_folder(self, shell: Shell, path: Path) -> None:
        assert shell("fix", "b.py", path.parent) == 2
        assert "b.py: cannot be read: No such file" in shell.err
        assert "is a directory" in shell.err
        assert shell.err.count("\n") == 2

    def test_other_files_are_fixed_all_the_same(self, shell: Shell, path: Path) -> None:
        (path.parent / "b.py").write_text("unfixable\n")
        (path.parent / "c.py").write_text(BROKEN)
        assert shell("fix", "none.py", "a.py", "b.py", "c.py", "--write") == 2
        assert shell.out == "fixed a.py: 1 hunk\nfixed c.py: 1 hunk\n"
        assert [line.split(":")[1] for line in shell.err.splitlines()] == [" none.py", " b.py"]
        assert (path.parent / "b.py").read_text() == "unfixable\n"

    def test_error_outranks_a_finding(self, shell: Shell, path: Path) -> None:
        assert shell("fix", "--check", "a.py", "none.py") == 2
        assert shell.out == "a.py: 1 hunk\n"

    def test_json_has_no_object_for_a_failure(self, shell: Shell, path: Path) -> None:
        assert shell("fix", "--json", "none.py", "a.py") == 2
        (line,) = shell.out.splitlines()
        assert json.loads(line)["file"] == "a.py"

    def test_control_characters_in_a_name_are_not_printed(self, shell: Shell, tmp_path: Path) -> None:
        assert shell("fix", tmp_path / "\x1b[31m.py") == 2
        assert "\x1b" not in shell.err

    def test_file_that_changed_meanwhile_is_left(
        self, shell: Shell, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = Document.read

        def read_then_change(name: str) -> Document:
            document = read(name)
            path.write_text("theirs\n")
            return document

        monkeypatch.setattr(Document, "read", read_then_change)
        assert shell("fix", "a.py", "--write") == 2
        assert "has changed since it was read" in shell.err
        assert path.read_text() == "theirs\n"


@pytest.mark.usefixtures("engine")
class TestViews:
    BLOCKS = "a.py:\npass 1: line 2: -valeu +value\nresult: line 2: -valeu +value\n"

    def test_flow_in_a_pipe_leaves_the_patch_alone(self, shell: Shell, path: Path) -> None:
        assert shell("fix", "a.py", "--show-flow") == 0
        assert (shell.out, shell.err) == (PATCH, self.BLOCKS)

    def test_flow_is_animated_on_a_terminal(self, shell: Shell, path: Path) -> None:
        assert shell("fix", "a.py", "--show-flow", out=True) == 0
        assert shell.err == ""
        frames, _, diff = shell.out.partition("diff --git")
        assert "pass 1" in frames and "result" in frames
        assert "\x1b[9;31mvaleu\x1b[0m\x1b[33mvalue\x1b[0m" in frames
        assert "+++ b/a.py" in diff

    def test_flow_is_animated_beside_a_piped_patch(self, shell: Shell, path: Path) -> None:
        assert shell("fix", "a.py", "--show-flow", err=True) == 0
        assert shell.out == PATCH
        assert "\x1b[9;31mvaleu" in shell.err

    @pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
    def test_flow_without_colour_is_plain(
        self, shell: Shell, path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)
        assert shell("fix", "a.py", "--show-flow", out=True) == 0
        assert shell.out.startswith(self.BLOCKS)

    def test_heatmap(self, shell: Shell, path: Path) -> None:
        assert shell("fix", "a.py", "--heatmap", "--check") == 1
        assert shell.err == "a.py:\n2:12-2:16 0.87 'valeu'\n"
        assert shell("fix", "a.py", "--heatmap", out=True) == 0
        assert "\x1b[1;37;41mvaleu\x1b[0m" in shell.out


@pytest.mark.parametrize("command", ["fix", "doctor", "models"])
def test_help_needs_nothing_heavy(command: str) -> None:
    code = f"import sys, editflow.commands.{command}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert not loaded & {"torch", "numpy", "tokenizers", "rapidfuzz", "rich", "safetensors"}


class TestConfiguration:
    def test_files_that_the_repository_leaves_out_are_skipped(
        self, shell: Shell, path: Path, engine: Engine
    ) -> None:
        (path.parent / "a_pb2.py").write_text(BROKEN)
        (path.parent / "editflow.toml").write_text('exclude = ["*_pb2.py"]\nthreshold = 0.8\nmodel = "x"\n')
        assert shell("fix", "a_pb2.py", "a.py") == 0
        assert shell.out == PATCH
        first, second = shell.err.splitlines()
        assert "cannot choose model" in first
        assert second.startswith("editflow: a_pb2.py: skipped, excluded by ")
        assert [request.threshold_floor for request in engine.requests] == [0.8]

    def test_nothing_left_is_no_error_and_loads_no_model(
        self, shell: Shell, path: Path, engine: Engine
    ) -> None:
        (path.parent / "editflow.toml").write_text("enabled = false\n")
        assert shell("fix", "a.py", "--check") == 0
        assert "skipped, switched off by" in shell.err
        assert not engine.requests

    def test_isolated_asks_no_repository(self, shell: Shell, path: Path, engine: Engine) -> None:
        (path.parent / "editflow.toml").write_text("enabled = false\nthreshold = 0.8\n")
        assert shell("fix", "a.py", "--isolated") == 0
        assert (shell.out, shell.err) == (PATCH, "")
        assert [request.threshold_floor for request in engine.requests] == [0.0]

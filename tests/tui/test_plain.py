"""Without a terminal the reviewer is `editflow fix`, or says what is in a patch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.shell import Engine, Shell

BROKEN = "def f(value):\n    return valeu\n"
PATCH = """diff --git a/a.py b/a.py
--- a/a.py
+++ b/a.py
@@ -1,2 +1,2 @@
 def f(value):
-    return valeu
+    return value
"""


@pytest.fixture(autouse=True)
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text(BROKEN, "utf-8")
    (tmp_path / "clean.py").write_text("a = 1\n", "utf-8")
    return tmp_path / "a.py"


class TestFixes:
    @pytest.mark.parametrize(
        "args",
        [
            ("a.py",),
            ("clean.py",),
            ("a.py", "clean.py", "a.py"),
            ("a.py", "--check"),
            ("clean.py", "--check"),
            ("a.py", "missing.py"),
            ("missing.py", "--check"),
            ("a.py", "--range", "1:2"),
            ("a.py", "--range", "1:9"),
            ("a.py", "--range", "2:1"),
            ("a.py", "--seed", "-1"),
            ("a.py", "--device", "abacus"),
        ],
    )
    def test_words_and_exit_codes_are_those_of_fix(
        self, shell: Shell, engine: Engine, args: tuple[str, ...]
    ) -> None:
        expected = shell("fix", *args), shell.out, shell.err
        assert (shell("tui", *args), shell.out, shell.err) == expected

    def test_options_reach_the_engine(self, shell: Shell, engine: Engine) -> None:
        shell("tui", "a.py", "--message", "rename", "--range", "1:2", "--seed", "7")
        request = engine.requests[0]
        assert (request.instruction, request.lines, request.seed) == ("rename", (1, 2), 7)

    def test_a_repository_is_heeded_or_not(self, shell: Shell, engine: Engine, path: Path) -> None:
        (path.parent / "editflow.toml").write_text("enabled = false\n")
        assert shell("tui", "a.py") == 0 and "switched off" in shell.err and not shell.out
        assert shell("tui", "a.py", "--isolated") == 0 and shell.out == PATCH

    def test_half_a_terminal_is_none(self, shell: Shell, engine: Engine) -> None:
        assert shell("tui", "a.py", out=True) == 0
        assert "@@ -1,2 +1,2 @@" in shell.out and "\x1b[?1049h" not in shell.out


class TestPatches:
    def test_a_patch_is_printed_as_git_takes_it(self, shell: Shell, path: Path) -> None:
        (path.parent / "p.diff").write_text(PATCH.replace("a/a.py", "old/a.py", 1))
        assert shell("tui", "--patch", "p.diff") == 0
        assert shell.out == PATCH

    def test_it_may_come_on_standard_input(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        assert shell("tui", "--patch", "-", stdin=PATCH.encode()) == 0
        assert shell.out == PATCH

    def test_a_check_counts_its_hunks(self, shell: Shell) -> None:
        assert shell("tui", "--patch", "-", "--check", stdin=PATCH.encode()) == 1
        assert shell.out.startswith("a.py: 1 ") or shell.out.endswith("a.py: 1 hunk\n")
        assert shell("tui", "--patch", "-", "--check", stdin=b"") == 0

    def test_what_is_left_out_is_said(self, shell: Shell) -> None:
        new = "diff --git a/b.py b/b.py\nnew file mode 100644\n--- /dev/null\n+++ b/b.py\n@@ -0,0 +1 @@\n+a\n"
        assert shell("tui", "--patch", "-", stdin=(PATCH + new).encode()) == 0
        assert "b.py" in shell.err and shell.out == PATCH

    @pytest.mark.parametrize("name", ["missing.diff", "."])
    def test_a_patch_that_cannot_be_read_is_said(self, shell: Shell, name: str) -> None:
        assert shell("tui", "--patch", name) == 2
        assert "cannot be read" in shell.err

    def test_a_patch_of_another_text_is_said(self, shell: Shell, path: Path) -> None:
        path.write_text("nothing\n")
        assert shell("tui", "--patch", "-", stdin=PATCH.encode()) == 2
        assert shell.err.startswith("editflow: ") and shell.err.count("\n") == 1

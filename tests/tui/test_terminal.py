"""The reviewer in a real terminal: it decides, writes, resizes, is killed, and leaves the terminal as it was."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from editflow.document import Document
from editflow.writeback import write
from tests.tui.screen import Screen, UnexpectedOutput
from tests.tui.terminal import Terminal, terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")

OLD = "def f(value):\n    a = valeu\n    b = valeu\n    return a, b\n"
NEW = OLD.replace("valeu", "value", 1)
PATCH = """\
--- a/a.py
+++ b/a.py
@@ -1,4 +1,4 @@
 def f(value):
-    a = valeu
-    b = valeu
+    a = value
+    b = value
     return a, b
"""
ENTER_ALTERNATE, LEAVE_ALTERNATE = b"\x1b[?1049h", b"\x1b[?1049l"
SIGNALS = [signal.SIGTERM, signal.SIGHUP]
EXAMPLE = Path(__file__).parents[2] / "examples" / "buggy.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file and a patch with two hunks for it."""
    (tmp_path / "a.py").write_text(OLD, "utf-8")
    (tmp_path / "a.patch").write_text(PATCH, "utf-8")
    return tmp_path


class TestOneReview:
    def test_start_decide_write_quit(self, folder: Path) -> None:
        with terminal("--patch", "a.patch", folder=folder) as opened:
            opened.wait_for("a.py  1/1")
            assert "?1049" in opened.screen.modes and not opened.is_restored
            opened.press("s")
            opened.wait_for("a.py  1/2")
            opened.press("yn")
            opened.wait_for("1 accepted")
            opened.press("S")
            opened.wait_for("1 written")
            opened.press("q")
            assert opened.finish() == 0
            assert opened.is_restored
        assert opened.output.count(ENTER_ALTERNATE) == opened.output.count(LEAVE_ALTERNATE) == 1
        assert (folder / "a.py").read_text("utf-8") == NEW

    def test_a_patch_from_a_pipe_is_answered_from_the_terminal(self, folder: Path) -> None:
        with terminal("--patch", "-", folder=folder, stdin=PATCH.encode()) as opened:
            opened.wait_for("1/1")
            opened.press("aSq")
            assert opened.finish() == 0
            assert opened.is_restored
        assert (folder / "a.py").read_text("utf-8") == OLD.replace("valeu", "value")

    @pytest.mark.slow
    def test_the_model_that_ships(self, tmp_path: Path) -> None:
        (tmp_path / "buggy.py").write_bytes(EXAMPLE.read_bytes())
        with terminal("buggy.py", "--no-daemon", folder=tmp_path) as opened:
            opened.wait_for("1/2 · 0 accepted")
            opened.press("aSq")
            assert opened.finish() == 0
            assert opened.is_restored
        compile((tmp_path / "buggy.py").read_bytes(), "buggy.py", "exec")


class TestTheEnd:
    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_gives_the_terminal_back(self, folder: Path, number: signal.Signals) -> None:
        with terminal("--patch", "a.patch", folder=folder) as opened:
            opened.wait_for("1/1")
            opened.process.send_signal(number)
            assert opened.finish() == 128 + number
            assert opened.is_restored

    @pytest.mark.parametrize("by_key", [True, False])
    def test_an_interrupt_asks_first(self, folder: Path, by_key: bool) -> None:
        with terminal("--patch", "a.patch", folder=folder) as opened:
            opened.wait_for("1/1")
            if by_key:
                opened.press("\x03")
            else:
                opened.process.send_signal(signal.SIGINT)
            opened.wait_for("1 undecided: quit?")
            opened.press("d")
            assert opened.finish() == 130
            assert opened.is_restored
        assert (folder / "a.py").read_text("utf-8") == OLD


@pytest.mark.slow
class TestSizes:
    def test_a_resize_storm(self, folder: Path) -> None:
        sizes = random.Random(6)
        with terminal("--patch", "a.patch", folder=folder) as opened:
            opened.wait_for("1/1")
            opened.press("s")
            opened.wait_for("1/2")
            opened.read(0.3)
            before = opened.screen.rows
            for turn in range(100):
                opened.resize(sizes.randint(20, 300), sizes.randint(5, 100))
                opened.press("jk120wfF"[turn % 8])
                opened.read(0.002)
            opened.resize(80, 24)
            opened.press("0g")
            _settle(opened, before)
            opened.press("q")
            opened.wait_for("2 undecided: quit?")
            opened.press("d")
            assert opened.finish() == 0
            assert opened.is_restored

    @pytest.mark.parametrize("size", [(20, 5), (300, 100)])
    def test_the_smallest_and_the_largest(self, folder: Path, size: tuple[int, int]) -> None:
        with terminal("--patch", "a.patch", folder=folder, size=size) as opened:
            opened.wait_for("1/1")
            opened.press("ySq")
            assert opened.finish() == 0
        assert (folder / "a.py").read_text("utf-8") == OLD.replace("valeu", "value")


def _settle(opened: Terminal, rows: list[str]) -> None:
    """Until these rows are shown, and stay."""
    end = monotonic() + 20
    while opened.screen.rows != rows and monotonic() < end:
        opened.read(0.1)
    opened.read(0.3)
    assert opened.screen.rows == rows


CONTROLS = "".join(map(chr, [*range(1, 9), 11, 12, *range(14, 32), *range(0x7F, 0xA0)]))
HOSTILE = "\x1b[2J \x1b]0;owned\x07 \x1bP1$r\x1b\\ \x9b31m \x9d0;owned\x9c \u202e \u2066 \u2028 \u2029 \ufeff \u200b"
PASTED = "pasted \x9b31m \x1b]0;owned\x07 \u202e"
SENTENCE = f"# {HOSTILE} {CONTROLS}"
NAME = "\x1b]0;owned\x07\x9b31m\u202e\u2028.py"
QUOTED = "".join(f"\\{byte:03o}" for byte in NAME.encode())


def _hostile_patch() -> str:
    old, new = f"{SENTENCE} valeu", f"{SENTENCE} value"
    header = f'--- "a/{QUOTED}"\n+++ "b/{QUOTED}"\n'
    return f"{header}@@ -1,2 +1,2 @@ {HOSTILE}\n {SENTENCE}\n-{old}\n+{new}\n"


class TestHostileFiles:
    """A `Screen` refuses whatever the text of a file could have slipped through."""

    def test_a_screen_refuses(self) -> None:
        for text in HOSTILE.split():
            with pytest.raises(UnexpectedOutput):
                Screen(80, 24).feed(text.encode() + b" ")

    def test_text_and_name(self, tmp_path: Path) -> None:
        path = tmp_path / NAME
        path.write_text(f"{SENTENCE}\n{SENTENCE} valeu\n", "utf-8", newline="")
        patch = _hostile_patch()
        with terminal("--patch", "-", folder=tmp_path, size=(120, 40), stdin=patch.encode()) as opened:
            opened.wait_for("1/1")
            opened.press("F1w")
            opened.wait_for("␛[2J")
            for field, shown in (("ce", "in place of"), ("/", "search")):
                opened.press(field)
                opened.wait_for(shown)
                opened.press(f"\x1b[200~{PASTED}\x1b[201~")
                opened.wait_for("pasted")
                opened.press("\x1b")
                opened.read(0.5)
            opened.press("yS")
            opened.wait_for("1 written")
            opened.press("q")
            assert opened.finish() == 0
        assert "⟨U+009B⟩".encode() in opened.output and "⟨U+202E⟩".encode() in opened.output
        assert path.read_bytes().decode() == f"{SENTENCE}\n{SENTENCE} value\n"

    @pytest.mark.parametrize("there", [False, True])
    def test_what_is_said_about_a_patch_that_does_not_fit(self, tmp_path: Path, there: bool) -> None:
        if there:
            (tmp_path / NAME).write_text("other\n")
        with terminal("--patch", "-", folder=tmp_path, stdin=_hostile_patch().encode()) as opened:
            assert opened.finish() == 2
        assert opened.output.startswith(b"editflow: ") and opened.output.count(b"\n") == 1

    def test_what_is_said_about_a_name(self, tmp_path: Path) -> None:
        with terminal("--patch", NAME, folder=tmp_path) as opened:
            assert opened.finish() == 2
        assert b"U+" in opened.output or b"\\x1b" in opened.output


KILLS = 120
WRITES = """
import os, random, signal, sys, time
from pathlib import Path
from editflow.document import Document
from editflow.writeback import write

path, kills, delays = Path(sys.argv[1]), int(sys.argv[2]), random.Random(6)
texts = [f"{letter * 79}\\n" * 10_000 for letter in "ab"]
path.write_text(texts[0], "utf-8")
for _ in range(kills):
    before = set(os.listdir(path.parent))
    child = os.fork()
    if not child:
        document = Document.read(path)
        while True:
            document = write(document, texts[document.text == texts[0]])
    time.sleep(delays.uniform(0.001, 0.03))
    os.kill(child, signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    left = set(os.listdir(path.parent)) - before
    print(texts.index(path.read_text("utf-8")), *left)
"""


@pytest.mark.slow
def test_a_write_that_is_killed_leaves_the_old_or_the_new_bytes(tmp_path: Path) -> None:
    """And at most one hidden file beside them, with what was being written; later writes work and leave it."""
    path = tmp_path / "a.py"
    command = [sys.executable, "-c", WRITES, str(path), str(KILLS)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    rounds = [line.split() for line in ran.stdout.splitlines()]
    assert len(rounds) == KILLS and {found for found, *_ in rounds} == {"0", "1"}
    leftovers = [name for _, *names in rounds for name in names]
    assert all(len(names) <= 1 for _, *names in rounds)
    assert leftovers, "no kill came in the middle of a write: the delays are wrong"
    assert all(name.startswith(".editflow-") for name in leftovers)
    write(Document.read(path), "1\n")
    assert path.read_text("utf-8") == "1\n" and len(list(tmp_path.iterdir())) == 1 + len(leftovers)

"""Terminal views: what is shown is what is proposed, and nothing in a file can steer the terminal."""

import io
import re
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from editflow.document import Document
from editflow.patch import unified_diff, visible
from editflow.proposal import Proposal
from editflow.render import flow, is_rich, progress, terminal
from editflow.render.diff import coloured_diff
from editflow.render.heatmap import LEVELS, MOST, coloured_heatmap, plain_heatmap
from editflow.render.lines import displayed, numbered_lines
from editflow.step import Step

TEXTS = st.lists(
    st.sampled_from(["x", "value", " ", "(", "é", "\x1b[31m", "\u202e", "\n", "\r\n", "\t", "[red]"]),
    max_size=12,
).map("".join)
few = settings(max_examples=40)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Screen(io.TextIOWrapper):
    """A terminal in memory."""

    def __init__(self, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        super().__init__(self.bytes, encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def colour_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def proposal(old: str, new: str) -> Proposal:
    return Proposal.from_texts(Document.from_text(old), new)


def steps(old: str, *texts: str) -> list[Step]:
    """A pass for each text; the last text is also the result."""
    passes = [Step(i, 24, proposal(old, text), done=False) for i, text in enumerate(texts, 1)]
    return [*passes, Step(len(texts), 24, proposal(old, texts[-1]), done=True)]


def styled(view: Text, style: str) -> list[str]:
    return [view.plain[span.start : span.end] for span in view.spans if str(span.style) == style]


class TestDiff:
    @few
    @given(TEXTS, TEXTS)
    def test_says_what_the_patch_says(self, old: str, new: str) -> None:
        view = coloured_diff(proposal(old, new), "a.py")
        assert view.plain == visible(unified_diff(old, new, "a.py"))
        assert not CONTROL.search(view.plain)

    def test_changed_words_stand_out(self) -> None:
        old = "".join(f"line {i}\n" for i in range(30)) + "return valeu\n"
        view = coloured_diff(
            proposal(old, old.replace("valeu", "value").replace("line 2\n", "row 2\n")), "a.py"
        )
        assert styled(view, "reverse") == ["line", "row", "valeu", "value"]

    @few
    @given(TEXTS, TEXTS)
    def test_what_stands_out_is_in_a_hunk(self, old: str, new: str) -> None:
        change = proposal(old, new)
        hunks = [visible(text) for hunk in change.hunks for text in (hunk.old, hunk.new)]
        for word in styled(coloured_diff(change, "a.py"), "reverse"):
            assert any(word in text for text in hunks)

    def test_line_that_is_new_as_a_whole_is_not_marked_twice(self) -> None:
        view = coloured_diff(proposal("a\n", "a\nb = 1\n"), "a.py")
        assert "+b = 1\n" in styled(view, "green")
        assert styled(view, "reverse") == []


class TestLines:
    @few
    @given(TEXTS)
    def test_numbers_are_those_of_the_source(self, text: str) -> None:
        lines = numbered_lines([(text, "", True)])
        assert [number for number, _ in lines] == list(range(1, len(lines) + 1))
        shown = "\n".join(line.plain for _, line in lines)
        assert shown == visible(text.replace("\r\n", "\n")).removesuffix("\n")

    def test_inserted_lines_have_no_number_of_their_own(self) -> None:
        lines = numbered_lines([("a\n", "", True), ("b\nc\n", "", False), ("d\n", "", True)])
        assert [(number, line.plain) for number, line in lines] == [(1, "a"), (2, "b"), (2, "c"), (2, "d")]


class TestFlow:
    def frame(self, passes: list[Step], index: int) -> Text:
        return flow.frame(passes[index], passes[-1].proposal, "a.py", frozenset(range(1, 4)))

    def test_frame_shows_old_and_new(self) -> None:
        view = self.frame(steps("def f()\n    return a + b\n", "def f():\n    return a - b\n"), 0)
        assert view.plain.splitlines() == [
            "a.py  pass 1  2 hunks",
            "    1  def f():",
            "    2      return a +- b",
        ]
        assert styled(view, "green") == [":"]
        assert styled(view, "red strike") == ["+"]
        assert styled(view, "yellow") == ["-"]

    def test_what_later_passes_write_is_marked_until_it_is_there(self) -> None:
        passes = steps("f(a)\ng(b)\n", "f(a)\ng(b):\n", "f(c)\ng(b):\n")
        marked = [f"{flow.PENDING}" in self.frame(passes, i).plain for i in range(3)]
        assert marked == [True, False, False]
        assert f"f(a{flow.PENDING})" in self.frame(passes, 0).plain

    @few
    @given(TEXTS, TEXTS, TEXTS)
    def test_frames_hold_the_whole_text_and_the_edits(self, old: str, first: str, last: str) -> None:
        passes = steps(old, first, last)
        for step in passes:
            pieces, at = [], 0
            for hunk in step.proposal.hunks:
                pieces += [old[at : hunk.start], hunk.old, hunk.new]
                at = hunk.end
            view = flow.frame(step, passes[-1].proposal, "a.py", frozenset(range(1, 99)))
            shown = "".join(line[7:] for line in view.plain.split("\n")[1:])
            assert shown.replace(flow.PENDING, "") == "".join(map(displayed, [*pieces, old[at:]])).replace(
                "\n", ""
            )
            assert not CONTROL.search(view.plain)

    def test_blocks_say_each_pass_on_its_own(self) -> None:
        passes = steps(
            "def f()\n    return valeu\n", "def f():\n    return valeu\n", "def f():\n    return value\n"
        )
        assert list(flow.blocks(passes)) == [
            "pass 1: line 1: +:",
            "pass 2: line 1: +:\npass 2: line 2: -valeu +value",
            "result: line 1: +:\nresult: line 2: -valeu +value",
        ]

    def test_blocks_without_news_are_short(self) -> None:
        assert list(flow.blocks(steps("a\n", "a\n"))) == ["pass 1: no edits", "result: no edits"]
        assert list(flow.blocks(steps("a\n", "b\n", "b\n")))[1] == "pass 2: as before"
        quiet = list(flow.blocks(steps("a\n", "b\n", "b\n", "b\n", "c\n")))
        assert quiet[1:] == ["passes 2 to 3: as before", "pass 4: line 1: -a +c", "result: line 1: -a +c"]

    def test_blocks_show_space_and_line_ends(self) -> None:
        assert next(flow.blocks(steps("if a:\nb\n", "if a:\n    b\n"))) == "pass 1: line 2: +'    '"
        assert next(flow.blocks(steps("a\n", "a\n\x1bb\n"))) == r"pass 1: line 2: +␛b\n"

    def test_last_frame_stays_and_only_lines_around_edits_are_shown(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []
        monkeypatch.setattr(time, "sleep", pauses.append)
        screen = Screen()
        old = "".join(f"line {i}\n" for i in range(1, 100))
        flow.play(steps(old, old.replace("line 50\n", "row 50\n")), terminal(screen), "a.py")
        shown = screen.bytes.getvalue().decode()
        assert pauses == [flow.PAUSE]
        assert "pass 1" in shown and "result" in shown.rpartition("a.py")[2]
        assert "line 48" in shown and "line 52" in shown
        assert "line 47" not in shown and "line 53" not in shown


class TestHeatmap:
    text = "def f(x):\r\n    return valeu\r\n"
    spans = ((0, 3, 0.01), (22, 27, 0.87), (8, 9, 0.3))

    def test_plain_form_names_places_as_editors_do(self) -> None:
        document = Document.from_text(self.text)
        assert list(plain_heatmap(document, self.spans)) == ["2:12-2:16 0.87 'valeu'", "1:9-1:9 0.30 ':'"]

    def test_plain_form_is_short_and_safe(self) -> None:
        document = Document.from_text("\x1b\u202e" * 50)
        lines = list(plain_heatmap(document, [(i, i + 1, 0.9) for i in range(100)]))
        assert len(lines) == MOST
        assert all(line.isascii() and line.isprintable() for line in lines)
        assert list(plain_heatmap(document, [(0, 1, 0.0)])) == ["nothing suspicious"]

    def test_tokens_are_coloured_by_probability(self) -> None:
        view = coloured_heatmap(Document.from_text(self.text), self.spans)
        assert [styled(view, style)[1:] for _, style in LEVELS] == [["valeu"], [":"], []]
        assert view.plain.splitlines()[1:] == ["    1  def f(x):", "    2      return valeu"]

    def test_only_the_lines_asked_about_are_shown(self) -> None:
        view = coloured_heatmap(Document.from_text(self.text), self.spans[1:2])
        assert view.plain.splitlines()[1:] == ["    2      return valeu"]


class TestTerminal:
    def test_colour_and_motion_need_a_capable_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert is_rich(terminal(Screen()))
        assert not is_rich(terminal(io.StringIO()))
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert not is_rich(terminal(io.StringIO()))
        monkeypatch.setenv("TERM", "dumb")
        assert not is_rich(terminal(Screen()))
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "1")
        assert not is_rich(terminal(Screen()))

    def test_narrow_encoding_is_no_crash(self) -> None:
        screen = Screen("latin-1")
        terminal(screen).print("a ▒ b")
        assert screen.bytes.getvalue() == b"a ? b\n"


class TestProgress:
    def wait(self, monkeypatch: pytest.MonkeyPatch, delay: float) -> tuple[str, Console]:
        monkeypatch.setattr(progress, "DELAY", delay)
        screen = Screen()
        console = terminal(screen)
        with progress.Waiting(console).on("a.py") as update:
            update(1, 8)
            timers = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
            for timer in timers if not delay else []:
                timer.join()
        return screen.bytes.getvalue().decode(), console

    def test_short_wait_shows_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown, _ = self.wait(monkeypatch, 60.0)
        assert shown == ""

    def test_long_wait_shows_a_bar_and_takes_it_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        shown, _ = self.wait(monkeypatch, 0.0)
        assert "a.py" in shown
        assert shown.endswith("\x1b[2K")

    def test_pipe_gets_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(progress, "DELAY", 0.0)
        pipe = io.StringIO()
        with progress.Waiting(terminal(pipe)).on("a.py") as update:
            update(1, 8)
        assert pipe.getvalue() == ""

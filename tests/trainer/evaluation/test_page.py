"""The HTML page: what it shows, that it is well formed, and that nothing in it can act."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.diagnostic import Diagnostic
from editflow.document import Document
from editflow.proposal import Proposal
from editflow.request import Request
from editflow_trainer.evaluation.exhibit import Exhibit
from editflow_trainer.evaluation.markup import marked_excerpt, marked_lines
from editflow_trainer.evaluation.measure import Run
from editflow_trainer.evaluation.page import MOST_CASES, chosen, page
from editflow_trainer.evaluation.report import Report, Row
from editflow_trainer.evaluation.statistics import Rate
from tests.trainer.evaluation.makers import KnownEngine

WRONG = "def add(a, b):\n    return a - b\n"
RIGHT = "def add(a, b):\n    return a + b\n"
ATTACK = "<script>alert('x')</script>&\u202e\x1b[31m"
_EMPTY = {"meta", "br"}


class Reader(HTMLParser):
    """Collects tags, the text of the body, and of insertions and deletions; fails where tags do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.texts: dict[str, str] = {"ins": "", "del": "", "": ""}
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs)
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        tag = self.open[-1] if self.open and self.open[-1] in ("ins", "del") else ""
        self.texts[tag] += data


def an_exhibit(
    name: str = "one", *, right: bool = False, proposed: bool = True, text: str = WRONG
) -> Exhibit:
    request = Request(
        Document.from_text(text, Path("a.py")),
        instruction=ATTACK,
        diagnostics=(Diagnostic(0, 3, ATTACK, "python"),),
    )
    return Exhibit(name, request, RIGHT, "right lines, other text", right=right, proposed=proposed)


def a_run(*exhibits: Exhibit) -> Run:
    rows = (Row("group", "all", 3, {"exact": Rate(1, 3)}), Row("alarms", ATTACK, 9, {"false": Rate(0, 9)}))
    settings = {"limit": None, "hint": ATTACK}
    return Run(Report("injected", "m@1", "cpu", "2026", 1.0, settings, (ATTACK,), rows), exhibits)


def test_page_shows_tables_settings_and_the_flow_of_each_case() -> None:
    engine = KnownEngine(lambda request: [(RIGHT, 0.75)])
    html = page([a_run(an_exhibit("first case"), an_exhibit("second case", right=True))], engine)
    reader = Reader(html)
    for text in (
        "33% (6-79)",
        "first case: right lines, other text",
        "pass 1, confidence 0.75",
        "offered, confidence 0.75",
    ):
        assert text in reader.texts[""]
    assert (
        reader.texts["ins"].count("+") == reader.texts["del"].count("-") == 6
    )  # two passes and the right text, twice
    assert html.count("<section>") == html.count("<section class=right>") == 1
    assert html.index("first case") < html.index("second case")


def test_nothing_in_a_page_can_act() -> None:
    engine = KnownEngine(lambda request: [(request.document.text + ATTACK + "\n", 0.9)])
    html = page([a_run(an_exhibit(ATTACK, text=f"# {ATTACK}\n{WRONG}"))], engine)
    reader = Reader(html)
    assert "script" not in reader.tags
    assert "default-src 'none'" in html
    assert "<script>alert" in reader.texts["ins"]
    assert not {"\u202e", "\x1b"} & set(html)


def test_failures_come_first_and_no_more_than_fit() -> None:
    kinds = [(True, True), (False, False), (False, True)]
    exhibits = [an_exhibit(str(i), right=right, proposed=made) for right, made in kinds for i in range(30)]
    shown = chosen(exhibits)
    assert len(shown) == MOST_CASES
    assert [(e.right, e.proposed) for e in shown] == [(False, True)] * 30 + [(False, False)] * 20


@pytest.mark.parametrize(
    ("new", "html"),
    [
        ("a\nX\nc\n", ["a", "<del>b</del><ins>X</ins>", "c", ""]),
        ("a\nc\n", ["a", "<del>b</del><del>↵</del>", "c", ""]),
        ("a\nb\nx\nc\n", ["a", "b", "<ins>x</ins><ins>↵</ins>\n     c", ""]),
    ],
)
def test_lines_are_marked(new: str, html: list[str]) -> None:
    lines = marked_lines(Proposal.from_texts(Document.from_text("a\nb\nc\n"), new))
    assert [line.html for line in lines] == html
    assert [line.number for line in lines] == [1, 2, 3, 4]


@given(st.text("ab<&\n ", max_size=30), st.text("ab<&\n ", max_size=30))
def test_marks_hold_both_texts(old: str, new: str) -> None:
    lines = marked_lines(Proposal.from_texts(Document.from_text(old), new))
    reader = Reader("\n".join(line.html for line in lines))
    hunks = Proposal.from_texts(Document.from_text(old), new).hunks
    for tag, sides in (("del", [hunk.old for hunk in hunks]), ("ins", [hunk.new for hunk in hunks])):
        assert reader.texts[tag].replace("↵", "\n") == "".join(sides)
    assert len(lines) == old.count("\n") + 1


def test_excerpt_leaves_out_what_is_far_from_changes() -> None:
    text = "".join(f"line {i}\n" for i in range(1, 40))
    proposal = Proposal.from_texts(Document.from_text(text), text.replace("line 20\n", "line twenty\n"))
    shown = marked_excerpt(proposal, [proposal])
    assert "line 17" in shown and "line 23" in shown
    assert "line 16\n" not in shown and "line 24" not in shown
    idle = Proposal(proposal.document, ())
    assert "no line changes" in marked_excerpt(idle, [idle])
    assert "line 20" in marked_excerpt(idle, [idle, proposal])

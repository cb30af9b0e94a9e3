"""Ten screens, compared with those in `pictures/`: each cell's character and style, as text that a diff can show.

Look at what has changed, then take it over with `EDITFLOW_PICTURES=write python -m pytest tests/tui/test_pictures.py`.
"""

from __future__ import annotations

import os
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.cells import get_character_cell_size
from rich.style import Style
from textual.pilot import Pilot

from editflow.document import Document
from editflow.proposal import Proposal
from editflow_tui.actions import Started
from editflow_tui.app import Reviewer
from editflow_tui.keymap import resolve
from editflow_tui.personal import Personal
from editflow_tui.review import open_review
from editflow_tui.runner import Stepped, Suspected
from tests.tui.reviewing import OPTIONS, ScriptedFixer, step

PICTURES = Path(__file__).parent / "pictures"

OLD = """\
import json
import sys


def load(path)
    with open(path) as file:
        return json.load(file)


class Table:
    def __init__(self, rows):
        self.rows = rows
        self.width = max(map(len, rows))
        self.title = "a title"
        self.footer = None
        self.sorted = False

    def column(self, index):
        return [row[index] for row in self.rows]

    def total(self, index):
        if index = self.width:
            retrun 0
        return sum(self.colunm(index))


if __name__ == "__main__":
    print(Table(load(sys.argv[1])).total(0))
"""
DRAFT = OLD.replace("load(path)\n", "load(path):\n")
NEW = DRAFT.replace("index = ", "index == ").replace("retrun", "return").replace("colunm", "column")
CJK_OLD = 'def 挨拶(名前):\n    return f"こんにちは、{名}さん。"  # 名前を呼ぶ 👋\n'
CJK_NEW = CJK_OLD.replace("{名}", "{名前}")


def proposal(old: str = OLD, new: str = NEW, name: str = "table.py") -> tuple[str, Proposal]:
    """A change to a file, with a confidence that falls from hunk to hunk."""
    document = Document.from_bytes(old.encode(), Path(name))
    return name, Proposal.from_texts(document, new, lambda start, end: 0.97 - 0.2 * start / len(old))


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are in colour, whatever the terminal of the tests is asked for."""
    monkeypatch.delenv("NO_COLOR", raising=False)


@asynccontextmanager
async def review(
    *named: tuple[str, Proposal], size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Reviewer, Pilot[int]]]:
    app = Reviewer(
        open_review(named or [proposal()]), OPTIONS, Personal(resolve({})), ScriptedFixer, fixes=False
    )
    app.animation_level = "none"
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot


def picture_of(app: Reviewer) -> str:
    """The characters of the screen, then a letter for the style of each cell, then what the letters stand for."""
    letters: dict[Style, str] = {}
    rows, styles = [], []
    for strip in app.screen._compositor.render_strips():
        rows.append(strip.text.rstrip())
        row = ""
        for text, style, _ in strip:
            plain = (style or Style.null()).clear_meta_and_links()
            letter = letters.setdefault(plain, string.ascii_letters[len(letters)])
            row += letter * sum(map(get_character_cell_size, text))
        styles.append(row)
    legend = [f"{letter} {style}" for style, letter in letters.items()]
    return "\n".join([*rows, "", *styles, "", *legend, ""])


def check(app: Reviewer, name: str) -> None:
    """The screen is the one that was taken before."""
    path, picture = PICTURES / f"{name}.txt", picture_of(app)
    if os.environ.get("EDITFLOW_PICTURES") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(picture, "utf-8")
    assert picture.splitlines() == path.read_text("utf-8").splitlines()


@pytest.mark.asyncio
async def test_unified() -> None:
    async with review() as (app, pilot):
        await pilot.press("y", "n")
        check(app, "unified")


@pytest.mark.asyncio
async def test_split() -> None:
    async with review(size=(132, 24)) as (app, pilot):
        await pilot.press("y", "n")
        check(app, "split")


@pytest.mark.asyncio
async def test_narrow() -> None:
    async with review(size=(32, 9)) as (app, pilot):
        await pilot.press("w")
        check(app, "narrow")


@pytest.mark.asyncio
async def test_heat() -> None:
    async with review() as (app, pilot):
        spans = [(OLD.index(word), OLD.index(word) + len(word)) for word in ("(path)", "= self.w", "retrun")]
        app.act(Suspected(0, tuple((*span, 0.3 * n) for n, span in enumerate(spans, 1))))
        await pilot.press("t", "F")
        check(app, "heat")


@pytest.mark.asyncio
async def test_folds() -> None:
    async with review(size=(80, 30)) as (app, pilot):
        await pilot.press("f", "slash", *"self", "enter")
        check(app, "folds")


@pytest.mark.asyncio
async def test_several_files() -> None:
    async with review(proposal(), proposal(CJK_OLD, CJK_NEW, "挨拶.py"), size=(120, 24)) as (app, pilot):
        await pilot.press("a", "tab")
        check(app, "files")


@pytest.mark.asyncio
async def test_help() -> None:
    async with review(size=(80, 30)) as (app, pilot):
        await pilot.press("question_mark")
        check(app, "help")


@pytest.mark.asyncio
async def test_the_question_before_the_end() -> None:
    async with review() as (app, pilot):
        await pilot.press("y", "q")
        check(app, "quit")


@pytest.mark.asyncio
async def test_a_frame_of_a_flow() -> None:
    name, fixed = proposal()
    async with review((name, Proposal(fixed.document, ()))) as (app, pilot):
        app.act(Started(0, 0))
        for index, text in enumerate((DRAFT, NEW), 1):
            app.act(Stepped(0, step(fixed.document, text, index, done=text == NEW)))
        await pilot.press("comma")
        check(app, "frame")


@pytest.mark.asyncio
async def test_wide_characters() -> None:
    async with review(proposal(CJK_OLD, CJK_NEW, "挨拶.py"), size=(60, 8)) as (app, _):
        check(app, "wide")


def test_no_picture_is_left_over() -> None:
    assert len(list(PICTURES.iterdir())) == 10

"""The diff pane in a running app: sizes, what is computed again and what is not, places kept, clicks, themes."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual import on
from textual.app import App, ComposeResult
from textual.message import Message
from textual.theme import BUILTIN_THEMES

from editflow.decisions import Accept, Reject, decide
from editflow.document import Document
from editflow.proposal import Proposal
from editflow_tui import paint, rows, syntax
from editflow_tui.diff_view import DiffView
from editflow_tui.view import Layout, Picture, View

SIZES = [(20, 5), (40, 12), (80, 24), (300, 100)]
HOSTILE = "\x1b]0;title\x07 \x9b31m \u202e \u2066 \u200b 日本語 👨\u200d👩 e\u0301 \t|"


class Viewer(App[None]):
    """Nothing but the pane, and what it says."""

    def __init__(self, picture: Picture | None = None) -> None:
        super().__init__()
        self.said: list[Message] = []
        self._picture = picture

    def compose(self) -> ComposeResult:
        yield DiffView()

    @property
    def pane(self) -> DiffView:
        return self.query_one(DiffView)

    def on_mount(self) -> None:
        if self._picture is not None:
            self.pane.show(self._picture)

    @on(DiffView.HunkClicked)
    @on(DiffView.FoldClicked)
    @on(DiffView.LineClicked)
    def note(self, message: Message) -> None:
        self.said.append(message)

    def lines(self) -> list[str]:
        """What is on the pane, line by line."""
        return [self.pane.render_line(y).text for y in range(self.pane.scrollable_content_region.height)]


class Counter:
    """Counts the calls of a function that it stands for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
        self.calls = 0
        original = getattr(owner, name)

        def counted(*arguments: object, **options: object) -> object:
            self.calls += 1
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, counted)

    def since(self) -> int:
        """Calls since the last look."""
        calls, self.calls = self.calls, 0
        return calls


def source(lines: int) -> str:
    return "".join(f"value_{i} = {i}\n" for i in range(lines))


def proposal_of(lines: int, changed: Iterable[int]) -> Proposal:
    """One hunk on each of these 0-based lines."""
    document = Document.from_text(source(lines), Path("x.py"))
    starts = document.line_starts
    edits = [(starts[line], starts[line] + 5, "other", 0.87) for line in changed]
    return Proposal.from_edits(document, edits)


@pytest.mark.asyncio
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", [View(), View(layout=Layout.split), View(wrap=True, whitespace=True)])
async def test_at_every_size_lines_fit_and_are_printable(size: tuple[int, int], view: View) -> None:
    text = source(30) + HOSTILE + "\n" + source(5)
    document = Document.from_text(text, Path("x.py"))
    proposal = Proposal.from_texts(document, text.replace("value_3 ", "value_x ").replace("|", "x" * 50))
    app = Viewer(Picture(proposal, view, cursor=0))
    async with app.run_test(size=size) as pilot:
        for index in range(len(proposal.hunks)):
            app.pane.reveal_hunk(index)
            await pilot.pause()
            lines = app.lines()
            assert all(cell_len(line) == app.pane.scrollable_content_region.width for line in lines)
            assert all(line.isprintable() for line in lines)
            assert any("-" in line for line in lines)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("layout", "width", "used"),
    [
        (Layout.auto, 121, Layout.split),
        (Layout.auto, 120, Layout.unified),
        (Layout.split, 60, Layout.split),
        (Layout.split, 30, Layout.unified),
        (Layout.unified, 200, Layout.unified),
    ],
)
async def test_the_width_decides_between_unified_and_split(layout: Layout, width: int, used: Layout) -> None:
    app = Viewer(Picture(proposal_of(9, range(3, 4)), View(layout=layout)))
    async with app.run_test(size=(width, 10)):
        assert app.pane.layout_used is used


@pytest.mark.asyncio
async def test_states_are_read_without_colour() -> None:
    proposal = decide(decide(proposal_of(9, range(1, 8, 3)), Accept(1)), Reject(2))
    app = Viewer(Picture(proposal, View(), cursor=1))
    async with app.run_test(size=(80, 24)):
        heads = [line.split()[:2] for line in app.lines() if "87%" in line]
        assert heads == [["?", "87%"], ["▌✓", "87%"], ["✗", "87%"]]


@pytest.mark.asyncio
async def test_hunks_that_start_on_one_line_show_all_their_states() -> None:
    document = Document.from_text("if a = 1 and b = 2:\n")
    proposal = decide(Proposal.from_edits(document, [(5, 6, "==", 0.9), (15, 16, "==", 0.8)]), Accept(1))
    app = Viewer(Picture(proposal, View()))
    async with app.run_test(size=(80, 24)):
        assert app.lines()[0].split()[:2] == ["?", "?✓"]
        app.pane.show(Picture(proposal, View(), cursor=1))
        assert app.lines()[0].split()[:2] == ["▌✓", "80%"]


@pytest.mark.asyncio
async def test_a_draft_is_told_from_what_is_offered() -> None:
    app = Viewer(Picture(proposal_of(3, range(1, 2)), View(), draft=True))
    async with app.run_test(size=(80, 24)):
        assert app.lines()[1].split()[0] == "~"


@pytest.mark.asyncio
async def test_only_what_is_visible_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    painted = Counter(monkeypatch, paint.Painter, "row")
    parsed = Counter(monkeypatch, syntax, "coloured")
    compared = Counter(monkeypatch, paint, "changed_words")
    app = Viewer(Picture(proposal_of(100_000, range(0, 100_000, 400)), View()))
    async with app.run_test(size=(80, 24)):
        assert painted.calls <= 24
        assert parsed.calls <= 24
        assert compared.calls <= 24


@pytest.mark.asyncio
async def test_a_similar_picture_computes_what_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    proposal = proposal_of(2000, range(0, 2000, 50))
    app = Viewer(Picture(proposal, View(), cursor=0))
    async with app.run_test(size=(80, 40)) as pilot:
        await pilot.pause()
        laid_out = Counter(monkeypatch, rows.Rows, "__init__")
        blocks = Counter(monkeypatch, rows, "make_block")
        painted = Counter(monkeypatch, paint.Painter, "row")
        app.pane.show(Picture(proposal, View(), cursor=0))
        await pilot.pause()
        assert (laid_out.since(), painted.since()) == (0, 0)

        app.pane.show(Picture(proposal, View(), cursor=1))
        await pilot.pause()
        assert (laid_out.since(), painted.since()) == (0, 4)  # old and new row of both hunks

        before = blocks_made()
        app.pane.show(Picture(decide(proposal, Accept(1)), View(), cursor=1))
        await pilot.pause()
        assert laid_out.since() == 1
        assert blocks.calls == len(proposal.hunks)
        assert blocks_made() - before == 1  # the others were known
        assert painted.since() == 1  # the row with the glyph

        before = blocks_made()
        longer = proposal_of(2000, [*range(0, 2000, 50), 1999])
        app.pane.show(Picture(longer, View(), cursor=1, draft=True))
        assert blocks_made() - before == 1  # what the next pass of a flow has added


def blocks_made() -> int:
    from editflow_tui.blocks import make_block

    return make_block.cache_info().misses


@pytest.mark.asyncio
async def test_another_layout_keeps_the_line_at_the_top() -> None:
    proposal = proposal_of(500, range(10, 500, 40))
    app = Viewer(Picture(proposal, View(context=None)))
    async with app.run_test(size=(80, 12)) as pilot:
        app.pane.scroll_to(y=200, animate=False)
        await pilot.pause()
        top = app.pane.line_at_cursor
        for view in (
            View(context=None, wrap=True),
            View(context=None, layout=Layout.split),
            View(context=15),
        ):
            app.pane.show(Picture(proposal, view))
            await pilot.pause()
            assert abs(app.pane.line_at_cursor - top) <= 1
        await pilot.resize_terminal(60, 8)
        await pilot.pause()
        assert abs(app.pane.line_at_cursor - top) <= 1


@pytest.mark.asyncio
@pytest.mark.parametrize("size", SIZES)
async def test_a_revealed_hunk_or_line_is_on_the_pane(size: tuple[int, int]) -> None:
    proposal = proposal_of(400, range(5, 400, 60))
    app = Viewer()
    async with app.run_test(size=size) as pilot:
        app.pane.reveal_hunk(4)  # before there is anything to see
        app.pane.show(Picture(proposal, View(), cursor=4))
        for index in (4, 0, 6, 3):
            app.pane.show(Picture(proposal, View(), cursor=index))
            app.pane.reveal_hunk(index)
            await pilot.pause()
            height = 1 if app.pane.layout_used is Layout.split else 2
            assert sum(line.startswith("▌") for line in app.lines()) == height
            assert app.pane.line_at_cursor == 5 + 60 * index + 1
        app.pane.show(Picture(proposal, View(context=None)))
        app.pane.reveal_line(333)
        await pilot.pause()
        assert any("value_332" in line for line in app.lines())


@pytest.mark.asyncio
async def test_clicks_say_what_they_hit() -> None:
    app = Viewer(Picture(proposal_of(60, range(20, 21)), View()))
    async with app.run_test(size=(80, 24)) as pilot:
        for y in (0, 2, 5):  # fold, unchanged, new
            await pilot.click(DiffView, offset=(30, y))
        await pilot.pause()
        fold, line, hunk = app.said
        assert isinstance(fold, DiffView.FoldClicked) and fold.first_line == 0
        assert isinstance(line, DiffView.LineClicked) and line.line == 19
        assert isinstance(hunk, DiffView.HunkClicked) and hunk.index == 0
        assert app.pane.folds == (0, 24)
        assert app.pane.fold_over(30) == 24
        assert app.pane.fold_over(21) is None


@pytest.mark.asyncio
@pytest.mark.parametrize("wrap", [False, True])
async def test_a_click_hits_the_nearest_of_the_hunks_on_a_line(wrap: bool) -> None:
    document = Document.from_text("if a = 1 and b = 2:\n")
    proposal = Proposal.from_edits(document, [(5, 6, "==", 0.9), (15, 16, "==", 0.8)])
    app = Viewer(Picture(proposal, View(wrap=wrap)))
    async with app.run_test(size=(80, 24)) as pilot:
        line = app.lines()[0]
        for text in ("a = 1", "b = 2"):
            await pilot.click(DiffView, offset=(line.index(text), 0))
        await pilot.pause()
        assert [said.index for said in app.said if isinstance(said, DiffView.HunkClicked)] == [0, 1]


@pytest.mark.asyncio
async def test_a_click_below_the_end_of_the_shorter_side_hits_its_hunk() -> None:
    document = Document.from_text("a = 1\n")
    proposal = Proposal.from_edits(document, [(4, 5, " + ".join(["one"] * 30), 0.9)])
    app = Viewer(Picture(proposal, View(layout=Layout.split, wrap=True)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.click(DiffView, offset=(20, 2))
        await pilot.pause()
        assert [said.index for said in app.said if isinstance(said, DiffView.HunkClicked)] == [0]


@pytest.mark.asyncio
async def test_overlays_lie_on_their_characters() -> None:
    proposal = proposal_of(9, range(8, 9))
    start = proposal.document.line_starts[2]
    picture = Picture(
        proposal,
        View(context=None, heat=True),
        heat=((start, start + 7, 0.6), (start + 8, start + 9, 0.1)),
        matches=((start + 10, start + 11),),
        match=0,
        selection=(5, 6),
    )
    app = Viewer(picture)
    async with app.run_test(size=(80, 24)):
        underlined = [seg.text for seg in app.pane.render_line(2) if seg.style and seg.style.underline]
        assert underlined == ["value_2"]
        backgrounds = [_background(app, y, f"value_{y}") for y in range(3, 7)]
        assert backgrounds[0] == backgrounds[3] != backgrounds[1] == backgrounds[2]
        assert [word for word in app.pane.legend.plain.split() if "%" in word] == ["≥5%", "≥20%", "≥50%"]


def _background(app: Viewer, y: int, word: str) -> object:
    (style,) = (seg.style for seg in app.pane.render_line(y) if word in seg.text)
    return style.bgcolor if style else None


@pytest.mark.asyncio
async def test_every_theme_tells_old_from_new() -> None:
    app = Viewer(Picture(proposal_of(9, range(3, 4)), View()))
    async with app.run_test(size=(80, 24)) as pilot:
        for theme in BUILTIN_THEMES:
            app.theme = theme
            await pilot.pause()
            styles = [seg.style for y in (3, 4) for seg in app.pane.render_line(y) if "_3" in seg.text]
            old, new = ((style.color, style.bgcolor) for style in styles if style)
            assert old != new, theme


@pytest.mark.asyncio
async def test_without_colour_words_are_underlined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Viewer(Picture(proposal_of(9, range(3, 4)), View()))
    async with app.run_test(size=(80, 24)):
        underlined = [seg.text for seg in app.pane.render_line(4) if seg.style and seg.style.underline]
        assert underlined == ["other_3"]


@pytest.mark.asyncio
@pytest.mark.parametrize("text", ["", "\n", "x"])
async def test_the_smallest_documents_are_shown(text: str) -> None:
    app = Viewer(Picture(Proposal(Document.from_text(text), ()), View()))
    async with app.run_test(size=(40, 12)) as pilot:
        document = Document.from_text(text)
        app.pane.reveal_line(1)
        app.pane.show(
            Picture(Proposal.from_texts(document, text + "y\n"), View(layout=Layout.split), cursor=0)
        )
        await pilot.pause()
        assert any("+" in line and "y" in line for line in app.lines())

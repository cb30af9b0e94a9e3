"""Rows against the texts they show: no line lost, none twice, and the new side is the text that would be written."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.decisions import Accept, Edit, Reject, Split, decide
from editflow.document import Document, split_lines
from editflow.proposal import Hunk, HunkState, Proposal
from editflow_tui.blocks import Cell, Kind, Row
from editflow_tui.rows import Fold, Rows, line_count, line_text
from editflow_tui.view import View
from editflow_tui.wrapping import ScreenLines, displayed

WHOLE = View(context=None)
TEXTS = st.text(st.sampled_from("ab \n\r日\t"), max_size=60)
VIEWS = st.builds(
    View,
    context=st.one_of(st.none(), st.integers(0, 4)),
    open_folds=st.frozensets(st.integers(0, 20), max_size=6),
    wrap=st.booleans(),
)


@st.composite
def proposals(draw: st.DrawFn) -> Proposal:
    """Hunks by characters, so that some share lines, join them or end at their very ends; some are decided."""
    document = Document.from_text(draw(TEXTS))
    places = sorted(draw(st.lists(st.integers(0, len(document.text)), max_size=8, unique=True)))
    spans = list(zip(places[::2], places[1::2], strict=False))
    news = draw(
        st.lists(st.text(st.sampled_from("xy\n"), max_size=4), min_size=len(spans), max_size=len(spans))
    )
    edits = [(start, end, new, 0.5) for (start, end), new in zip(spans, news, strict=True)]
    proposal = Proposal.from_edits(document, edits)
    states = st.sampled_from(HunkState)
    hunks = tuple(replace(hunk, state=draw(states)) for hunk in proposal.hunks)
    return replace(proposal, hunks=hunks)


def kept_text(proposal: Proposal) -> str:
    """What the document becomes with every hunk that is not rejected."""
    kept = tuple(hunk for hunk in proposal.hunks if hunk.state is not HunkState.REJECTED)
    return replace(proposal, hunks=kept).text


def rows_of(rows: Rows) -> Iterator[Row]:
    return (row for i in range(len(rows)) if isinstance(row := rows[i], Row))


def cells_of(rows: Rows) -> Iterator[Cell]:
    """Every cell once; in a split view unchanged lines stand on both sides."""
    for row in rows_of(rows):
        first = row.cells[0]
        yield from [first] if first and first.kind is Kind.context else [cell for cell in row.cells if cell]


@given(proposals(), VIEWS, st.booleans())
def test_every_line_of_the_document_appears_once_or_is_folded(
    proposal: Proposal, view: View, split: bool
) -> None:
    rows = Rows(proposal, view, split=split)
    shown = [cell.old for cell in cells_of(rows) if cell.kind in (Kind.context, Kind.old)]
    folds = [row for i in range(len(rows)) if isinstance(row := rows[i], Fold)]
    hidden = [line for fold in folds if not fold.is_open for line in range(fold.first, fold.last)]
    assert sorted([*shown, *hidden]) == list(range(line_count(proposal.document)))  # type: ignore[type-var]


@given(proposals(), st.booleans())
def test_the_new_side_is_the_text_with_all_that_is_not_rejected(proposal: Proposal, split: bool) -> None:
    rows = Rows(proposal, WHOLE, split=split)
    news = [cell for cell in cells_of(rows) if cell.kind in (Kind.context, Kind.new)]
    assert "".join(cell.text for cell in news) == kept_text(proposal)
    assert [cell.new for cell in news] == list(range(rows.new_count))


@given(proposals(), st.booleans())
def test_the_old_side_is_the_document(proposal: Proposal, split: bool) -> None:
    rows = Rows(proposal, WHOLE, split=split)
    olds = [cell for cell in cells_of(rows) if cell.kind in (Kind.context, Kind.old)]
    assert "".join(cell.text for cell in olds) == proposal.document.text


@given(proposals(), VIEWS, st.booleans())
def test_every_hunk_starts_in_one_row_that_can_be_found(proposal: Proposal, view: View, split: bool) -> None:
    rows = Rows(proposal, view, split=split)
    heads = [hunk for row in rows_of(rows) for hunk in row.heads]
    assert sorted(heads) == list(range(len(proposal.hunks)))
    for index in heads:
        first = rows[rows.rows_of_hunk(index).start]
        assert isinstance(first, Row)
        assert index in first.heads


@given(proposals(), VIEWS, st.booleans())
def test_a_line_is_where_it_is_said_to_be(proposal: Proposal, view: View, split: bool) -> None:
    rows = Rows(proposal, view, split=split)
    for line in range(rows.count):
        row = rows[rows.row_of_line(line)]
        if isinstance(row, Fold):
            assert row.first <= line < row.last
        else:
            assert row.cells[0] is not None
            assert row.cells[0].old == line
            assert rows.line_of_row(rows.row_of_line(line)) == line


@given(proposals(), VIEWS, st.integers(1, 9))
def test_wrapped_rows_take_the_lines_that_their_text_needs(
    proposal: Proposal, view: View, width: int
) -> None:
    rows = Rows(proposal, view, split=True)
    lines = ScreenLines(rows, (width + 1, width + 2))
    places = [lines.locate(line) for line in range(len(lines))]
    assert places == sorted(set(places))
    assert [row for row, part in places if not part] == list(range(len(rows)))
    assert all(lines.locate(lines.top(row)) == (row, 0) for row in range(len(rows)))


@given(proposals(), st.booleans())
def test_pairs_know_each_other(proposal: Proposal, split: bool) -> None:
    cells = [cell for cell in cells_of(Rows(proposal, WHOLE, split=split)) if cell.pair is not None]
    olds = [(cell.text, cell.pair) for cell in cells if cell.kind is Kind.old]
    news = [(cell.pair, cell.text) for cell in cells if cell.kind is Kind.new]
    assert olds == news


@given(proposals())
def test_deciding_one_hunk_leaves_the_blocks_of_others_as_they_are(proposal: Proposal) -> None:
    before = Rows(proposal, WHOLE, split=False)
    for index in range(len(proposal.hunks)):
        decided = decide(proposal, Reject(index))
        blocks = [before.block_at(row) for row in range(len(before)) if index not in _hunks(before, row)]
        after = Rows(decided, WHOLE, split=False)
        kept = {id(block[0]) for row in range(len(after)) if (block := after.block_at(row))}
        own = {id(block[0]) for row in before.rows_of_hunk(index) if (block := before.block_at(row))}
        assert all(id(block[0]) in kept | own for block in blocks if block)


def _hunks(rows: Rows, index: int) -> tuple[int, ...]:
    row = rows[index]
    return row.hunks if isinstance(row, Row) else ()


def drawn(rows: Rows) -> list[str]:
    """A unified view in letters, for the eye."""
    signs = {Kind.context: " ", Kind.old: "-", Kind.new: "+", Kind.rejected: "x", Kind.stale: "!"}
    pictures = []
    for i in range(len(rows)):
        row = rows[i]
        if isinstance(row, Fold):
            pictures.append(f"... {row.last - row.first}")
        elif (cell := row.cells[0]) is not None:
            pictures.append(signs[cell.kind] + cell.text.rstrip("\n"))
    return pictures


def proposal_of(old: str, new: str) -> Proposal:
    return Proposal.from_texts(Document.from_text(old), new)


def test_lines_put_in_between_take_no_line_along() -> None:
    proposal = proposal_of("a\nb\n", "a\nnew\nb\n")
    assert drawn(Rows(proposal, WHOLE, split=False)) == [" a", "+new", " b"]
    document = Document.from_text("a\nb\n")
    at_the_end = Proposal.from_edits(document, [(1, 1, "\nnew", 1.0)])
    assert drawn(Rows(at_the_end, WHOLE, split=False)) == [" a", "+new", " b"]


def test_hunks_on_one_line_are_decided_apart() -> None:
    document = Document.from_text("if a = 1 and b = 2:\n")
    proposal = Proposal.from_edits(document, [(5, 6, "==", 0.9), (15, 16, "==", 0.8)])
    assert drawn(Rows(proposal, WHOLE, split=False)) == ["-if a = 1 and b = 2:", "+if a == 1 and b == 2:"]
    decided = decide(decide(proposal, Accept(0)), Reject(1))
    assert drawn(Rows(decided, WHOLE, split=False)) == [
        "-if a = 1 and b = 2:",
        "+if a == 1 and b = 2:",
        "xif a = 1 and b == 2:",
    ]


def test_a_rejected_deletion_keeps_its_line() -> None:
    rows = Rows(decide(proposal_of("a\nb\nc\n", "a\nc\n"), Reject(0)), WHOLE, split=False)
    assert drawn(rows) == [" a", " b", " c"]
    row = rows[1]
    assert isinstance(row, Row)
    assert row.heads == (0,)


def test_a_hunk_that_was_edited_to_nothing_still_has_a_row() -> None:
    edited = decide(proposal_of("a\nb\n", "a\nnew\nb\n"), Edit(0, ""))
    assert len(Rows(edited, WHOLE, split=False).rows_of_hunk(0)) == 1


def test_a_split_hunk_gets_rows_of_its_own() -> None:
    document = Document.from_text("a\nb\n")
    proposal = Proposal.from_edits(document, [(0, 4, "x\ny\n", 1.0)])
    assert drawn(Rows(proposal, WHOLE, split=False)) == ["-a", "-b", "+x", "+y"]
    assert drawn(Rows(decide(proposal, Split(0)), WHOLE, split=False)) == ["-a", "+x", "-b", "+y"]


def test_unchanged_lines_fold_and_open() -> None:
    old = "".join(f"{i}\n" for i in range(20))
    proposal = proposal_of(old, old.replace("10\n", "ten\n"))
    view = View(context=1)
    assert drawn(Rows(proposal, view, split=False)) == ["... 9", " 9", "-10", "+ten", " 11", "... 8"]
    opened = drawn(Rows(proposal, replace(view, open_folds=frozenset({12})), split=False))
    assert opened[5:] == ["... 8", *(f" {i}" for i in range(12, 20))]
    assert Rows(proposal, view, split=False).folds() == (0, 12)


def test_a_fold_of_one_line_is_not_worth_a_row() -> None:
    proposal = proposal_of("a\nb\nc\n", "a\nb\nC\n")
    assert drawn(Rows(proposal, View(context=1), split=False)) == [" a", " b", "-c", "+C"]


def test_without_hunks_the_whole_file_is_shown() -> None:
    assert drawn(Rows(proposal_of("a\n" * 9, "a\n" * 9), View(), split=False)) == [" a"] * 9


def test_a_stale_hunk_is_a_note_near_its_place() -> None:
    stale = Hunk(2, 3, 2, 3, "x", "one\ntwo", 0.5)
    rows = Rows(proposal_of("a\nb\n", "a\nb\n"), View(), (stale,), split=False)
    assert drawn(rows) == [" a", "!x → one ⏎ two", " b"]
    far = replace(stale, start=99, end=100)
    assert drawn(Rows(proposal_of("a\n", "a\n"), View(), (far,), split=True))[-1] == "!x → one ⏎ two"


@pytest.mark.parametrize(("old", "new"), [("a\r\n", "a\n"), ("a\n", "a\r\n")])
def test_a_change_of_line_ends_can_be_seen(old: str, new: str) -> None:
    cells = list(cells_of(Rows(proposal_of("x\r\n" + old, "x\r\n" + new), WHOLE, split=False)))
    shown = [displayed(cell, crlf=True) for cell in cells]
    assert shown[0] == "x"
    assert sorted(shown[1:]) == ["a", "a\r"]


def test_a_large_block_is_compared_in_time() -> None:
    old = "".join(f"old {i}\n" for i in range(3000))
    document = Document.from_text("same\n" + old)
    proposal = Proposal.from_edits(document, [(5, len(document.text), old.replace("old", "new"), 1.0)])
    rows = Rows(proposal, View(), split=False)
    assert len(rows) == 1 + 2 * len(split_lines(old))
    assert line_text(document, 3000) == "old 2999\n"

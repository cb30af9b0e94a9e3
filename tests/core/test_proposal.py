"""Proposals and decisions: hunks that add up to the change, and a reducer that can be trusted."""

from functools import reduce
from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from editflow.decisions import (
    Accept,
    AcceptAll,
    Decision,
    Edit,
    History,
    Reject,
    RejectAll,
    Reset,
    Split,
    decide,
)
from editflow.document import Document
from editflow.proposal import Hunk, HunkState, Proposal

PIECES = ["x", "value", " ", "    ", "(", ")", "==", "é", "\n", "\r\n", "\f", "return"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@st.composite
def proposals(draw: st.DrawFn) -> Proposal:
    return Proposal.from_texts(Document.from_text(draw(TEXTS)), draw(TEXTS))


@st.composite
def decisions(draw: st.DrawFn, count: int) -> Decision:
    choices: list[Decision] = [AcceptAll(), RejectAll()]
    if count:
        index = draw(st.integers(0, count - 1))
        choices += [Accept(index), Reject(index), Reset(index), Edit(index, draw(TEXTS)), Split(index)]
    return draw(st.sampled_from(choices))


def changes(old: str, new: str) -> list[tuple[str, str]]:
    return [(hunk.old, hunk.new) for hunk in Proposal.from_texts(Document.from_text(old), new).hunks]


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_hunks_add_up_to_the_change(old: str, new: str) -> None:
    proposal = Proposal.from_texts(Document.from_text(old), new)
    assert proposal.text == new
    assert proposal.decided_text() == old
    assert decide(proposal, AcceptAll()).decided_text() == new
    assert decide(proposal, RejectAll()).decided_text() == old
    assert all(hunk.old != hunk.new for hunk in proposal.hunks)
    assert all(before.end < after.start for before, after in pairwise(proposal.hunks))


@settings(deadline=None)
@given(proposals())
def test_hunks_hold_the_bytes_they_name(proposal: Proposal) -> None:
    data = proposal.document.data
    for hunk in proposal.hunks:
        assert data[hunk.start_byte : hunk.end_byte] == proposal.document.encode(hunk.old)


def test_hunks_are_minimal_on_token_boundaries() -> None:
    assert changes("    if value == None:\n", "    if values is None:\n") == [("value ==", "values is")]
    assert changes("a = 1\nb = 2\nc = 3\n", "a = 1\nb = 3\nc = 3\n") == [("2", "3")]
    assert changes("f(a, b)\n", "f(b, a)\n") == [("a, b", "b, a")]
    assert changes("a\nc\n", "a\nb\nc\n") == [("", "b\n")]
    assert changes("a\n", "") == [("a\n", "")]


def test_changes_far_apart_stay_apart() -> None:
    old = "call(first_argument, other, last_argument)\n"
    assert changes(old, old.replace("first", "1st").replace("last", "9th")) == [
        ("first_argument", "1st_argument"),
        ("last_argument", "9th_argument"),
    ]
    assert changes("a = 1\nb = 1\n", "a = 2\nb = 2\n") == [("1", "2"), ("1", "2")]


def test_no_hunk_ends_inside_a_line_end() -> None:
    assert changes("a  \r\n", "a\r\n") == [("  ", "")]
    assert changes("a\r\nb\r\n", "a\nb\r\n") == [("\r\n", "\n")]


def test_block_too_long_to_refine_is_replaced_whole() -> None:
    assert changes("x " * 1001, "y " + "x " * 1000) == [("x " * 1001, "y " + "x " * 1000)]


def test_large_files_keep_their_hunks_small() -> None:
    lines = [f"line {n}\n" if n % 3 else "\n" for n in range(5000)]
    lines[100], lines[4900] = "first\n", "second\n"
    new = "".join(lines).replace("first", "1st").replace("second", "2nd")
    assert changes("".join(lines), new) == [("first", "1st"), ("second", "2nd")]


def test_confidence_is_asked_for_ranges_of_the_document() -> None:
    document = Document.from_text("é = 1\nb = 2\n")
    proposal = Proposal.from_texts(document, "é = 3\nb = 4\n", lambda start, end: start / 100 + end)
    assert [hunk.confidence for hunk in proposal.hunks] == [5.04, 11.1]
    assert [(hunk.start_byte, hunk.end_byte) for hunk in proposal.hunks] == [(5, 6), (11, 12)]


@settings(deadline=None)
@given(TEXTS, st.data())
def test_edits_become_hunks(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=8)))
    edits = [(i, j, data.draw(TEXTS), 0.5) for i, j in zip(cuts[::2], cuts[1::2], strict=False)]
    expected = text
    for start, end, new, _ in reversed(edits):
        expected = expected[:start] + new + expected[end:]
    proposal = Proposal.from_edits(Document.from_text(text), edits)
    assert proposal.text == expected
    assert all(before.end < after.start for before, after in pairwise(proposal.hunks))
    assert all(hunk.old != hunk.new for hunk in proposal.hunks)


def test_touching_edits_merge_and_the_lower_confidence_counts() -> None:
    edits = [(3, 4, "D", 0.5), (0, 1, "A", 0.9), (1, 1, "+", 0.7), (1, 2, "b", 0.1), (6, 6, "", 0.2)]
    (first, second) = Proposal.from_edits(Document.from_text("abcdef"), edits).hunks
    assert (first.start, first.end, first.new, first.confidence) == (0, 1, "A+", 0.7)
    assert (second.old, second.new, second.confidence) == ("d", "D", 0.5)


@pytest.mark.parametrize(
    "edits", [[(0, 3, "x", 1.0), (2, 4, "y", 1.0)], [(5, 9, "x", 1.0)], [(2, 1, "", 1.0)]]
)
def test_impossible_edits(edits: list[tuple[int, int, str, float]]) -> None:
    with pytest.raises(ValueError, match=r"overlap|outside"):
        Proposal.from_edits(Document.from_text("abcdef"), edits)


@pytest.mark.parametrize(
    "hunks",
    [
        (Hunk(0, 1, 0, 1, "é", "x", 1.0),),
        (Hunk(0, 1, 0, 2, "e", "x", 1.0),),
        (Hunk(1, 2, 2, 3, "a", "x", 1.0), Hunk(0, 1, 0, 2, "é", "x", 1.0)),
        (Hunk(0, 2, 0, 3, "éa", "x", 1.0), Hunk(1, 2, 2, 3, "a", "x", 1.0)),
    ],
)
def test_hunks_that_do_not_fit_the_document(hunks: tuple[Hunk, ...]) -> None:
    with pytest.raises(ValueError, match=r"bytes|hold|overlap"):
        Proposal(Document.from_text("éab"), hunks)


@settings(deadline=None)
@given(TEXTS, TEXTS, st.data())
def test_order_of_decisions_does_not_matter(old: str, new: str, data: st.DataObject) -> None:
    proposal = Proposal.from_texts(Document.from_text(old), new)
    count = min(len(proposal.hunks), 3)
    each: list[Decision] = []
    for index in range(count):
        choices: list[Decision] = [Accept(index), Reject(index), Reset(index), Edit(index, "edited")]
        each.append(data.draw(st.sampled_from(choices)))
    results = {reduce(decide, order, proposal) for order in permutations(each)}
    assert len(results) == 1


@settings(deadline=None)
@given(st.data())
def test_undo_takes_back_and_redo_repeats(data: st.DataObject) -> None:
    history = History(data.draw(proposals()))
    for _ in range(4):
        after = history.decide(data.draw(decisions(len(history.present.hunks))))
        if after != history:
            assert after.undo().present == history.present
            assert after.undo().redo() == after
            assert after.undo().past == history.past
        history = after


def test_history_has_two_ends_and_one_line() -> None:
    start = History(Proposal.from_texts(Document.from_text("a\nb\n"), "x\ny\n"))
    assert start.undo() == start.redo() == start
    accepted = start.decide(Accept(0))
    assert accepted.decide(Accept(0)) is accepted
    assert accepted.undo().decide(Reject(0)).future == ()


def test_decisions_change_one_hunk_each() -> None:
    proposal = Proposal.from_texts(Document.from_text("a = 1\nb = 1\nc = 1\n"), "a = 2\nb = 2\nc = 2\n", 0.5)
    some: list[Decision] = [Accept(0), Reject(1), Edit(2, "3")]
    mixed = reduce(decide, some, proposal)
    assert [hunk.state for hunk in mixed.hunks] == ["accepted", "rejected", "pending"]
    assert [hunk.confidence for hunk in mixed.hunks] == [0.5, 0.5, 1.0]
    assert mixed.decided_text() == "a = 2\nb = 1\nc = 1\n"
    assert decide(mixed, AcceptAll()).decided_text() == "a = 2\nb = 1\nc = 3\n"
    assert decide(mixed, RejectAll()).accepted() == mixed.hunks[:1]
    assert decide(mixed, Reset(0)).hunks[0].state is HunkState.PENDING


@pytest.mark.parametrize("decision", [Accept(-1), Reject(1), Reset(1), Edit(1, ""), Split(1)])
def test_no_such_hunk(decision: Decision) -> None:
    with pytest.raises(IndexError, match="no hunk"):
        decide(Proposal.from_texts(Document.from_text("a"), "b"), decision)


@settings(deadline=None)
@given(proposals())
def test_splitting_changes_neither_text_nor_state(proposal: Proposal) -> None:
    for index in reversed(range(len(proposal.hunks))):
        split = decide(decide(proposal, Accept(index)), Split(index))
        assert split.text == proposal.text
        assert split.decided_text() == decide(proposal, Accept(index)).decided_text()


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("a\nb\n", "x\ny\n", [("a\n", "x\n"), ("b\n", "y\n")]),
        ("a\nb\nc\n", "x\nb\ny\n", [("a\n", "x\n"), ("c\n", "y\n")]),
        ("", "x\ny\n", [("", "x\n"), ("", "y\n")]),
        ("a\nb", "", [("a\n", ""), ("b", "")]),
        ("a\nb\n", "x\n", [("a\nb\n", "x\n")]),
        ("a", "b", [("a", "b")]),
    ],
)
def test_split_pairs_lines(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    document = Document.from_text(f"é\n{old}")
    proposal = Proposal.from_edits(document, [(2, 2 + len(old), new, 0.25)])
    hunks = decide(decide(proposal, Reject(0)), Split(0)).hunks
    assert [(hunk.old, hunk.new) for hunk in hunks] == pieces
    assert all(hunk.state is HunkState.REJECTED and hunk.confidence == 0.25 for hunk in hunks)

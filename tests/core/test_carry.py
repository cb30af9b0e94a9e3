"""Decisions carried over: to other proposals, to other versions of the text, and into what comes after them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.carry import carry, compose, forbidden_in, reanchor, united
from editflow.decisions import Accept, AcceptAll, Reject, Split, decide
from editflow.document import Document
from editflow.forbidden import permitted
from editflow.pieces import Pieces
from editflow.proposal import Hunk, HunkState, Proposal

PIECES = ["x", "value", " ", "    ", "(", ")", "==", "é", "\n", "\r\n", "return"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
BUGGY = "def f(a, b)\n    c = a + d\n    return c\n"
FIXED = "def f(a, b):\n    c = a + b\n    return c\n"


@st.composite
def decided(draw: st.DrawFn, texts: st.SearchStrategy[str] = TEXTS) -> Proposal:
    proposal = Proposal.from_texts(Document.from_text(draw(texts)), draw(TEXTS), draw(st.floats(0, 1)))
    hunks = (replace(hunk, state=draw(st.sampled_from(HunkState))) for hunk in proposal.hunks)
    return replace(proposal, hunks=tuple(hunks))


def states(proposal: Proposal) -> list[str]:
    return [str(hunk.state) for hunk in proposal.hunks]


def fixes() -> Proposal:
    """Two hunks: a colon, and a name."""
    proposal = Proposal.from_texts(Document.from_text(BUGGY), FIXED, 0.8)
    assert [(hunk.old, hunk.new) for hunk in proposal.hunks] == [("", ":"), ("d", "b")]
    return proposal


class TestCarry:
    @given(decided())
    def test_to_the_same_hunks(self, proposal: Proposal) -> None:
        fresh = Proposal.from_texts(proposal.document, proposal.text)
        assert states(carry(proposal, fresh)) == states(proposal)

    def test_to_those_that_are_the_same_only(self) -> None:
        before = decide(decide(fixes(), Accept(0)), Accept(1))
        fresh = Proposal.from_texts(before.document, FIXED.replace("+ b", "+ a"), 0.4)
        after = carry(before, fresh)
        assert states(after) == ["accepted", "pending"]
        assert [hunk.confidence for hunk in after.hunks] == [0.4, 0.4]

    def test_not_to_another_text(self) -> None:
        with pytest.raises(ValueError, match="the same text"):
            carry(fixes(), Proposal(Document.from_text(FIXED), ()))


class TestReanchor:
    @given(decided())
    def test_an_unchanged_text_changes_nothing(self, proposal: Proposal) -> None:
        assert reanchor(proposal, proposal.document) == (proposal, ())

    @given(decided(), TEXTS)
    def test_what_is_kept_replaces_the_same_text_between_the_same_neighbours(
        self, proposal: Proposal, text: str
    ) -> None:
        moved, stale = reanchor(proposal, Document.from_text(text))
        assert moved.document.text == text
        kept = [hunk for hunk in proposal.hunks if hunk not in stale]
        assert len(kept) + len(stale) == len(proposal.hunks)
        for before, after in zip(kept, moved.hunks, strict=True):
            same = ("old", "new", "state", "confidence")
            assert [getattr(before, name) for name in same] == [getattr(after, name) for name in same]
            assert around(proposal.document, before) == around(moved.document, after)

    @given(decided())
    def test_lines_above_and_below_move_it(self, proposal: Proposal) -> None:
        ends = "# first\n{}\n# last\n"
        document = Document.from_text(ends.format(proposal.document.text))
        framed = Proposal.from_texts(document, ends.format(proposal.text))
        above, below = "# more above\n", "# more below\n"
        moved, stale = reanchor(framed, Document.from_text(above + document.text + below))
        assert stale == ()
        assert [hunk.start - len(above) for hunk in moved.hunks] == [hunk.start for hunk in framed.hunks]

    @pytest.mark.parametrize("at", [5, 6])
    def test_an_edit_made_by_hand_beside_its_like_is_not_made_again(self, at: int) -> None:
        proposal = Proposal.from_edits(Document.from_text("f(g(x)\n"), [(at, at, ")", 0.9)])
        moved, stale = reanchor(proposal, Document.from_text("f(g(x))\n"))
        assert (moved.hunks, stale) == ((), proposal.hunks)

    @pytest.mark.parametrize(
        ("old", "new", "stale"),
        [
            ("+ d", "+ a", ["d"]),
            ("b)", "b):", [""]),
            ("b)\n", "b):  # done\n", [""]),
            ("c = a + d", "c = a - b", ["d"]),
            ("    c = a + d\n", "", ["d"]),
            ("return c", "return a", []),
            ("def", "# A line more.\ndef", []),
            ("f(a", "g(a", []),
        ],
    )
    def test_what_is_right_there_has_changed(self, old: str, new: str, stale: list[str]) -> None:
        moved, found = reanchor(fixes(), Document.from_text(BUGGY.replace(old, new, 1)))
        assert [hunk.old for hunk in found] == stale
        assert len(moved.hunks) == 2 - len(stale)

    def test_an_edit_made_by_hand_is_not_made_again(self) -> None:
        moved, stale = reanchor(decide(fixes(), AcceptAll()), Document.from_text(FIXED))
        assert moved.hunks == () and len(stale) == 2


class TestCompose:
    @given(decided(), st.data())
    def test_it_does_what_both_do(self, proposal: Proposal, data: st.DataObject) -> None:
        further = Proposal.from_texts(Document.from_text(proposal.decided_text()), data.draw(TEXTS), 0.5)
        whole = compose(proposal, further)
        assert whole.document is proposal.document
        assert whole.text == further.text
        assert decide(whole, AcceptAll()).decided_text() == further.text
        accepted = {(hunk.start, hunk.end, hunk.new) for hunk in proposal.accepted()}
        assert all((hunk.start, hunk.end, hunk.new) in accepted for hunk in whole.accepted())
        assert all(hunk.state is not HunkState.REJECTED for hunk in whole.hunks)

    @given(decided())
    def test_with_nothing_further_what_was_accepted_is_left(self, proposal: Proposal) -> None:
        whole = compose(proposal, Proposal(Document.from_text(proposal.decided_text()), ()))
        assert whole.hunks == proposal.accepted()

    def test_what_is_accepted_stays_so_where_nothing_touches_it(self) -> None:
        before = decide(fixes(), Accept(0))
        after = Document.from_text(before.decided_text())
        whole = compose(before, Proposal.from_texts(after, after.text.replace("d\n", "a\n"), 0.3))
        found = [(hunk.old, hunk.new, str(hunk.state), hunk.confidence) for hunk in whole.hunks]
        assert found == [("", ":", "accepted", 0.8), ("d", "a", "pending", 0.3)]

    def test_an_accepted_hunk_that_is_changed_further_is_pending(self) -> None:
        before = decide(fixes(), AcceptAll())
        whole = compose(before, Proposal.from_texts(Document.from_text(FIXED), FIXED.replace("+ b", "+ 2b")))
        assert [(hunk.new, str(hunk.state)) for hunk in whole.hunks] == [(":", "accepted"), ("2b", "pending")]

    def test_parts_of_a_split_hunk_that_touch_stay_accepted(self) -> None:
        proposal = Proposal.from_edits(Document.from_text("a\nb\n"), [(0, 4, "c\nd\n", 0.9)])
        split = decide(decide(proposal, Split(0)), AcceptAll())
        assert len(split.hunks) == 2
        whole = compose(split, Proposal(Document.from_text("c\nd\n"), ()))
        assert states(whole) == ["accepted"]

    @given(decided())
    def test_what_is_united_does_what_was_accepted(self, proposal: Proposal) -> None:
        assert united(proposal).decided_text() == united(proposal).text == proposal.decided_text()

    def test_not_over_another_text(self) -> None:
        with pytest.raises(ValueError, match="another text"):
            compose(fixes(), Proposal(Document.from_text(FIXED), ()))


class TestForbidden:
    @given(decided())
    def test_they_are_where_the_rejected_hunks_were(self, proposal: Proposal) -> None:
        text, forbidden = proposal.decided_text(), forbidden_in(proposal)
        rejected = [hunk for hunk in proposal.hunks if hunk.state is HunkState.REJECTED]
        assert [text[start:end] for start, end, _ in forbidden] == [hunk.old for hunk in rejected]
        both = Pieces.of(text).edited([(*each, 1.0) for each in forbidden]).text
        settled = (HunkState.ACCEPTED, HunkState.REJECTED)
        hunks = tuple(hunk for hunk in proposal.hunks if hunk.state in settled)
        assert both == replace(proposal, hunks=hunks).text

    def test_a_flow_that_goes_on_does_not_make_them(self) -> None:
        before = decide(decide(fixes(), Accept(0)), Reject(1))
        text = before.decided_text()
        at = text.index("d\n")
        edits = [(at, at + 1, "b", 0.9), (0, 3, "DEF", 0.9)]
        assert permitted(Pieces.of(text), edits, forbidden_in(before)) == edits[1:]


def around(document: Document, hunk: Hunk) -> tuple[str, str]:
    """The characters right before and after a hunk, where the text goes on there."""
    return document.text[: hunk.start][-1:], document.text[hunk.end :][:1]

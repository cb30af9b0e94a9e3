"""Runs of the model over what a person decided: what stays, what goes on, and what undo brings back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.carry import compose
from editflow.document import Document
from editflow.proposal import HunkState, Proposal
from editflow.step import Step
from editflow_tui.actions import MoveTo, Rewrite, Started, Verdict
from editflow_tui.following import Run, follow
from editflow_tui.review import Review, reduce
from editflow_tui.runner import Stepped
from tests.tui.reviewing import NEW, OLD, step
from tests.tui.states import after, further, patch_of, review_of, stepped, texts


@pytest.fixture
def slips() -> Review:
    return review_of(OLD, NEW)


class TestRuns:
    def test_another_seed_offers_what_was_not_offered(self, slips: Review) -> None:
        document = slips.file.document
        best, other = (
            step(document, text).proposal for text in (NEW, OLD.replace("three = valeu", "three = 3"))
        )
        review = reduce(slips, Started(0, 1, Run(other=True)))
        review = reduce(review, Stepped(0, Step(1, 1, best, done=True, alternatives=(best, other))))
        assert review.file.proposal == other and review.file.seed == 1

    def test_only_here_leaves_the_other_lines_alone(self, slips: Review) -> None:
        review = reduce(slips, Started(0, 0, Run(lines=(22, 22))))
        review = stepped(review, OLD.replace("two = valeu", "two = 2"), done=True)
        assert [hunk.new for hunk in review.file.hunks] == ["value", "2", "value"]

    def test_steering_goes_on_from_what_was_decided(self, slips: Review) -> None:
        review = after(slips, Verdict.ACCEPT, Verdict.REJECT)
        steered = review.file.proposal
        review = reduce(review, Started(0, 0, Run(steered=steered)))
        decided = Document.from_text(steered.decided_text())
        further = decided.text.replace("three = valeu", "three = 3")
        review = reduce(review, Stepped(0, step(decided, further, done=True)))
        states = [(hunk.new, hunk.state) for hunk in review.file.hunks]
        accepted, rejected, pending = HunkState.ACCEPTED, HunkState.REJECTED, HunkState.PENDING
        assert states == [("value", accepted), ("value", rejected), ("3", pending)]
        assert reduce(review, Verdict.ACCEPT_REST).file.proposal.decided_text() == further

    @given(texts, texts, texts, st.data())
    def test_accepting_a_steered_proposal_makes_its_text(
        self, old: str, first: str, then: str, data: st.DataObject
    ) -> None:
        review = review_of(old, first)
        for i in range(len(review.file.hunks)):
            review = after(review, MoveTo(i), *data.draw(st.lists(st.just(Verdict.TOGGLE), max_size=1)))
        steered = review.file.proposal
        review = reduce(review, Started(0, 0, Run(steered=steered)))
        decided = Document.from_text(steered.decided_text())
        review = after(review, Stepped(0, step(decided, then, done=True)), Verdict.ACCEPT_REST)
        assert review.file.proposal.decided_text() == then

    def test_a_part_that_was_accepted_stays_beside_one_that_was_not(self) -> None:
        review = after(patch_of((0, 4, "c\nd\n"), old="a\nb\n"), Verdict.SPLIT, Verdict.ACCEPT)
        review = further(review, "c\nb\n")
        assert review.file.proposal.decided_text() == "c\nb\n"
        assert reduce(review, Verdict.ACCEPT_REST).file.proposal.decided_text() == "c\nd\n"

    def test_parts_that_were_accepted_stay_where_what_they_became_gives_way(self) -> None:
        review = patch_of((0, 6, "d\ne\nf\n"), old="a\nb\nc\n")
        review = further(after(review, Verdict.SPLIT, Verdict.ACCEPT, Verdict.ACCEPT), "d\nx\nc\n")
        assert review.file.proposal.decided_text() == "d\ne\nc\n"

    def test_parts_that_touch_go_on_as_one_until_the_end(self) -> None:
        review = patch_of((0, 4, "c\nd\n"), old="a\nb\n")
        review = after(review, Verdict.SPLIT, Verdict.ACCEPT, Verdict.ACCEPT)
        review = reduce(review, Started(0, 0, Run(steered=review.file.proposal)))
        decided = Document.from_text("c\nd\n")
        for text in ("c\nd\n", "c\nx\n"):
            review = reduce(review, Stepped(0, step(decided, text)))
        assert review.file.proposal.text == "c\nx\n"

    @pytest.mark.parametrize("run", [Run(other=True), Run()])
    def test_what_a_patch_proposes_stays_until_it_is_decided(self, run: Run) -> None:
        review = reduce(patch_of((6, 11, "value")), Started(0, 1, run))
        review = stepped(review, OLD.replace("one = valeu", "one = 1") + "four = 4\n", done=True)
        assert [hunk.new for hunk in review.file.hunks] == ["value", "four = 4\n"]

    def test_undo_brings_back_what_was_there_before_a_run(self, slips: Review) -> None:
        review = after(slips, Verdict.ACCEPT, Started(0, 1, Run(other=True)))
        review = stepped(review, OLD.replace("three = valeu", "three = 3"), done=True)
        assert [hunk.new for hunk in review.file.hunks] == ["value", "3"]
        assert reduce(review, Verdict.UNDO).file.proposal == slips.file.proposal

    def test_undo_accepts_nothing_that_was_not_accepted_then(self, slips: Review) -> None:
        review = further(after(slips, Rewrite("worth"), Verdict.ACCEPT), OLD.replace("valeu", "worth", 1))
        counts = []
        while review.file.history.past:
            review = reduce(review, Verdict.UNDO)
            counts.append(review.counts[HunkState.ACCEPTED])
        assert counts == [0, 0]
        assert review.file.proposal == slips.file.proposal

    def test_what_another_entry_lacks_is_pending_there(self, slips: Review) -> None:
        accepted = reduce(slips, Verdict.ACCEPT).file.proposal
        fresh = compose(accepted, Proposal(Document.from_text(accepted.decided_text()), ()))
        empty = Proposal(slips.file.document, ())
        assert follow(empty, frozenset(), fresh, Run(steered=accepted)).hunks == slips.file.hunks[:1]

    def test_frames_of_the_same_run_do_not_count_as_offered_before(self, slips: Review) -> None:
        document = slips.file.document
        best = step(document, NEW).proposal
        other = step(document, OLD.replace("three = valeu", "three = 3")).proposal
        third = step(document, OLD.replace("three = valeu", "three = 4")).proposal
        review = reduce(slips, Started(0, 1, Run(other=True)))
        for index in (1, 2):
            event = Step(index, 2, other, done=index == 2, alternatives=(best, other, third))
            review = reduce(review, Stepped(0, event))
        assert review.file.proposal == other

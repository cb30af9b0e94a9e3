"""The state of the reviewer without a terminal: decisions, the flow, other versions of the file, several files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editflow.document import Document
from editflow.proposal import HunkState, Proposal
from editflow.resident.status import EngineStatus, StatusKind
from editflow.step import Step
from editflow_tui.actions import (
    Action,
    Flow,
    Fold,
    Look,
    Move,
    MoveTo,
    NextMatch,
    Reloaded,
    Rewrite,
    Scrub,
    Search,
    Select,
    Show,
    Started,
    Turn,
    Verdict,
    Wrote,
)
from editflow_tui.following import key_of
from editflow_tui.review import CONTEXT, Review, open_review, reduce
from editflow_tui.runner import Ended, EngineChanged, Stepped, Suspected
from editflow_tui.view import Layout, View
from tests.tui.reviewing import NEW, OLD, step
from tests.tui.states import after, review_of, stepped, texts

pairs = st.tuples(texts, texts)
ANY_STATE = st.sampled_from([Verdict.ACCEPT, Verdict.REJECT])


@pytest.fixture
def slips() -> Review:
    return review_of(OLD, NEW)


class TestDeciding:
    @given(pairs)
    def test_accepting_all_makes_the_proposed_text_and_rejecting_all_none(
        self, pair: tuple[str, str]
    ) -> None:
        review = review_of(*pair)
        assert reduce(review, Verdict.ACCEPT_REST).file.proposal.decided_text() == pair[1]
        assert reduce(review, Verdict.REJECT_REST).file.proposal.decided_text() == pair[0]

    @given(pairs, st.sampled_from(Verdict), st.integers(0, 9))
    def test_undo_takes_back_one_decision_and_redo_makes_it_again(
        self, pair: tuple[str, str], verdict: Verdict, place: int
    ) -> None:
        before = after(review_of(*pair), MoveTo(place))
        decided = reduce(before, verdict)
        undone = reduce(decided, Verdict.UNDO)
        assert undone.file.proposal == before.file.proposal
        assert reduce(undone, Verdict.REDO).file.proposal == decided.file.proposal

    @given(pairs, st.data())
    def test_the_order_of_decisions_does_not_matter(self, pair: tuple[str, str], data: st.DataObject) -> None:
        review = review_of(*pair)
        verdicts = [(MoveTo(i), data.draw(ANY_STATE)) for i in range(len(review.file.hunks))]
        shuffled = data.draw(st.permutations(verdicts))
        one, other = (
            after(review, *(action for pair in order for action in pair)) for order in (verdicts, shuffled)
        )
        assert one.file.proposal == other.file.proposal
        assert not one.counts[HunkState.PENDING]

    def test_a_decision_goes_on_to_the_next_undecided_hunk_around_the_end(self, slips: Review) -> None:
        cursors: list[int | None] = []
        for _ in range(3):
            slips = reduce(slips, Move.LAST if not cursors else Verdict.ACCEPT)
            cursors.append(slips.file.cursor)
        assert cursors == [2, 0, 1]
        assert reduce(slips, Verdict.REJECT).file.cursor == 1, "nothing is left to go on to"

    def test_moving_skips_what_is_decided(self, slips: Review) -> None:
        review = after(slips, MoveTo(1), Verdict.TOGGLE, Move.FIRST)
        assert reduce(review, Move.NEXT).file.cursor == 2
        assert reduce(review, Move.PREVIOUS).file.cursor == 2

    def test_toggling_accepts_and_takes_back(self, slips: Review) -> None:
        accepted = reduce(slips, Verdict.TOGGLE)
        assert accepted.file.hunks[0].state is HunkState.ACCEPTED and accepted.file.cursor == 0
        assert reduce(accepted, Verdict.TOGGLE).file.proposal == slips.file.proposal

    def test_a_rewritten_hunk_writes_that_and_one_that_writes_nothing_new_is_rejected(
        self, slips: Review
    ) -> None:
        assert reduce(slips, Rewrite("worth")).file.hunks[0].new == "worth"
        assert reduce(slips, Rewrite("valeu")).file.hunks[0].state is HunkState.REJECTED

    def test_splitting_gives_one_hunk_a_line(self) -> None:
        proposal = Proposal.from_edits(Document.from_text("a\nb\n"), [(0, 4, "c\nd\n", 1.0)])
        split = reduce(open_review([("a", proposal)]), Verdict.SPLIT).file
        assert [(hunk.old, hunk.new) for hunk in split.hunks] == [("a\n", "c\n"), ("b\n", "d\n")]
        assert split.cursor == 0

    def test_undo_shows_where_it_was(self, slips: Review) -> None:
        review = after(slips, MoveTo(1), Verdict.ACCEPT, Verdict.UNDO)
        assert review.file.cursor == 1


class TestFlow:
    def test_the_last_frame_is_exactly_what_is_proposed(self, slips: Review) -> None:
        document = slips.file.document
        review = reduce(open_review([("a", Proposal(document, ()))]), Started(0, 0))
        half = OLD.replace("valeu", "value", 1)
        review = stepped(stepped(review, half), NEW, done=True)
        assert review.file.proposal == step(document, NEW).proposal == review.file.playback.frames[-1]
        assert len(review.file.playback.frames) == 2 and review.file.playback.over

    @given(texts, texts, texts, st.data())
    def test_a_step_carries_decisions(self, old: str, first: str, then: str, data: st.DataObject) -> None:
        """What was accepted stays; a hunk that is proposed again keeps its state; what is pending is new."""
        review = review_of(old, first)
        for i in range(len(review.file.hunks)):
            review = after(review, MoveTo(i), *data.draw(st.lists(ANY_STATE, max_size=1)))
        fresh = step(review.file.document, then).proposal
        now = reduce(review, Stepped(0, Step(1, 1, fresh, done=True))).file
        states = {key_of(hunk): hunk.state for hunk in review.file.hunks}
        for hunk in now.hunks:
            assert hunk.state is states.get(key_of(hunk), HunkState.PENDING)
        accepted = {key_of(hunk) for hunk in review.file.proposal.accepted()}
        assert accepted <= {key_of(hunk) for hunk in now.hunks}
        pending = {key_of(hunk) for hunk in now.hunks if hunk.state is HunkState.PENDING}
        assert pending <= {key_of(hunk) for hunk in fresh.hunks}

    def test_what_a_person_wrote_stays(self, slips: Review) -> None:
        review = stepped(reduce(slips, Rewrite("worth")), NEW.replace("two", "too"))
        assert [hunk.new for hunk in review.file.hunks] == ["worth", "too = value", "value"]

    def test_undo_goes_back_over_a_step(self, slips: Review) -> None:
        review = stepped(reduce(slips, Verdict.ACCEPT), NEW)
        assert reduce(review, Verdict.UNDO).file.counts == {HunkState.PENDING: 3}

    def test_the_cursor_stays_on_its_hunk(self, slips: Review) -> None:
        review = after(slips, MoveTo(2))
        fewer = stepped(review, OLD.replace("three = valeu", "three = value"))
        assert fewer.file.cursor == 0
        assert fewer.file.hunk is not None and fewer.file.hunk.start == OLD.rindex("valeu")

    def test_pausing_does_not_keep_from_deciding_what_is_shown(self, slips: Review) -> None:
        review = reduce(slips, Started(0, 0))
        review = after(stepped(stepped(review, NEW), NEW + "four = 4\n"), Flow.FIRST)
        assert review.picture.draft and review.picture.cursor == 0
        decided = reduce(review, Verdict.ACCEPT)
        assert decided.file.hunks[0].state is HunkState.ACCEPTED

    @pytest.mark.parametrize("verdict", [Verdict.ACCEPT, Verdict.ACCEPT_REST, Verdict.UNDO])
    def test_nobody_decides_what_is_not_shown(self, slips: Review, verdict: Verdict) -> None:
        review = reduce(slips, Started(0, 0))
        review = stepped(stepped(review, OLD + "four = 4\n"), NEW, done=True)
        review = reduce(review, Flow.FIRST)
        assert review.file.is_drafted
        uncovered = reduce(review, verdict)
        assert uncovered.file.proposal == review.file.proposal and not uncovered.file.is_drafted

    def test_moving_to_what_a_frame_lacks_shows_all(self, slips: Review) -> None:
        review = reduce(slips, Started(0, 0))
        half = OLD.replace("valeu", "value", 1)
        review = after(stepped(stepped(review, half), NEW, done=True), Flow.FIRST)
        assert len(review.picture.proposal.hunks) == 1
        assert len(reduce(review, Move.LAST).picture.proposal.hunks) == 3

    def test_an_end_without_steps_says_why(self, slips: Review) -> None:
        review = after(slips, Started(0, 0), Ended(0, "out of memory"))
        assert review.file.playback.error == "out of memory" and not review.file.playback.running

    def test_playing_goes_through_the_frames(self, slips: Review) -> None:
        review = reduce(slips, Started(0, 0))
        for count in (1, 2, 3):
            review = stepped(review, OLD.replace("valeu", "value", count), done=count == 3)
        shown = []
        for action in (Flow.PLAY, Flow.TICK, Flow.TICK):
            review = reduce(review, action)
            shown.append(len(review.picture.proposal.hunks))
        assert shown == [1, 2, 3]
        assert len(reduce(review, Scrub(0)).picture.proposal.hunks) == 1


class TestFiles:
    def test_what_is_written_is_no_hunk_any_more(self, slips: Review) -> None:
        review = after(slips, Verdict.ACCEPT, Verdict.REJECT)
        document = Document.from_text(review.file.proposal.decided_text(), version=1)
        review = reduce(review, Wrote(0, document))
        assert [hunk.state for hunk in review.file.hunks] == [HunkState.REJECTED, HunkState.PENDING]
        assert review.file.written == 1 and review.file.cursor == 1 and not review.unsaved
        assert review.file.proposal.text == NEW

    @given(pairs, st.data())
    def test_writing_part_and_accepting_the_rest_is_accepting_all(
        self, pair: tuple[str, str], data: st.DataObject
    ) -> None:
        review = review_of(*pair)
        for i in range(len(review.file.hunks)):
            review = after(review, MoveTo(i), *data.draw(st.lists(st.just(Verdict.TOGGLE), max_size=1)))
        review = reduce(review, Wrote(0, Document.from_text(review.file.proposal.decided_text())))
        assert reduce(review, Verdict.ACCEPT_REST).file.proposal.decided_text() == pair[1]

    def test_a_reload_keeps_what_is_still_there(self, slips: Review) -> None:
        review = after(slips, Verdict.ACCEPT, Verdict.REJECT)
        changed = "# new\n" + OLD.replace("two = valeu", "two = 2")
        review = reduce(review, Reloaded(0, Document.from_text(changed)))
        states = [hunk.state for hunk in review.file.hunks]
        assert states == [HunkState.ACCEPTED, HunkState.PENDING]
        assert [hunk.old for hunk in review.file.stale] == ["valeu"] and review.file.cursor == 1
        assert review.file.proposal.decided_text() == changed.replace("one = valeu", "one = value")

    @given(texts, texts, texts)
    def test_a_reload_forgets_nothing(self, old: str, new: str, then: str) -> None:
        review = reduce(review_of(old, new), Verdict.ACCEPT_REST)
        count = len(review.file.hunks)
        review = reduce(review, Reloaded(0, Document.from_text(then)))
        assert len(review.file.hunks) + len(review.file.stale) == count
        assert review.file.document.text == then

    def test_after_a_reload_what_a_person_wrote_is_still_theirs(self, slips: Review) -> None:
        review = after(slips, Rewrite("worth"), Reloaded(0, Document.from_text("#\n" + OLD)))
        review = stepped(review, "#\n" + NEW)
        assert [hunk.new for hunk in review.file.hunks] == ["worth", "value", "value"]

    def test_files_are_turned_around_the_ends(self, slips: Review) -> None:
        review = replace(slips, files=slips.files * 3)
        assert [reduce(review, Turn(by)).current for by in (1, -1)] == [1, 2]
        assert reduce(review, Show(2)).current == 2
        assert reduce(review, Show(3)) == review

    def test_events_reach_their_file(self, slips: Review) -> None:
        review = replace(slips, files=slips.files * 2)
        review = reduce(review, Suspected(1, ((0, 3, 0.5),)))
        assert [file.heat for file in review.files] == [(), ((0, 3, 0.5),)]


def vars_of(view: View) -> dict[str, object]:
    return {field.name: getattr(view, field.name) for field in fields(view)}


class TestLooking:
    @pytest.mark.parametrize(
        ("look", "field", "value"),
        [
            (Look.SPLIT, "layout", Layout.split),
            (Look.UNIFIED, "layout", Layout.unified),
            (Look.WRAP, "wrap", True),
            (Look.MORE, "context", CONTEXT + 1),
            (Look.LESS, "context", CONTEXT - 1),
            (Look.FOLDS, "context", None),
            (Look.WHITESPACE, "whitespace", True),
            (Look.HEAT, "heat", True),
        ],
    )
    def test_a_look_changes_one_thing(self, slips: Review, look: Look, field: str, value: object) -> None:
        changed = vars_of(reduce(slips, look).view)
        assert changed == vars_of(slips.view) | {field: value}

    @pytest.mark.parametrize("look", [Look.WRAP, Look.FOLDS, Look.WHITESPACE, Look.HEAT])
    def test_a_second_time_it_is_as_before(self, slips: Review, look: Look) -> None:
        assert after(slips, look, look) == slips

    def test_a_fold_opens_and_closes(self, slips: Review) -> None:
        opened = reduce(slips, Fold(4))
        assert opened.view.open_folds == {4}
        assert reduce(opened, Fold(4)) == slips

    def test_heat_is_shown_when_asked_for(self, slips: Review) -> None:
        review = reduce(slips, Suspected(0, ((0, 3, 0.5),)))
        assert review.picture.heat == ()
        assert reduce(review, Look.HEAT).picture.heat == ((0, 3, 0.5),)

    def test_a_search_goes_around(self, slips: Review) -> None:
        review = reduce(slips, Search("VALEU"))
        assert review.file.matches == (), "capital letters count"
        review = reduce(slips, Search("valeu"))
        assert [slips.file.document.text[start:end] for start, end in review.file.matches] == ["valeu"] * 3
        assert [reduce(review, NextMatch(by)).file.match for by in (1, -1)] == [1, 2]
        assert reduce(review, Search("")).file.match is None

    def test_a_search_begins_at_the_cursor(self, slips: Review) -> None:
        assert after(slips, MoveTo(1), Search("valeu")).file.match == 1

    def test_a_selection_stays_inside_the_file(self, slips: Review) -> None:
        review = reduce(slips, Select((43, 99), is_open=True))
        assert review.picture.selection == (43, 43) and review.file.is_selecting
        assert reduce(slips, Select((5, 2))).picture.selection == (2, 5)
        assert reduce(review, Select(None)).picture.selection is None

    def test_the_engine_is_shown(self, slips: Review) -> None:
        status = EngineStatus(StatusKind.busy, "default@1", "cpu")
        assert reduce(slips, EngineChanged(status)).engine == status


actions = st.one_of(
    st.sampled_from([*Verdict, *Move, *Flow, *Look]),
    st.builds(MoveTo, st.integers(-1, 9)),
    st.builds(Scrub, st.integers(-1, 9)),
    st.builds(NextMatch, st.sampled_from([-1, 1])),
    st.builds(Turn, st.sampled_from([-1, 1])),
    st.builds(Search, st.sampled_from(["", "a", "foo"])),
    st.builds(Rewrite, texts),
    st.builds(Select, st.tuples(st.integers(-1, 9), st.integers(-1, 9)), is_open=st.booleans()),
)
happenings: st.SearchStrategy[Callable[[Review], Action]] = st.one_of(
    actions.map(lambda action: lambda review: action),
    texts.map(lambda text: lambda review: Stepped(0, step(review.files[0].document, text))),
    texts.map(lambda text: lambda review: Reloaded(0, Document.from_text(text))),
    st.just(
        lambda review: Wrote(0, Document.from_text(review.files[0].proposal.decided_text())),
    ),
)


@given(pairs, st.lists(happenings, max_size=12))
def test_whatever_happens_the_state_is_sound(
    pair: tuple[str, str], happening: list[Callable[[Review], Action]]
) -> None:
    """The cursor is on a hunk wherever there is one, and what is shown is over the document under review."""
    review = review_of(*pair)
    for event in happening:
        review = reduce(review, event(review))
        file, picture = review.file, review.picture
        assert (file.cursor is None) == (not file.hunks)
        assert file.cursor is None or 0 <= file.cursor < len(file.hunks)
        assert picture.cursor is None or 0 <= picture.cursor < len(picture.proposal.hunks)
        assert picture.proposal.document.text == file.document.text
        assert file.match is None or 0 <= file.match < len(file.matches)
        assert sum(review.counts.values()) == len(file.hunks)

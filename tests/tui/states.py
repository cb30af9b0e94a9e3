"""States of the reviewer to test with, and what brings them about."""

from __future__ import annotations

from functools import reduce as fold

from hypothesis import strategies as st

from editflow.document import Document
from editflow.proposal import Proposal
from editflow_tui.actions import Action, Started
from editflow_tui.following import Run
from editflow_tui.review import Review, open_review, reduce
from editflow_tui.runner import Stepped
from tests.tui.reviewing import OLD, step

WORDS = ("a", "bb", "foo", "(", ")", "=", "\r\n", "\n", "é", "x.y")
texts = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)


def review_of(old: str, new: str) -> Review:
    """What the model proposed, nothing decided."""
    return stepped(open_review([("a.py", Proposal(Document.from_text(old), ()))]), new, done=True)


def patch_of(*edits: tuple[int, int, str], old: str = OLD) -> Review:
    """What a patch proposes, nothing decided."""
    proposal = Proposal.from_edits(Document.from_text(old), [(*edit, 1.0) for edit in edits])
    return open_review([("a.py", proposal)])


def after(review: Review, *actions: Action) -> Review:
    return fold(reduce, actions, review)


def stepped(review: Review, text: str, *, done: bool = False) -> Review:
    return reduce(review, Stepped(0, step(review.file.document, text, done=done)))


def further(review: Review, text: str) -> Review:
    """The model goes on from what was decided, to this text."""
    steered = review.file.proposal
    review = reduce(review, Started(0, 0, Run(steered=steered)))
    return reduce(review, Stepped(0, step(Document.from_text(steered.decided_text()), text, done=True)))

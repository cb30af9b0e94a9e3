"""One file under review: its hunks with their history, the flow they came from, and what is looked at."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice

from editflow.carry import carry
from editflow.decisions import History
from editflow.document import Document, split_lines
from editflow.proposal import Hunk, HunkState, Proposal
from editflow_tui.following import Key, Keys, Lines, Run, key_of
from editflow_tui.playback import Playback

MOST_MATCHES = 10_000


@dataclass(frozen=True, slots=True)
class FileReview:
    """A file, what is proposed for it and what was decided; it never changes in place."""

    name: str
    """As it was given."""
    history: History
    offered: Keys = frozenset()
    """Hunks that the model proposed, in contrast to those that a person or a patch brought."""
    cursor: int | None = None
    """The hunk under the cursor; None only where there is no hunk."""
    playback: Playback = field(default_factory=Playback)
    run: Run = field(default_factory=Run)
    seed: int = 0
    model: str | None = None
    """Which model made the latest step, with its adapter."""
    heat: tuple[tuple[int, int, float], ...] = ()
    stale: tuple[Hunk, ...] = ()
    """Hunks whose text others have changed."""
    written: int = 0
    """Hunks that are in the file by now."""
    selection: tuple[int, int] | None = None
    """1-based lines: where it began and where it ends, in either order."""
    is_selecting: bool = False
    matches: tuple[tuple[int, int], ...] = ()
    match: int | None = None

    @classmethod
    def of(cls, name: str, proposal: Proposal) -> FileReview:
        """A file that nothing was decided about."""
        return cls(name, History(proposal), cursor=0 if proposal.hunks else None)

    @property
    def proposal(self) -> Proposal:
        """The hunks as they are decided now."""
        return self.history.present

    @property
    def document(self) -> Document:
        """The text under review."""
        return self.history.present.document

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """All hunks, decided or not."""
        return self.history.present.hunks

    @property
    def hunk(self) -> Hunk | None:
        """The hunk under the cursor."""
        return None if self.cursor is None else self.hunks[self.cursor]

    @property
    def counts(self) -> Counter[HunkState]:
        """How many hunks are in which state."""
        return Counter(hunk.state for hunk in self.hunks)

    @property
    def lines(self) -> Lines | None:
        """The selected lines, first and last."""
        return None if self.selection is None else (min(self.selection), max(self.selection))

    @property
    def line_of_match(self) -> int | None:
        """1-based line of the match that is shown."""
        return None if self.match is None else self.document.line_of(self.matches[self.match][0]) + 1

    @property
    def is_drafted(self) -> bool:
        """Whether a frame of the flow is shown in place of all that is proposed."""
        playback = self.playback
        return playback.at is not None and playback.shown is not None and not playback.over

    @property
    def shown(self) -> Proposal:
        """What is on the screen."""
        frame = self.playback.shown
        return carry(self.proposal, frame) if self.is_drafted and frame is not None else self.proposal

    @property
    def shown_cursor(self) -> int | None:
        """The hunk under the cursor among those shown; None where it is not among them."""
        if not self.is_drafted or self.hunk is None:
            return self.cursor
        return _index(self.shown, key_of(self.hunk))

    def index(self, key: Key) -> int | None:
        """Which hunk this is; None where it is none of them."""
        return _index(self.proposal, key)

    def at(self, cursor: int | None) -> FileReview:
        """With the cursor there, or at the nearest hunk there is."""
        last = len(self.hunks) - 1
        return replace(self, cursor=None if last < 0 else max(0, min(cursor or 0, last)))

    def selecting(self, lines: tuple[int, int] | None, *, is_open: bool = False) -> FileReview:
        """With these lines selected, as far as there are such; `is_open` while a person is still at it."""
        last = max(1, len(split_lines(self.document.text)))
        held = None if lines is None else (_between(lines[0], last), _between(lines[1], last))
        return replace(self, selection=held, is_selecting=is_open and held is not None)

    def looking_for(self, query: str) -> FileReview:
        """With the matches of a query; capital letters count only where it has some."""
        if not query:
            return replace(self, matches=(), match=None)
        flags = re.IGNORECASE if query == query.lower() else re.NOFLAG
        found = islice(re.finditer(re.escape(query), self.document.text, flags), MOST_MATCHES)
        matches = tuple(match.span() for match in found)
        start = 0 if self.hunk is None else self.hunk.start
        nearest = next((i for i, match in enumerate(matches) if match[0] >= start), 0)
        return replace(self, matches=matches, match=nearest if matches else None)

    def next_match(self, by: int) -> FileReview:
        """With the match further on, or back."""
        if self.match is None:
            return self
        return replace(self, match=(self.match + by) % len(self.matches))


def revised(file: FileReview, history: History) -> FileReview:
    """With other hunks: the cursor stays on its hunk, or goes to the first one from there."""
    file, old = replace(file, history=history), file.hunk
    if old is None:
        return file.at(0)
    same = file.index(key_of(old))
    after = (i for i, hunk in enumerate(file.hunks) if hunk.start >= old.start)
    return file.at(next(after, len(file.hunks)) if same is None else same)


def _index(proposal: Proposal, key: Key) -> int | None:
    return next((i for i, hunk in enumerate(proposal.hunks) if key_of(hunk) == key), None)


def _between(line: int, last: int) -> int:
    return max(1, min(line, last))

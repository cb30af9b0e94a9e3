"""The split by time: the newest commits prove what was learned, the ones before settle how sure one must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from editflow_trainer.data.mined import changed_lines
from editflow_trainer.mining.edits import MinedEdit

HELD_OUT, HELD_OUT_EDITS = 0.15, 250
"""Largest share of the commits that prove, and edits that are enough for it: what is held out is not learned, and what
was done last is what will be done next. Neither they nor any commit after them is trained on."""
TUNING, TUNING_EDITS = 0.1, 130
"""The same of the commits, the next older ones, that settle thresholds; not trained on either."""
LEAST_COMMITS = 8
"""With usable edits; fewer cannot be split."""


@dataclass(frozen=True, slots=True)
class Split:
    """Small edits of Python functions, newest commit first in each part."""

    train: tuple[MinedEdit, ...]
    tuning: tuple[MinedEdit, ...]
    held_out: tuple[MinedEdit, ...]

    @property
    def newest_trained(self) -> str:
        """The newest commit that may be trained on: its tree is the code as training may know it."""
        return self.train[0].commit


def split_by_time(edits: Iterable[MinedEdit]) -> Split | None:
    """Split edits, newest commit first, by whole commits; None where there are fewer than LEAST_COMMITS."""
    usable = [edit for edit in edits if changed_lines(edit)]
    commits = list(dict.fromkeys(edit.commit for edit in usable))
    if len(commits) < LEAST_COMMITS:
        return None
    sizes = Counter(edit.commit for edit in usable)
    first = _enough([sizes[commit] for commit in commits], HELD_OUT, HELD_OUT_EDITS)
    second = first + _enough([sizes[commit] for commit in commits[first:]], TUNING, TUNING_EDITS)
    return Split(
        _of(usable, commits[second:]), _of(usable, commits[first:second]), _of(usable, commits[:first])
    )


def _enough(sizes: Sequence[int], share: float, edits: int) -> int:
    """How many of the first commits have so many edits together; at least one, at most a share of all."""
    reached = next((i for i, total in enumerate(accumulate(sizes), 1) if total >= edits), len(sizes))
    return max(1, min(reached, round(len(sizes) * share)))


def _of(edits: Sequence[MinedEdit], commits: Sequence[str]) -> tuple[MinedEdit, ...]:
    chosen = frozenset(commits)
    return tuple(edit for edit in edits if edit.commit in chosen)

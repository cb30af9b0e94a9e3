"""The split by time: whole commits, the newest ones held out."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from editflow_trainer.mining.edits import Level, MinedEdit
from editflow_trainer.personal.split import HELD_OUT_EDITS, LEAST_COMMITS, TUNING_EDITS, split_by_time

BODY = "".join(f"    line = {number}\n" for number in range(60))


def edit(
    commit: str, scope: str = "f", *, before: str = BODY, after: str = f"{BODY}    more = 1\n"
) -> MinedEdit:
    head = f"def {scope}():\n"
    return MinedEdit(
        head + before, head + after, "ada/shop", commit, 0, "a.py", "python", Level.function, scope, 1, ""
    )


@given(st.lists(st.integers(1, 4), max_size=80))
def test_whole_commits_are_split_in_their_order(sizes: list[int]) -> None:
    """`sizes` are the numbers of edits of the commits, newest first."""
    edits = [edit(f"{place}", f"f{number}") for place, size in enumerate(sizes) for number in range(size)]
    split = split_by_time(edits)
    if len(sizes) < LEAST_COMMITS:
        assert split is None
        return
    assert split is not None
    parts = (split.held_out, split.tuning, split.train)
    assert all(parts) and [one for part in parts for one in part] == edits
    commits = [[commit for commit, _ in groupby(part, key=lambda one: one.commit)] for part in parts]
    assert sum(map(len, commits)) == len(sizes)
    assert abs(len(commits[0]) - 0.15 * len(sizes)) <= 0.5
    assert split.newest_trained == commits[2][0]


def test_only_small_edits_of_functions_count() -> None:
    commits = [f"{number}" for number in range(LEAST_COMMITS)]
    small = [edit(commit) for commit in commits]
    large = [edit(commit, before="    pass\n") for commit in commits]
    equal = [edit(commit, after=BODY) for commit in commits]
    assert split_by_time(large) is None and split_by_time(equal) is None
    split = split_by_time([one for three in zip(large, small, equal, strict=True) for one in three])
    assert split is not None and len(split.train + split.tuning + split.held_out) == len(small)


def test_of_large_commits_few_are_enough() -> None:
    edits = [edit(f"{commit}", f"f{number}") for commit in range(50) for number in range(100)]
    split = split_by_time(edits)
    assert split is not None
    held_out, tuning = ({one.commit for one in part} for part in (split.held_out, split.tuning))
    assert len(held_out) == -(-HELD_OUT_EDITS // 100) and len(tuning) == -(-TUNING_EDITS // 100)

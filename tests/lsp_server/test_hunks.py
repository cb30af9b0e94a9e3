"""Names of hunks: unique, kept by what stays where it was, and never given to another place."""

from hypothesis import given
from hypothesis import strategies as st

from editflow.pieces import TextEdit
from editflow_lsp.hunks import HunkNames

SIZE = 12


@st.composite
def proposals(draw: st.DrawFn) -> list[TextEdit]:
    """Edits of one proposal, in order; they never overlap and no two are at the same place."""
    places = sorted(draw(st.sets(st.integers(0, SIZE), max_size=8)))
    pairs = zip(places[::2], places[1::2], strict=False)
    return [(start, draw(st.sampled_from([start, end])), "x", 0.5) for start, end in pairs]


def near(one: TextEdit, other: TextEdit) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def edit(start: int, end: int) -> TextEdit:
    return start, end, "x", 0.5


@given(st.lists(proposals(), max_size=6))
def test_a_name_stays_at_its_place_and_is_never_used_again(steps: list[list[TextEdit]]) -> None:
    names = HunkNames()
    before: dict[str, TextEdit] = {}
    used: set[str] = set()
    for edits in steps:
        now = names.name(edits)
        assert len(set(now)) == len(now) == len(edits)
        for name, place in zip(now, edits, strict=True):
            assert near(before[name], place) if name in before else name not in used
            if name not in before:
                free = {key for key in before if key not in now}
                assert not any(near(before[key], place) for key in free)
        before = dict(zip(now, edits, strict=True))
        used.update(now)


@given(proposals())
def test_the_same_proposal_keeps_all_names(edits: list[TextEdit]) -> None:
    names = HunkNames()
    assert names.name(edits) == names.name(edits) == [f"h{at}" for at in range(1, len(edits) + 1)]


@given(st.lists(proposals(), min_size=2, max_size=4), st.integers(-5, 5))
def test_a_change_before_the_hunks_changes_no_name(steps: list[list[TextEdit]], shift: int) -> None:
    still, moving = HunkNames(), HunkNames()
    for at, edits in enumerate(steps):
        by = 10 + at * shift
        there = [(start + by + 20, end + by + 20, new, sure) for start, end, new, sure in edits]
        assert still.name(edits) == moving.name(there)
        moving.moved((0, 5, "x" * (5 + shift)))


def test_a_change_behind_the_hunks_changes_no_name() -> None:
    names = HunkNames()
    assert names.name([edit(1, 2), edit(5, 5)]) == ["h1", "h2"]
    names.moved((5, 9, "abc"))
    assert names.name([edit(5, 5)]) == ["h2"]


def test_the_best_overlap_keeps_the_name() -> None:
    names = HunkNames()
    assert names.name([edit(0, 4), edit(5, 12)]) == ["h1", "h2"]
    assert names.name([edit(3, 12)]) == ["h2"]
    assert names.name([edit(0, 4), edit(5, 12)]) == ["h3", "h2"]


def test_overlap_comes_before_nearness() -> None:
    names = HunkNames()
    assert names.name([edit(0, 3), edit(4, 30)]) == ["h1", "h2"]
    assert names.name([edit(2, 8)]) == ["h2"]


def test_of_two_at_the_same_distance_the_same_place_keeps_the_name() -> None:
    names = HunkNames()
    assert names.name([edit(0, 4), edit(4, 4)]) == ["h1", "h2"]
    assert names.name([edit(4, 4)]) == ["h2"]


def test_a_change_of_a_hunk_makes_all_names_new() -> None:
    names = HunkNames()
    assert names.name([edit(0, 4)]) == ["h1"]
    names.moved((1, 2, ""))
    assert names.name([edit(0, 3)]) == ["h2"]


def test_a_change_before_any_step_is_nothing() -> None:
    names = HunkNames()
    names.moved((0, 0, "a"))
    assert names.name([edit(0, 1)]) == ["h1"]

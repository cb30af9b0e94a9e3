"""The fair queue against its definition: owners in turn, items of one in order."""

from hypothesis import given
from hypothesis import strategies as st

from editflow.resident.fair import FairQueue


def test_owners_take_turns_and_items_keep_their_order() -> None:
    queue: FairQueue[str, str] = FairQueue()
    for item in ("a1", "a2", "b1", "c1"):
        queue.add(item[0], item)
    served = []
    for _ in range(6):  # two passes an item
        turn = queue.turn()
        assert turn is not None
        served.append(turn[1])
        if served.count(turn[1]) == 2:
            queue.remove(*turn)
    assert served == ["a1", "b1", "c1", "a1", "b1", "c1"]
    assert queue.turn() == ("a", "a2")
    assert list(queue) == ["a2"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), max_size=12))
def test_nobody_waits_longer_than_one_turn_of_each_other(arrivals: list[tuple[str, int]]) -> None:
    queue: FairQueue[str, list[int]] = FairQueue()
    for owner, passes in arrivals:
        queue.add(owner, [passes])
    total, last, clock = sum(passes for _, passes in arrivals), dict.fromkeys("abc", 0), 0
    while turn := queue.turn():
        owner, passes_left = turn
        clock += 1
        assert clock - last[owner] <= 3
        last[owner] = clock
        passes_left[0] -= 1
        if not passes_left[0]:
            queue.remove(owner, passes_left)
    assert (clock, len(queue)) == (total, 0)


def test_removing_what_is_not_there_changes_nothing() -> None:
    queue: FairQueue[str, str] = FairQueue()
    queue.remove("a", "a1")
    assert queue.turn() is None

"""When an engine that crashes is left alone for a while."""

from editflow.resident.crashes import PAUSE, WITHIN, Crashes


def crashes_at(*times: float) -> tuple[Crashes, list[float]]:
    clock = [0.0]
    crashes = Crashes(lambda: clock[0])
    for clock[0] in times:
        crashes.record()
    return crashes, clock


def test_two_are_not_many() -> None:
    assert not crashes_at(0, 1)[0].too_many


def test_three_in_a_minute_make_a_pause() -> None:
    crashes, clock = crashes_at(0, 30, WITHIN)
    assert crashes.too_many
    clock[0] = WITHIN + PAUSE
    assert not crashes.too_many


def test_three_over_a_longer_time_do_not() -> None:
    assert not crashes_at(0, 30, WITHIN + 1)[0].too_many


def test_one_more_after_the_pause_makes_another() -> None:
    crashes, clock = crashes_at(0, 1, 2)
    clock[0] = 2 + PAUSE
    assert not crashes.too_many
    crashes.record()
    assert crashes.too_many

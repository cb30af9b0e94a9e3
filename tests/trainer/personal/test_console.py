"""What a person sees while a training runs: a live line on a terminal, few plain lines elsewhere."""

from __future__ import annotations

import io
from itertools import count

import pytest
from rich.console import Console

from editflow_trainer.personal.console import Bar, Lines, clock, fitting, listening, parts_of
from editflow_trainer.personal.listener import Progress
from tests.core.shell import Stream

HALF = Progress(0.5, 100, 0.8125, 5432.1, 67.4, 0.25)
ATTACK = "\x1b[31m[red]\u202e"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (59.6, "1:00"), (247, "4:07"), (3847, "1:04:07")]
)
def test_times_read_as_on_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_the_most_important_parts_stay_when_there_is_no_room() -> None:
    parts = parts_of(HALF)
    assert parts == ["1:07 left", "loss 0.812", "tuning edits made 25%", "5,432 tokens/s"]
    assert fitting(parts, 100) == "  ".join(parts)
    assert fitting(parts, 25) == "1:07 left  loss 0.812"
    assert fitting(parts, 3) == ""
    assert "tuning" not in fitting(parts_of(Progress(0.1, 1, 1.0, 1.0, 1.0)), 100)


def test_a_pipe_gets_a_line_every_ten_seconds_at_most() -> None:
    file, times = io.StringIO(), count(0.0, 2.0)
    lines = Lines(Console(file=file, width=20), lambda: next(times))
    lines.stage("training")
    for _ in range(20):
        lines.progress(HALF)
    lines.say(f"a {ATTACK} line that is longer than the width of the pipe")
    printed = file.getvalue().splitlines()
    assert printed[0] == "training"
    assert printed[1] == "50%: 1:07 left, loss 0.812, tuning edits made 25%, 5,432 tokens/s"
    assert 4 <= len(printed) <= 8
    assert "[red]" in printed[-1]
    assert not {"\x1b", "\u202e"} & set(file.getvalue())


@pytest.mark.parametrize(
    ("terminal", "name", "kind"), [(True, "xterm", Bar), (True, "dumb", Lines), (False, "xterm", Lines)]
)
def test_only_a_terminal_that_can_move_gets_the_live_line(
    terminal: bool, name: str, kind: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", name)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with listening(Console(file=Stream(terminal))) as listener:
        assert type(listener) is kind


@pytest.mark.parametrize("width", [30, 60, 120])
def test_the_live_line_fits_and_leaves_the_stages_behind(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    file = Stream(True)
    console = Console(file=file, width=width, color_system=None, legacy_windows=False)
    with Bar(console) as bar:
        bar.stage("mining")
        bar.say(f"300 commits {ATTACK}")
        bar.stage("training")
        bar.progress(HALF)
    plain = file.text.replace("\r", "\n")
    assert "mining: 0:00" in plain
    assert "50%" in plain
    assert ("5,432 tokens/s" in plain) == (width == 120)
    assert "\x1b[31m" not in file.text


def test_what_failed_is_not_said_to_be_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    file = Stream(True)
    with pytest.raises(ValueError), listening(Console(file=file, color_system=None)) as listener:
        listener.stage("mining")
        raise ValueError
    assert "mining: 0:00" not in file.text

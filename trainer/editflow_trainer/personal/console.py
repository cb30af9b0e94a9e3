"""Tells a person how a training goes: one live line on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.progress import Progress as LiveLine
from rich.text import Text

from editflow.patch import visible
from editflow_trainer.personal.listener import Listener, Progress

EVERY = 10.0
"""Seconds between two lines about training where there is no terminal."""
BAR = 16  # columns
_GAPS = 3  # columns between the four parts of the live line
_PER_CENT = 4


@contextmanager
def listening(console: Console) -> Iterator[Listener]:
    """The listener that suits where the console writes; nothing stays on the screen that moves."""
    if console.file.isatty() and not console.is_dumb_terminal:
        with Bar(console) as bar:
            yield bar
    else:
        yield Lines(console)


def clock(seconds: float) -> str:
    """4:07, or 1:04:07 from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def parts_of(progress: Progress) -> list[str]:
    """What there is to say, the most important first."""
    exact = [] if progress.exact is None else [f"tuning edits made {progress.exact:.0%}"]
    speed = f"{progress.tokens_per_second:,.0f} tokens/s"
    return [f"{clock(progress.left)} left", f"loss {progress.loss:.3f}", *exact, speed]


def fitting(parts: Sequence[str], room: int) -> str:
    """As many of the parts as fit into a line of `room` columns, from the first one on."""
    text = ""
    for part in parts:
        longer = f"{text}  {part}" if text else part
        if len(longer) > room:
            break
        text = longer
    return text


class Lines:
    """For pipes, files and terminals that cannot move."""

    def __init__(self, console: Console, now: Callable[[], float] = time.monotonic) -> None:
        self._console, self._now = console, now
        self._last = float("-inf")

    def stage(self, name: str) -> None:
        """A line."""
        self.say(name)

    def progress(self, progress: Progress) -> None:
        """A line, unless there was one just now."""
        if self._now() - self._last >= EVERY:
            self._last = self._now()
            self.say(f"{progress.share:.0%}: {', '.join(parts_of(progress))}")

    def say(self, line: str) -> None:
        """The line."""
        _print(self._console, line)


class Bar:
    """One live line that is gone at the end; what is over stays above it with the time it took."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (TextColumn("{task.description}"), BarColumn(BAR), _PerCent(), _Said(console))
        self._live = LiveLine(*columns, console=console, transient=True)
        self._task: Task | None = None

    def __enter__(self) -> Bar:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        self._live.stop()

    def stage(self, name: str) -> None:
        """What was before is over."""
        self._finish()
        number = self._live.add_task(name, total=None, said=())
        self._task = next(task for task in self._live.tasks if task.id == number)

    def progress(self, progress: Progress) -> None:
        """The bar, and beside it as much as there is room for."""
        if self._task is not None:
            said, share = parts_of(progress), progress.share
            self._live.update(self._task.id, total=1.0, completed=share, said=said, refresh=True)

    def say(self, line: str) -> None:
        """Above the live line."""
        _print(self._console, line)

    def _finish(self) -> None:
        if self._task is not None:
            self._live.remove_task(self._task.id)
            self.say(f"{self._task.description}: {clock(self._task.elapsed or 0.0)}")
            self._task = None


class _PerCent(ProgressColumn):
    """Nothing while nobody knows."""

    def render(self, task: Task) -> Text:
        return Text("" if task.total is None else f"{task.percentage:>{_PER_CENT - 1}.0f}%")


class _Said(ProgressColumn):
    """What training says, as far as the terminal has room for it now; of all else, how long it has been going on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        super().__init__()

    def render(self, task: Task) -> Text:
        room = self._console.width - len(task.description) - BAR - _PER_CENT - _GAPS
        said = fitting(task.fields["said"] or [clock(task.elapsed or 0.0)], room)
        return Text(said, no_wrap=True)


def _print(console: Console, line: str) -> None:
    """One line whatever its length, with nothing in it that a terminal obeys."""
    console.print(visible(line), markup=False, highlight=False, soft_wrap=True)

"""A progress bar that appears only where waiting has become noticeable, and leaves nothing behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from editflow.patch import visible
from editflow.render import is_rich

DELAY = 1.0  # seconds before anything is shown

Update = Callable[[int, int], None]  # units done, units in all


class Waiting:
    """One wait of several parts; the bar is drawn during a part, never between two."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = monotonic()

    @contextmanager
    def on(self, what: str) -> Iterator[Update]:
        """Show `what` is waited for until the block ends, from DELAY seconds after the whole wait began."""
        if not is_rich(self._console):
            yield lambda done, total: None
            return
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        bar = Progress(*columns, console=self._console, transient=True)
        task = bar.add_task(visible(what), total=None)
        timer = Timer(max(0.0, DELAY - (monotonic() - self._started)), bar.start)
        timer.daemon = True
        timer.start()
        try:
            yield lambda done, total: bar.update(task, completed=done, total=total)
        finally:
            timer.cancel()
            timer.join()  # it may be starting the bar just now
            bar.stop()

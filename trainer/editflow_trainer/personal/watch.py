"""`editflow train --watch`: stays with a repository and trains in the background once enough commits are new.

What counts is HEAD, whatever moved it: a commit, a pull, a switch, a reset. A commit is new if no training knew it or
its change: amended messages and rebased commits are not, and merges, from which nothing is learned, never are.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event

from editflow.adapters.identity import has_commit
from editflow.document import shown
from editflow.errors import EditFlowError
from editflow_trainer.mining.git import ask, head_commit
from editflow_trainer.personal.child import COMMAND, Child, Place, ended_by_signals, threads_of
from editflow_trainer.personal.options import Target
from editflow_trainer.personal.refs import Folders, follow
from editflow_trainer.personal.workspace import private_folder, trained_head

REMEMBERED = 8
"""Heads that trainings were started at, so that going to and fro between branches starts no other."""
Say = Callable[[str], None]


def watch(
    target: Target,
    after: int,
    arguments: Sequence[str],
    say: Say,
    *,
    stop: Event | None = None,
    command: Sequence[str] = COMMAND,
) -> None:
    """Train whenever `after` commits are new; returns when interrupted, the training that runs with its state kept.

    `arguments` are those of each training, as they would be typed. With `stop`, that ends it, and signals do not.

    Raises:
        EditFlowError: the repository cannot be watched any more, or no training can be started.
    """
    if stop is None:
        with ended_by_signals() as asked:
            watch(target, after, arguments, say, stop=asked, command=command)
        return

    def start() -> Child:
        place = Place(threads_of(2, os.environ), low=True)
        return Child.start(target.folder, arguments, private_folder(target.root), place, command)

    folders = Folders.of(target.folder)
    watcher = Watcher(target, after, start, say, lambda: folders.rebasing)
    say(f"watching {target.name}: training in the background after {after} new commits, until Ctrl-C")
    try:
        with closing(follow(folders, stop)) as moves:
            for moved in moves:
                watcher.look(moved)
    finally:
        watcher.end()


class Due:
    """Decides when there is enough that is new; `count` tells how many commits of a head another one lacks."""

    def __init__(self, after: int, count: Callable[[str, str], int]) -> None:
        self.after, self._count = after, count
        self._started: deque[str] = deque(maxlen=REMEMBERED)

    def new(self, head: str, trained: str) -> int:
        """How many commits are new since the last training, and since those started here, completed or not."""
        return min(self._count(known, head) for known in (trained, *self._started))

    def started(self, head: str) -> None:
        """A training was started at a head."""
        self._started.append(head)


class Watcher:
    """Follows HEAD and keeps at most one training going."""

    def __init__(
        self,
        target: Target,
        after: int,
        start: Callable[[], Child],
        say: Say,
        rebasing: Callable[[], bool] = lambda: False,
    ) -> None:
        self._target, self._start, self._say, self._rebasing = target, start, say, rebasing
        self._due = Due(after, lambda known, head: new_commits(target.folder, known, head))
        self._head = ""
        self._child: Child | None = None

    def look(self, moved: bool) -> None:
        """See whether the training has ended, and HEAD, if it may have moved or the training has."""
        if self._has_ended() or moved:
            try:
                head = head_commit(self._target.folder)
                new = self._due.new(head, trained_head(self._target.root))
            except EditFlowError as error:
                self._say_or_give_up(error)
            else:
                self._consider(head, new)

    def end(self) -> None:
        """End the training that runs; it keeps its state."""
        if self._child is not None:
            self._say("ending the training in the background")
            self._child.end()
            self._child = None

    def _consider(self, head: str, new: int) -> None:
        if head != self._head:
            self._say(f"HEAD is at {head[:10]}: {new} of {self._due.after} new commits")
            self._head = head
        if new >= self._due.after and self._child is None and not self._rebasing():
            self._due.started(head)
            self._child = self._start()
            self._say(f"training at {head[:10]} in the background")

    def _has_ended(self) -> bool:
        if self._child is None or self._child.poll() is None:
            return False
        child, self._child = self._child, None
        if result := child.result():
            outcome = f"{result['adapter']} is installed" if result["installed"] else "nothing is installed"
            self._say(f"trained; {outcome}: {result['reason']}; report: {result['report']}")
        else:
            self._say(f"not trained: {child.problem()}")
        return True

    def _say_or_give_up(self, error: EditFlowError) -> None:
        if not self._target.folder.is_dir():
            raise EditFlowError(f"{shown(self._target.folder)} is gone: there is nothing to watch") from error
        self._say(str(error))


def new_commits(folder: Path, known: str, head: str) -> int:
    """How many commits of `head` bring a change that the history of `known` does not; all, where that is gone."""
    if not known or not has_commit(folder, known):
        return int(ask(folder, "rev-list", "--count", "--no-merges", head, "--"))
    wanted = ("--count", "--no-merges", "--cherry-pick", "--right-only", f"{known}...{head}", "--")
    return int(ask(folder, "rev-list", *wanted))

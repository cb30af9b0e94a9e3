"""Everything that a person can ask for, by name: what it does, the keys it has by default, where it is listed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from editflow_tui.actions import Action, Flow, Look, Move, NextMatch, Turn, Verdict


class When(StrEnum):
    """When a command can be asked for."""

    ALWAYS = "always"
    SELECTING = "selecting"
    """While lines are being selected; its keys then mean this and nothing else."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to ask for; `action` is all that it does, or else the app knows how."""

    name: str
    """What a person's configuration calls it."""
    group: str
    words: str
    """What it does."""
    keys: tuple[str, ...]
    action: Action | None = None
    label: str = ""
    """In the footer; empty where it is not shown there."""
    when: When = When.ALWAYS


def _group(group: str, *commands: tuple[str, str, str, Action | None, str]) -> tuple[Command, ...]:
    return tuple(
        Command(name, group, words, tuple(keys.split()), action, label)
        for name, words, keys, action, label in commands
    )


_DECIDE = _group(
    "Decide",
    ("accept", "accept the hunk and go on", "y", Verdict.ACCEPT, "accept"),
    ("reject", "reject the hunk and go on", "n", Verdict.REJECT, "reject"),
    ("toggle", "accept the hunk, or take that back", "space", Verdict.TOGGLE, ""),
    ("accept-rest", "accept all that is undecided", "a", Verdict.ACCEPT_REST, "rest"),
    ("reject-rest", "reject all that is undecided", "d", Verdict.REJECT_REST, ""),
    ("split", "split the hunk into lines", "s", Verdict.SPLIT, ""),
    ("edit", "edit what the hunk writes", "e", None, "edit"),
    ("edit-outside", "edit what the hunk writes in $EDITOR", "E", None, ""),
    ("undo", "undo the last decision", "u ctrl+z", Verdict.UNDO, "undo"),
    ("redo", "redo what was undone", "ctrl+r", Verdict.REDO, ""),
)
_MOVE = _group(
    "Move",
    ("next", "next undecided hunk", "j ]", Move.NEXT, "next"),
    ("previous", "previous undecided hunk", "k [", Move.PREVIOUS, ""),
    ("first", "first hunk", "g", Move.FIRST, ""),
    ("last", "last hunk", "G", Move.LAST, ""),
    ("search", "search", "/", None, ""),
    ("next-match", "next match", "f3 enter", NextMatch(1), ""),
    ("previous-match", "previous match", "shift+f3 f15", NextMatch(-1), ""),
)
_FILES = _group(
    "Files",
    ("write", "write what is accepted into the file", "S", None, "write"),
    ("write-all", "write all files", "ctrl+s", None, ""),
    ("next-file", "next file", "tab", Turn(1), ""),
    ("previous-file", "previous file", "shift+tab", Turn(-1), ""),
    ("copy", "copy what the hunk writes", "c", None, ""),
    ("open", "open the file in $EDITOR at this line", "o", None, ""),
    ("reload", "read the file again", "R", None, ""),
)
_VIEW = _group(
    "View",
    ("layout-auto", "layout by width", "0", Look.AUTO, ""),
    ("layout-split", "old and new side by side", "1", Look.SPLIT, ""),
    ("layout-unified", "old and new below each other", "2", Look.UNIFIED, ""),
    ("wrap", "wrap long lines, or not", "w", Look.WRAP, ""),
    ("less-context", "less context", "{", Look.LESS, ""),
    ("more-context", "more context", "}", Look.MORE, ""),
    ("whitespace", "show whitespace, or not", "W", Look.WHITESPACE, ""),
    ("fold", "open or close the nearest fold", "f", None, ""),
    ("folds", "show the whole file, or fold it", "F", Look.FOLDS, ""),
)
_FLOW = _group(
    "Flow",
    ("play", "play the passes, or pause", "p", Flow.PLAY, ""),
    ("back", "one frame back", ",", Flow.BACK, ""),
    ("forward", "one frame on", ".", Flow.FORWARD, ""),
    ("slower", "play slower", "<", Flow.SLOWER, ""),
    ("faster", "play faster", ">", Flow.FASTER, ""),
    ("first-frame", "first frame", "(", Flow.FIRST, ""),
    ("last-frame", "last frame: all that is proposed", ")", Flow.LAST, ""),
)
_MODEL = _group(
    "Model",
    ("heat", "show where edits seem due, or not", "t", None, ""),
    ("again", "fix again with another seed", "r", None, ""),
    ("steer", "go on from what was decided", "x", None, ""),
    ("select", "select lines", "v", None, ""),
    ("here", "fix the selected lines only", "h", None, ""),
)
_SELECT = (
    Command("select-up", "Select", "one line up", ("up",), when=When.SELECTING),
    Command("select-down", "Select", "one line down", ("down",), when=When.SELECTING),
    Command("select-done", "Select", "end the selection here", ("enter",), when=When.SELECTING),
)
_APP = _group(
    "Reviewer",
    ("cancel", "end a selection or a search", "escape", None, ""),
    ("help", "show all keys", "?", None, "help"),
    ("palette", "find a command by its name", "ctrl+p", None, "commands"),
    ("quit", "quit", "q ctrl+q", None, "quit"),
    ("interrupt", "quit with exit code 130", "ctrl+c", None, ""),
)

COMMANDS = (*_DECIDE, *_MOVE, *_FILES, *_VIEW, *_FLOW, *_MODEL, *_SELECT, *_APP)
BY_NAME = {command.name: command for command in COMMANDS}

"""`docs/tui.md` says what is so: its keys are those of the commands, its pictures are there and small."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

from editflow_tui.commands import COMMANDS
from editflow_tui.keymap import resolve

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "tui.md").read_text("utf-8")


def test_every_command_is_in_the_tables_with_its_keys() -> None:
    keymap = resolve({})
    for group, commands in groupby(COMMANDS, key=lambda command: command.group):
        rows = [f"| {group} | command | |", "|---|---|---|"]
        for command in commands:
            keys = " ".join(f"`{key}`" for key in keymap.keys[command.name])
            rows.append(f"| {keys} | `{command.name}` | {command.words} |")
        assert "\n".join(rows) + "\n\n" in TEXT


def test_pictures_are_there_and_fetch_nothing() -> None:
    pictures = [DOCS / name for name in re.findall(r"\((pictures/[^)]+)\)", TEXT)]
    assert len(pictures) == 3
    for picture in pictures:
        assert picture.stat().st_size < 100_000
        assert "url(http" not in picture.read_text("utf-8")

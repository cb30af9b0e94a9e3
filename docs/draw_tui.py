"""Draws the pictures of `tui.md`: the terminal reviewer itself, with the model that ships, on `examples/buggy.py`.

Run from the repository's root as `python docs/draw_tui.py`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from editflow.commands.fix_options import Mode, Options
from editflow.document import Document
from editflow.proposal import Proposal
from editflow.resident.place import EngineChoice
from editflow_tui.app import Reviewer
from editflow_tui.keymap import resolve
from editflow_tui.personal import Personal
from editflow_tui.review import open_review
from editflow_tui.runner import Runner

EXAMPLE = Path("examples", "buggy.py")
PICTURES = Path("docs", "pictures")
SIZE = (120, 29)
OPTIONS = Options(Mode.DIFF, device="cpu")
_WEB_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


async def draw() -> None:
    """A frame of the flow, the review side by side, and where edits seem due."""
    document = Document.read(EXAMPLE)
    choice = EngineChoice("default", "cpu")
    app = Reviewer(
        open_review([(EXAMPLE.as_posix(), Proposal(document, ()))]),
        OPTIONS,
        Personal(resolve({})),
        lambda post: Runner(choice, post, daemon=False),
    )
    async with app.run_test(size=SIZE) as pilot:
        await _until(pilot, lambda: app.review.file.playback.over and bool(app.review.file.hunks))
        await _draw(pilot, "tui-frame", "2", "(")
        await _draw(pilot, "tui-review", ")", "1", "y")
        await pilot.press("2", "u", "F", "t")
        await _until(pilot, lambda: bool(app.review.file.heat))
        await _draw(pilot, "tui-heat", "g")


async def _draw(pilot: Pilot[int], name: str, *keys: str) -> None:
    """Press the keys and keep the screen, with the reader's own fonts."""
    await pilot.press(*keys)
    await pilot.pause()
    picture = _WEB_FONTS.sub("", pilot.app.export_screenshot(title="editflow-tui", simplify=True))
    (PICTURES / f"{name}.svg").write_text(picture, "utf-8")


async def _until(pilot: Pilot[int], is_there: Callable[[], bool]) -> None:
    while not is_there():
        await pilot.pause(0.05)


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    asyncio.run(draw())

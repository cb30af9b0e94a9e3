"""Draws docs/flow.svg: every pass of the real program over examples/buggy.py, one below the other."""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path

from rich.console import Console

from editflow.document import Document
from editflow.engine import Engine
from editflow.render.flow import CONTEXT, frame
from editflow.request import Request
from editflow.step import Step

HERE = Path(__file__).resolve().parent
EXAMPLE = Path("examples/buggy.py")
FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)  # would be fetched; any monospace font does


def main() -> None:
    """Run the fix and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="default", help="name or folder of a checkpoint")
    parser.add_argument("--out", type=Path, default=HERE / "flow.svg")
    options = parser.parse_args()
    document = Document.read(HERE.parent / EXAMPLE)
    steps = list(Engine.load(options.model, "cpu").fix(Request(document)))
    console = Console(record=True, width=76, file=io.StringIO(), force_terminal=True)
    for step in _distinct(steps):
        console.print(frame(step, steps[-1].proposal, EXAMPLE.as_posix(), _shown(steps)))
        console.print()
    picture = console.export_svg(title="editflow fix --show-flow")
    options.out.write_text(FONT_FACE.sub("", picture), encoding="utf-8")


def _distinct(steps: list[Step]) -> list[Step]:
    """The steps that show something new, and the result."""
    kept = [steps[0]]
    for step in steps[1:]:
        if step.done or step.proposal.hunks != kept[-1].proposal.hunks:
            kept.append(step)
    return kept


def _shown(steps: list[Step]) -> frozenset[int]:
    """1-based lines around every hunk of the result."""
    lines: set[int] = set()
    for hunk in steps[-1].proposal.hunks:
        line = steps[-1].proposal.document.line_of(hunk.start) + 1
        lines.update(range(line - CONTEXT, line + CONTEXT + 1))
    return frozenset(lines)


if __name__ == "__main__":
    main()
